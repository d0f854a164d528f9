"""How many interactions until a micrograph is right? A robot that knows the truth corrects it.

    python benchmarks/correction.py [--images 4] [--side 512] [--to 0.95]

On phantom micrographs with exact truth, until the Dice coefficient of the image (all classes)
reaches the target, in four ways:

(a) a plain brush and eraser from nothing;
(b) brush and eraser on what the shipped model found;
(c) object tools beside them: delete, class, grow and shrink by the model's level, merge, split,
    fill, smooth, a dot that grows along the model's scores, the edge brush;
(d) scribble and see from nothing, then the brush of (a).

An interaction is a key, a click, or a stroke, which counts 1 + its length over the brush's
diameter. The robot does next what gains most pixels an interaction at the place with the most
wrong pixels; it pays nothing for looking, in no way. Brushes have 3, 5, 9, 15, 25 and 41 pixels and
are changed for nothing. A stroke is meant to follow the rim to the pixel and lands a little beside.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from scipy import ndimage

from napari_defectseg.core.classes import UNLABELLED, ClassMap
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.labels import boxes
from napari_defectseg.labels.construct import from_mask
from napari_defectseg.labels.edit import Box, Edit, Mask
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.erase import erase
from napari_defectseg.labels.tools.fill_holes import fill_holes
from napari_defectseg.labels.tools.level import level
from napari_defectseg.labels.tools.merge import merge
from napari_defectseg.labels.tools.paint import paint
from napari_defectseg.labels.tools.relabel import relabel
from napari_defectseg.labels.tools.smart_brush import smart_brush
from napari_defectseg.labels.tools.smooth import smooth
from napari_defectseg.labels.tools.split_watershed import split_watershed
from napari_defectseg.models.open import open_model
from napari_defectseg.phantoms.micrographs import micrograph, scene_settings
from napari_defectseg.training.scribble import ScribbleTeacher

BRUSHES = (3, 5, 9, 15, 25, 41)
PRESSES = 5
"""How often a level key is pressed in a row at most."""
SCRIBBLE, LONGEST, ROUNDS = 5, 40, 40
"""Width and length of a scribble, and how many there are at most."""
SMALLEST = 12
"""Pixels below which what scribbles show is no object."""
AIM = 1.0
"""What beginning anything costs the robot in thought: it prefers few large acts to many small."""
SHAKE = (0.7, 0.05)
"""Standard deviation of a stroke's place: pixels, and a share of the brush's diameter."""
PASSES, ACTS = 6, 8
"""How often it goes through the image, and what it does at one place at most."""
LEAST = 0.02
"""Micrographs with a smaller share of objects are passed over: there is nothing to correct."""
Step = Callable[[LabelMap], Edit | None]


@dataclass(frozen=True)
class Way:
    """Something the robot might do: its steps, and what they cost."""

    cost: float
    steps: tuple[Step, ...]


@dataclass
class Robot:
    """Corrects one label map against the truth."""

    labels: LabelMap
    truth: np.ndarray
    grey: np.ndarray
    scores: np.ndarray | None = None
    spent: float = 0.0
    seconds: float = 0.0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def dice(self) -> float:
        """Return 2 |A ∩ B| / (|A| + |B|) over the pixels of all classes."""
        return dice(self.labels.class_mask(), self.truth)

    def correct(self, target: float) -> float:
        """Go from place to place until the target is reached; return the Dice at the end."""
        for _ in range(PASSES):
            for box, part in self._places():
                for _ in range(ACTS):
                    if self.dice() >= target:
                        return self.dice()
                    if not self._improve(box, part):
                        break
        return self.dice()

    def _places(self) -> list[tuple[Box, Mask]]:
        """Return what hangs together in truth and labels, the most wrong first."""
        mask = self.labels.class_mask()
        parts, count = ndimage.label((mask > 0) | (self.truth > 0))
        wrong = np.bincount(parts[mask != self.truth], minlength=count + 1)
        found = ndimage.find_objects(parts)
        limit = boxes.whole(mask.shape)
        order = [n for n in np.argsort(-wrong) if n and wrong[n]]
        grown = [boxes.grown(found[n - 1], 4, limit) for n in order]
        return [(box, parts[box] == n) for n, box in zip(order, grown, strict=True)]

    def _improve(self, box: Box, part: Mask) -> bool:
        best, most = None, 0.0
        for way in self._ways(box, part):
            gain = self._gain(way, box) / (way.cost + AIM)
            if gain > most:
                best, most = way, gain
        if best is None:
            return False
        began = time.process_time()
        for step in best.steps:
            act = step.shaken(self.rng) if isinstance(step, Painting) else step
            edit = act(self.labels)
            if edit is not None:
                self.labels.apply(edit)
        self.seconds += time.process_time() - began
        self.spent += best.cost
        return True

    def _gain(self, way: Way, box: Box) -> float:
        """Return how many pixels more are right afterwards."""
        trial = self.labels.copy()
        before = np.count_nonzero(self.labels.class_mask() == self.truth)
        try:
            for step in way.steps:
                edit = step(trial)
                if edit is not None:
                    trial.apply(edit)
        except DefectSegError:
            return 0.0
        return float(np.count_nonzero(trial.class_mask() == self.truth) - before)

    def _ways(self, box: Box, part: Mask) -> Iterator[Way]:
        yield from self._brush(box, part)
        if self.scores is not None:
            yield from self._tools(box, part)

    def _brush(self, box: Box, part: Mask) -> Iterator[Way]:
        """Strokes of every width over the largest missing and the largest false piece."""
        here, wanted = self.labels.class_mask()[box], self.truth[box]
        for value in np.unique(wanted[part & (here != wanted)]).tolist():
            region = part & (here != wanted) & (wanted == value)
            # A stroke may run over what is right already, but not beyond the object.
            room = wanted == value
            for brush in BRUSHES:
                covered = _opened(room, brush) & _near(region, brush)
                pieces, count = ndimage.label(covered)
                if not count:
                    continue
                gains = np.bincount(pieces[region], minlength=count + 1)
                gains[0] = 0
                piece = pieces == int(gains.argmax())
                cost = 1 + _length(piece, brush) / brush
                yield Way(cost, (self._painting(box, piece, value, brush),))

    def _painting(self, box: Box, piece: Mask, value: int, brush: int) -> Painting:
        number = self._number(box, piece, value) if value else None
        return Painting(Stroke(box, piece), value, number, brush)

    def _number(self, box: Box, piece: Mask, value: int) -> int | None:
        """Return the object that a stroke touches and means."""
        touched = self.labels.planes[0][box][ndimage.binary_dilation(piece)]
        same = [n for n in touched[touched > 0] if self.labels.object_classes[int(n)] == value]
        return int(np.bincount(same).argmax()) if same else None

    def _tools(self, box: Box, part: Mask) -> Iterator[Way]:
        plane, wanted = self.labels.planes[0][box], self.truth[box]
        numbers = [int(n) for n in np.unique(plane[part]) if n]
        for number in numbers:
            yield Way(2, (lambda m, n=number: delete(m, n),))
            for value in np.unique(wanted[plane == number]).tolist():
                if value and value != self.labels.object_classes[number]:
                    yield Way(3, (lambda m, n=number, v=value: relabel(m, n, v),))
            yield Way(2, (lambda m, n=number: fill_holes(m, n),))
            yield Way(2, (lambda m, n=number: smooth(m, n),))
            yield Way(2, (lambda m, n=number: split_watershed(m, n),))
            for grow in (True, False):
                for presses in range(1, PRESSES + 1):
                    yield Way(1 + presses, (self._level(number, grow=grow),) * presses)
        for one, two in pairwise(numbers):
            yield Way(4, (lambda m, pair=(one, two): merge(m, pair),))
        yield from self._clicks(box, part)

    def _clicks(self, box: Box, part: Mask) -> Iterator[Way]:
        """A dot in the middle of what is missing, grown by level; or one dab of the edge brush."""
        here, wanted = self.labels.class_mask()[box], self.truth[box]
        missing = part & (here == 0) & (wanted > 0)
        if not missing.any():
            return
        depth = ndimage.distance_transform_edt(missing)
        middle = np.unravel_index(int(depth.argmax()), depth.shape)
        value = int(wanted[middle])
        place = tuple(int(m) + side.start for m, side in zip(middle, box, strict=True))
        dot = _disc(place, 3, self.labels.shape)
        number = self.labels.next_label
        painting = Painting(Stroke(*dot, place), value, None, 3)
        for presses in range(1, PRESSES + 1):
            growing = (self._level(number, grow=True, seed=place),) * presses
            yield Way(1 + presses, (painting, *growing))
        for brush in BRUSHES:
            around, disc = _disc(place, brush, self.labels.shape)
            stroke, grey = Stroke(around, disc, place), self.grey[around]
            yield Way(1, (lambda m, s=stroke, g=grey, v=value: smart_brush(m, s, g, v),))

    def _level(self, number: int, *, grow: bool, seed: tuple[int, ...] | None = None) -> Step:
        def step(labels: LabelMap) -> Edit | None:
            channel = labels.classes.values.index(labels.object_classes[number]) + 1
            scores = self.scores[channel]
            return level(labels, number, lambda box: scores[box], grow=grow, seed=seed)

        return step


def dice(mask: np.ndarray, truth: np.ndarray) -> float:
    """Return the Dice coefficient of all classes together."""
    both = np.count_nonzero((mask == truth) & (truth > 0))
    return 2 * both / max(1, np.count_nonzero(mask) + np.count_nonzero(truth))


def scribbled(image: CalibratedImage, truth: np.ndarray, classes: ClassMap, target: float) -> Robot:
    """Draw a scribble where most is wrong, look, draw the next; then go on with the brush."""
    teacher = ScribbleTeacher(image, classes)
    drawn = np.full(truth.shape, UNLABELLED, np.uint8)
    spent, seconds = 0.0, 0.0
    for value in np.unique(truth).tolist():
        spent += _scribble(drawn, truth == value, value)
    best: tuple[float, float, LabelMap | None] = (np.inf, spent, None)
    for turn in range(ROUNDS):
        began = time.process_time()
        teacher.learn({(): drawn})
        seen = teacher.see()
        if turn:  # the first look computes the features, once
            seconds += time.process_time() - began
        labels = from_mask(seen, classes, ("y", "x"), image.calibration, min_size=SMALLEST)
        mask = labels.class_mask()
        parts, _count = ndimage.label(mask != truth)
        wrong = np.bincount(parts.ravel())[1:]
        # A person stops when the brush is the shorter way from here.
        whole = spent + np.count_nonzero(wrong >= SMALLEST)
        if whole < best[0]:
            best = (whole, spent, labels)
        if dice(mask, truth) >= target or spent > best[0]:
            break
        worst = parts == int(wrong.argmax()) + 1
        value = int(np.bincount(truth[worst]).argmax())
        spent += _scribble(drawn, worst & (truth == value), value)
    assert best[2] is not None
    return Robot(best[2], truth, image.data, spent=best[1], seconds=seconds)


def _scribble(drawn: np.ndarray, region: Mask, value: int) -> float:
    """Draw through the thickest place of a region, along it; return the cost."""
    depth = ndimage.distance_transform_edt(region)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    runs = []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        ends = []
        for sign in (1, -1):
            n = 0
            while n < LONGEST // 2 and _in(
                region, y + sign * dy * (n + 1), x + sign * dx * (n + 1)
            ):
                n += 1
            ends.append(n)
        runs.append((sum(ends), (dy, dx), ends))
    length, (dy, dx), (ahead, behind) = max(runs)
    line = np.zeros_like(region)
    for n in range(-behind, ahead + 1):
        line[y + n * dy, x + n * dx] = True
    wide = ndimage.binary_dilation(line, iterations=SCRIBBLE // 2) & region
    drawn[wide] = value
    return 1 + length * float(np.hypot(dy, dx)) / SCRIBBLE


def _in(region: Mask, y: int, x: int) -> bool:
    return 0 <= y < region.shape[0] and 0 <= x < region.shape[1] and bool(region[y, x])


@dataclass(frozen=True)
class Painting:
    """A stroke of the brush (value 0: the eraser)."""

    stroke: Stroke
    value: int
    number: int | None
    brush: int

    def __call__(self, labels: LabelMap) -> Edit | None:
        """Return the edit of the stroke as it was meant."""
        if self.value == 0:
            return erase(labels, self.stroke)
        known = self.number if self.number in labels.object_classes else None
        return paint(labels, self.stroke, self.value, number=known)

    def shaken(self, rng: np.random.Generator) -> Painting:
        """Return the stroke as the hand draws it: a little beside."""
        by = np.rint(rng.normal(0, SHAKE[0] + SHAKE[1] * self.brush, 2)).astype(int)
        moved = np.zeros_like(self.stroke.mask)
        rows, columns = np.nonzero(self.stroke.mask)
        rows, columns = rows + by[0], columns + by[1]
        held = (rows >= 0) & (rows < moved.shape[0]) & (columns >= 0) & (columns < moved.shape[1])
        moved[rows[held], columns[held]] = True
        return replace(self, stroke=replace(self.stroke, mask=moved))


def _disc(place: tuple[int, ...], brush: int, shape: tuple[int, ...]) -> tuple[Box, Mask]:
    reach = brush // 2
    box = boxes.grown(tuple(slice(p, p + 1) for p in place), reach, boxes.whole(shape))
    y, x = np.ogrid[box]
    return box, (y - place[0]) ** 2 + (x - place[1]) ** 2 <= (brush / 2) ** 2


def _opened(region: Mask, brush: int) -> Mask:
    """Return what a round brush reaches without leaving the region."""
    wide = np.pad(region, 1, mode="edge")
    core = ndimage.distance_transform_edt(wide) >= brush / 2
    return (
        (ndimage.distance_transform_edt(~core) < brush / 2)[1:-1, 1:-1]
        if core.any()
        else core[1:-1, 1:-1]
    )


def _near(region: Mask, brush: int) -> Mask:
    return ndimage.distance_transform_edt(~region) < brush if region.any() else region


def _length(piece: Mask, brush: int) -> float:
    """Return how far the brush moves to cover a piece."""
    return max(0.0, (np.count_nonzero(piece) - np.pi * brush**2 / 4) / brush)


def _as_in(classes: ClassMap, theirs: ClassMap, truth: np.ndarray) -> np.ndarray:
    """Return the truth in the values of the model's classes; others are background."""
    lookup = np.zeros(256, np.uint8)
    for one in theirs:
        lookup[one.value] = next((c.value for c in classes if c.name == one.name), 0)
    return lookup[truth]


