"""`ScribbleTeacher`: a few strokes teach a small model, and what it sees is shown at once.

The features of a place are computed once (`architectures.filter_bank`); after that a stroke more
costs a fit of a few thousand pixels and one pass over what is in sight.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as functional

from napari_defectseg.core.classes import UNLABELLED, ClassMap
from napari_defectseg.core.errors import TrainingError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.models.architectures.filter_bank import (
    FilterBank,
    FilterBankSettings,
    parameters_of,
)
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.preprocess import Normalise, fit_chain

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.models.card import ModelCard

Array = np.ndarray[Any, Any]
Place = tuple[int, ...]
Box = tuple[slice, ...]
BLOCK = 256
"""Features are computed and kept in blocks of so many pixels along an edge."""
MOST = 3000
"""Pixels a class that are learnt from; more are drawn at random."""
ROUNDS, RATE, DECAY = 60, 0.05, 1e-2
CHUNK = 1 << 14
"""Pixels that are classified at once: their features stay in the processor's cache."""
MEMORY = 1 << 29
"""Bytes of features that are kept."""


class ScribbleTeacher:
    """Learns the classes of one image from strokes, plane by plane.

    Parameters
    ----------
    image : CalibratedImage
        Read plane by plane.
    classes : ClassMap
        Exclusive ones; the background is a class of its own beside them.
    name : str
        Of the model.

    Raises
    ------
    TrainingError
        If classes may overlap.
    """

    def __init__(self, image: CalibratedImage, classes: ClassMap, name: str = "strokes") -> None:
        if not classes.exclusive:
            raise TrainingError(
                "Strokes teach classes that exclude each other; these may overlap.",
                hint="Make labels with exclusive classes, or train a network on a dataset.",
            )
        self.image = image
        self.card = _card(image, classes, name)
        self._network = _fresh(self.card)
        self._planes: OrderedDict[Place, Array] = OrderedDict()
        self._blocks: OrderedDict[tuple[Place, Place], torch.Tensor] = OrderedDict()
        self._learnt = 0

    @property
    def plane_shape(self) -> tuple[int, ...]:
        """Shape of a plane."""
        return self.image.label_shape[-2:]

    def learn(self, strokes: Mapping[Place, Array]) -> int:
        """Learn from all strokes anew; the same strokes teach the same model.

        Parameters
        ----------
        strokes : mapping of tuple of int to ndarray of uint8, shape (y, x)
            By the place of their plane along the axes before y and x: class values, 0 for the
            background, 255 where there is no stroke.

        Returns
        -------
        int
            Number of pixels under strokes.

        Raises
        ------
        TrainingError
            If fewer than two classes (the background is one) have strokes.
        """
        features, targets = self._samples(strokes)
        known = set(targets.tolist())
        if len(known) < 2:
            raise TrainingError(
                "Strokes of one class alone teach nothing.",
                hint="Draw a stroke of each class, and one of the background.",
            )
        self._network = _fresh(self.card)
        _fit(self._network, features, targets)
        self._learnt = len(targets)
        return self._learnt

    def see(self, place: Place = (), box: Box | None = None) -> Array:
        """Return what the model sees in a part of a plane; see `see_steps`."""
        return drive(self.see_steps(place, box))

    def see_steps(self, place: Place = (), box: Box | None = None) -> Steps[Array]:
        """Do what `see` does, as steps.

        Parameters
        ----------
        place : tuple of int
            Of the plane, along the axes before y and x.
        box : tuple of two slices or None
            None: the whole plane.

        Returns
        -------
        ndarray of uint8
            Class values in the shape of the box, 0 for the background.
        """
        whole = tuple(slice(0, n) for n in self.plane_shape)
        around = whole if box is None else box
        seen = np.zeros([side.stop - side.start for side in around], np.uint8)
        corners = list(self._corners(around))
        values = np.array([0, *self.card.classes.values], np.uint8)
        for done, corner in enumerate(corners):
            yield Step(done, len(corners), "looking")
            block, features = self._block(place, corner), self._features(place, corner)
            best = _best(self._network, features).reshape([s.stop - s.start for s in block])
            common = [
                slice(max(a.start, b.start), min(a.stop, b.stop))
                for a, b in zip(around, block, strict=True)
            ]
            inner = tuple(_minus(c, b) for c, b in zip(common, block, strict=True))
            outer = tuple(_minus(c, a) for c, a in zip(common, around, strict=True))
            seen[outer] = values[best[inner]]
        return seen

    def model(self) -> TorchModel:
        """Return what was learnt as a model: it predicts, is saved and opened like any other.

        Raises
        ------
        TrainingError
            If nothing was learnt yet.
        """
        if not self._learnt:
            raise TrainingError("Nothing was learnt yet.", hint="Draw some strokes first.")
        told = {"strokes_px": self._learnt, "image": self.image.name}
        return TorchModel.from_network(
            self.card.model_copy(update={"training": told}), self._network
        )

    # -- features ------------------------------------------------------------------------

    def _samples(self, strokes: Mapping[Place, Array]) -> tuple[torch.Tensor, torch.Tensor]:
        places = {value: n for n, value in enumerate((0, *self.card.classes.values))}
        drawn_values = {int(v) for drawn in strokes.values() for v in np.unique(drawn)}
        if strange := sorted(drawn_values - places.keys() - {UNLABELLED}):
            raise TrainingError(
                f"Strokes have the class value {strange[0]}, which no class has.",
                hint=f"Classes: {', '.join(self.card.classes.names)}; 0 is the background.",
            )
        found: list[tuple[torch.Tensor, torch.Tensor]] = []
        for place, drawn in sorted(strokes.items()):
            if drawn.shape != self.plane_shape:
                raise TrainingError(
                    f"Strokes of shape {drawn.shape} do not fit planes of {self.plane_shape}."
                )
            whole = tuple(slice(0, n) for n in drawn.shape)
            for corner in self._corners(whole):
                here = drawn[self._block(place, corner)].ravel()
                under = np.flatnonzero(here != UNLABELLED)
                if under.size:
                    target = [places[value] for value in here[under].tolist()]
                    features = self._features(place, corner)[:, torch.from_numpy(under)]
                    found.append((features.T, torch.tensor(target)))
        if not found:
            return torch.zeros(0, 1), torch.zeros(0, dtype=torch.long)
        return torch.cat([x for x, _ in found]), torch.cat([y for _, y in found])

    def _corners(self, box: Box) -> Iterator[Place]:
        for y in range(box[0].start // BLOCK, -(-box[0].stop // BLOCK)):
            for x in range(box[1].start // BLOCK, -(-box[1].stop // BLOCK)):
                yield y * BLOCK, x * BLOCK

    def _block(self, place: Place, corner: Place) -> Box:
        return tuple(
            slice(start, min(start + BLOCK, length))
            for start, length in zip(corner, self.plane_shape, strict=True)
        )

    def _features(self, place: Place, corner: Place) -> torch.Tensor:
        """Return the features of a block, shape (features, pixels)."""
        key = (place, corner)
        if key not in self._blocks:
            self._blocks[key] = self._computed(place, corner)
            held = sum(one.numel() * 4 for one in self._blocks.values())
            while held > MEMORY and len(self._blocks) > 1:
                held -= self._blocks.popitem(last=False)[1].numel() * 4
        self._blocks.move_to_end(key)
        return self._blocks[key]

    def _computed(self, place: Place, corner: Place) -> torch.Tensor:
        block, halo = self._block(place, corner), self._network.settings.halo
        wide = tuple(
            slice(max(0, side.start - halo), min(length, side.stop + halo))
            for side, length in zip(block, self.plane_shape, strict=True)
        )
        pixels = torch.from_numpy(np.ascontiguousarray(self._plane(place)[:, wide[0], wide[1]]))
        inner = tuple(_minus(a, b) for a, b in zip(block, wide, strict=True))
        with torch.inference_mode():
            found = self._network.features(pixels[None])[0][:, inner[0], inner[1]]
        return found.reshape(found.shape[0], -1).clone()

    def _plane(self, place: Place) -> Array:
        """Return a plane as the network takes it, shape (channel, y, x)."""
        if place not in self._planes:
            axes = self.image.label_axes[:-2]
            at = {axis: slice(n, n + 1) for axis, n in zip(axes, place, strict=True)}
            pixels = self.image.read(**at)
            if "c" in self.image.axes:
                pixels = np.moveaxis(pixels, self.image.axes.index("c"), 0)
            pixels = pixels.reshape(-1, *self.plane_shape)
            fitted = fit_chain(self.card.preprocessing, pixels)
            self._planes[place] = np.asarray(fitted.apply(pixels), np.float32)
            while len(self._planes) > 4:
                self._planes.popitem(last=False)
        return self._planes[place]


def teach(
    image: CalibratedImage,
    strokes: Mapping[Place, Array],
    classes: ClassMap,
    name: str = "strokes",
) -> TorchModel:
    """Return the model that strokes on one image teach; see `ScribbleTeacher.learn`.

    Raises
    ------
    TrainingError
        If classes may overlap, or fewer than two have strokes.
    """
    teacher = ScribbleTeacher(image, classes, name)
    teacher.learn(strokes)
    return teacher.model()


def _card(image: CalibratedImage, classes: ClassMap, name: str) -> ModelCard:
    sizes = [float(n) for n in image.calibration.spacing[-2:] if n]
    known = {"pixel_size": (min(sizes), max(sizes)), "pixel_unit": image.calibration.unit}
    return design(
        name,
        "filter_bank",
        {"dims": 2, "in_channels": image.channels},
        classes=classes,
        task="exclusive",
        preprocessing=(Normalise(method="zscore", scope="slice"),),
        description="Learnt from strokes on one image.",
        **(known if len(sizes) == 2 else {}),
    )


def _fresh(card: ModelCard) -> FilterBank:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return FilterBank(FilterBankSettings(**card.architecture_settings)).eval()


def _fit(network: FilterBank, features: torch.Tensor, targets: torch.Tensor) -> None:
    """Fit the head; classes weigh alike, however long their strokes are."""
    chosen = _drawn(targets)
    x, y = features[chosen], targets[chosen]
    with torch.inference_mode(False), torch.enable_grad():
        network.mean.copy_(x.mean(0))
        network.scale.copy_(x.std(0).clamp_min(1e-3))
        x = ((x - network.mean) / network.scale).clone()
        counts = torch.bincount(y, minlength=network.settings.out_channels).clamp_min(1)
        weights = len(y) / counts.float()
        optimiser = torch.optim.Adam(network.parameters(), lr=RATE, weight_decay=DECAY)
        for _ in range(ROUNDS):
            hidden = torch.relu(functional.linear(x, *parameters_of(network.hidden)))
            logits = functional.linear(hidden, *parameters_of(network.head))
            loss = functional.cross_entropy(logits, y, weights)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    network.requires_grad_(False)
    # What no stroke has named is never seen.
    unseen = torch.bincount(y, minlength=network.settings.out_channels) == 0
    weight, bias = parameters_of(network.head)
    bias[unseen] = -1e4
    weight[unseen] = 0


def _drawn(targets: torch.Tensor) -> torch.Tensor:
    """Return which pixels are learnt from: all, or of a class that has many a part."""
    rng = np.random.default_rng(0)
    parts = []
    for value in torch.unique(targets).tolist():
        under = np.flatnonzero(targets.numpy() == value)
        parts.append(rng.choice(under, MOST, replace=False) if under.size > MOST else under)
    return torch.from_numpy(np.concatenate(parts))


def _best(network: FilterBank, features: torch.Tensor) -> Array:
    """Return the best channel of each pixel.

    Parameters
    ----------
    network : FilterBank
    features : Tensor, shape (features, n)

    Returns
    -------
    ndarray of uint8, shape (n,)
    """
    weight, bias = network.folded()
    last, offset = parameters_of(network.head)
    found = torch.zeros(features.shape[1], dtype=torch.uint8)
    with torch.inference_mode():
        for start in range(0, features.shape[1], CHUNK):
            part = slice(start, start + CHUNK)
            hidden = torch.addmm(bias[:, None], weight, features[:, part]).relu_()
            logits = torch.addmm(offset[:, None], last, hidden)
            best, here = logits[0].clone(), found[part]
            for channel in range(1, len(logits)):
                here[logits[channel] > best] = channel
                best = torch.maximum(best, logits[channel])
    return found.numpy()


def _minus(side: slice, base: slice) -> slice:
    return slice(side.start - base.start, side.stop - base.start)