def play(scene: str, seed: int, side: int, target: float) -> dict[str, tuple[float, float, float]]:
    """Return interactions, seconds of computing and Dice of each way."""
    phantom = next(
        one
        for skip in range(100)
        for one in [micrograph(scene_settings(scene, seed), seed=seed + skip, shape=(side, side))]
        if np.mean((one.mask > 0) & (one.mask != UNLABELLED)) > LEAST
    )
    image, truth = phantom.image, phantom.mask
    found = predict(open_model("tem-defects"), image)
    start, scores = found.labels(), np.asarray(found.scores)
    classes = start.classes
    truth = _as_in(classes, phantom.classes, truth)
    empty = LabelMap.empty(truth.shape, classes, start.axes, start.calibration)
    robots = {
        "a": Robot(empty, truth, image.data),
        "b": Robot(start.copy(), truth, image.data),
        "c": Robot(start.copy(), truth, image.data, scores),
        "d": scribbled(image, truth, classes, target),
    }
    return {
        name: (robot.spent, robot.seconds, reached)
        for name, robot in robots.items()
        for reached in [robot.correct(target)]
    } | {"model": (0.0, 0.0, dice(start.class_mask(), truth))}


def main() -> None:
    """Print a row an image, and the ratios of the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--to", type=float, default=0.95)
    parser.add_argument("--scenes", nargs="+", default=["voids", "mixed"])
    given = parser.parse_args()
    total = dict.fromkeys("abcd", 0.0)
    print("scene seed  model | a | b | c | d (interactions, Dice where it stopped, s computing)")
    for n in range(given.images):
        scene, seed = given.scenes[n % len(given.scenes)], 9000 + 100 * n
        row = play(scene, seed, given.side, given.to)
        told = [f"{row[w][0]:.0f} ({row[w][2]:.3f}, {row[w][1]:.1f} s)" for w in "abcd"]
        print(f"{scene} {seed}  {row['model'][2]:.3f} | {' | '.join(told)}", flush=True)
        for way in total:
            total[way] += row[way][0]
    print(f"c / a {total['c'] / total['a']:.2f}   c / b {total['c'] / max(total['b'], 1e-9):.2f}")
    print(f"d / a {total['d'] / total['a']:.2f}")


if __name__ == "__main__":
    main()
