"""How right are the measurements of objects? Writes docs/reference/accuracy.md.

    python benchmarks/accuracy.py [--quick] [SECTION]

Solids whose measures are known are placed between pixels and turned at random, 200 times a case.
A pixel belongs to a solid if its centre does; blurred ones are antialiased, blurred with a
Gaussian and cut at half height. Each row gives the mean error (bias) and the standard deviation of
single objects (scatter) in per cent of the truth. With the title of a section, only that one is
made anew. Ends with status 1 where a limit is missed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import accuracy_more
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.measurement.table import RegionTable

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "accuracy.md"
PLACEMENTS = 200
Real = NDArray[np.float64]
Inside = Callable[[Real], Real]
"""Signed depth of points below the surface of a solid, in pixels."""


@dataclass(frozen=True)
class Row:
    """One line of the page: errors of one quantity in one case, with the limits that hold."""

    case: str
    quantity: str
    bias: float
    scatter: float
    limit: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool:
        below = self.limit is None or abs(self.bias) <= self.limit
        return below and (self.most is None or self.scatter <= self.most)

    def line(self, unit: str = "%") -> str:
        wanted = [] if self.limit is None else [f"bias ≤ {self.limit:g} {unit}"]
        wanted += [] if self.most is None else [f"scatter ≤ {self.most:g} {unit}"]
        told = f"{', '.join(wanted)}{'' if self.met else ' **missed**'}"
        return (
            f"| {self.case} | `{self.quantity}` | {self.bias:+.2f} | {self.scatter:.2f} | {told} |"
        )


@dataclass(frozen=True)
class Case:
    """Solids of one kind, measured."""

    name: str
    table: RegionTable

    def row(
        self,
        quantity: str,
        truth: Real | float,
        limit: float | None = None,
        most: float | None = None,
    ) -> Row:
        ratio = 100 * (self.table[quantity] / truth - 1)
        ratio = ratio[np.isfinite(ratio)]
        return Row(self.name, quantity, ratio.mean(), ratio.std(ddof=1), limit, most)


def turned(ndim: int, rng: np.random.Generator) -> Real:
    if ndim == 3:
        return Rotation.random(random_state=rng).as_matrix()
    angle = rng.uniform(0, np.pi)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def scenes(
    inside: Inside,
    reach: float,
    ndim: int,
    rng: np.random.Generator,
    *,
    sigma: float = 0.0,
    turn: bool = True,
    grey: bool = False,
) -> tuple[NDArray[np.int32], Real | None, list[Real]]:
    """Return labels, one solid a frame, grey values where asked for, and the turns."""
    side = 2 * int(np.ceil(reach + 3 * sigma)) + 7
    grid = np.stack(np.meshgrid(*[np.arange(side)] * ndim, indexing="ij"), axis=-1)
    labels = np.zeros((PLACEMENTS, *[side] * ndim), np.int32)
    image = np.zeros(labels.shape) if grey else None
    turns = []
    for number in range(PLACEMENTS):
        turns.append(turned(ndim, rng) if turn else np.eye(ndim))
        at = grid - ((side - 1) / 2 + rng.uniform(-0.5, 0.5, ndim))
        depth = inside(at @ turns[-1])
        solid = depth >= 0
        if sigma or grey:
            shade = (
                gaussian_filter(np.clip(depth + 0.5, 0, 1), sigma)
                if sigma
                else np.clip(depth + 0.5, 0, 1)
            )
            solid = shade >= 0.5
            if image is not None:
                image[number] = shade
        labels[number][solid] = number + 1
    return labels, image, turns


def case(
    name: str, inside: Inside, reach: float, ndim: int, groups: Sequence[str], **options: object
) -> Case:
    """Place solids and measure them."""
    rng = np.random.default_rng(0)
    labels, image, _ = scenes(inside, reach, ndim, rng, **options)  # type: ignore[arg-type]
    sigma = float(options.get("sigma", 0.0))  # type: ignore[arg-type]
    settings = MeasureSettings(columns=tuple(groups), blur=sigma)
    table = measure_regions(
        labels, image=image, spacing=(1.0,) * ndim, unit="nm", settings=settings
    )
    return Case(name, table)


def ball(radius: float) -> Inside:
    return lambda at: radius - np.linalg.norm(at, axis=-1)


def ellipsoid(*axes: float) -> Inside:
    """Depth is right in sign alone, which is what masks ask for."""
    return lambda at: 1 - np.linalg.norm(at / np.array(axes), axis=-1)


def block(*edges: float) -> Inside:
    return lambda at: (np.array(edges) / 2 - np.abs(at)).min(axis=-1)


def cylinder(radius: float, length: float) -> Inside:
    return lambda at: np.minimum(
        radius - np.linalg.norm(at[..., 1:], axis=-1), length / 2 - np.abs(at[..., 0])
    )


def torus(ring: float, tube: float) -> Inside:
    return lambda at: tube - np.hypot(np.linalg.norm(at[..., 1:], axis=-1) - ring, at[..., 0])


def surface_of(axes: Sequence[float]) -> float:
    """Surface of an ellipsoid by quadrature of |cross product| over the sphere."""
    a, b, c = axes
    theta = (np.arange(2000) + 0.5) * np.pi / 2000
    phi = (np.arange(400) + 0.5) * 2 * np.pi / 400
    sine, cosine = np.sin(theta)[:, None], np.cos(theta)[:, None]
    part = (b * c * sine * np.cos(phi)) ** 2 + (a * c * sine * np.sin(phi)) ** 2
    density = np.sqrt(part + (a * b * cosine) ** 2) * sine
    return float(density.sum() * np.pi / 2000 * 2 * np.pi / 400)


def balls() -> list[Row]:
    """Balls: size and all that is said of form."""
    rows = []
    limits = {2: (4.9, 1.5), 3: (1.9, 1.5), 5: (1.5, 1.5), 10: (1.5, 1.5)}
    for radius, (surface, width) in limits.items():
        found = case(
            f"ball r = {radius}", ball(radius), radius, 3,
            ("surface", "extent", "thickness", "projection", "scikit"), turn=False,
        )  # fmt: skip
        fine = radius >= 5
        volume = 4 / 3 * np.pi * radius**3
        rows += [
            found.row("area", volume, 0.3 if fine else None, 1.0 if fine else None),
            found.row("equivalent_diameter_area", 2 * radius, 0.3 if fine else None),
            found.row("surface_area", 4 * np.pi * radius**2, surface if fine else surface + 0.6),
            found.row("sphericity", 1.0),
            found.row("mean_width", 2 * radius, width if fine else None),
            found.row("feret_max", 2 * radius, 1.5 if fine else None),
            found.row("feret_min", 2 * radius),
            found.row("enclosing_diameter", 2 * radius, 1.5 if fine else None),
            found.row("thickness_max", 2 * radius),
            found.row("projected_area-0", np.pi * radius**2, 1.5 if fine else None),
            found.row("root_area-0", np.sqrt(np.pi) * radius, 1.5 if fine else None),
        ]
        if radius == 5:
            rows.append(found.row("feret_diameter_max", 2 * radius))
    return rows


def discs() -> list[Row]:
    """Discs: the same in the plane."""
    rows = []
    for radius in (2, 3, 5, 10, 20):
        found = case(
            f"disc r = {radius}", ball(radius), radius, 2,
            ("surface", "extent", "thickness", "scikit"), turn=False,
        )  # fmt: skip
        fine = radius >= 5
        rows += [
            found.row("area", np.pi * radius**2, 0.3 if fine else None, 2.0 if fine else None),
            found.row("perimeter_crofton", 2 * np.pi * radius, 0.35 if fine else None),
            found.row("circularity", 1.0),
            found.row("axis_major_length", 2 * radius, 1.5 if fine else None),
            found.row("axis_minor_length", 2 * radius, 1.7 if fine else None),
            found.row("feret_max", 2 * radius, 3.5 if fine else None),
            found.row("feret_min", 2 * radius),
            found.row("enclosing_diameter", 2 * radius, 2.0 if fine else None),
            found.row("perimeter", 2 * np.pi * radius),
        ]
        if radius == 5:
            rows.append(found.row("feret_diameter_max", 2 * radius))
    return rows


def turned_bodies() -> list[Row]:
    """Ellipsoids, cylinders, cubes, a torus, turned at random; aligned ones as they are."""
    rows = []
    for axes in ((5, 5, 10), (10, 10, 5), (15, 10, 5)):
        found = case(
            f"ellipsoid {axes[0]}, {axes[1]}, {axes[2]}", ellipsoid(*axes), max(axes), 3,
            ("shape", "surface", "extent"),
        )  # fmt: skip
        major, middle, minor = sorted(axes, reverse=True)
        rows += [
            found.row("area", 4 / 3 * np.pi * np.prod(axes), 0.3, 1.0),
            found.row("surface_area", surface_of(axes), 1.5),
            found.row("axis_major_length", 2 * major, 0.7),
            found.row("axis_middle_length", 2 * middle, 0.7),
            found.row("axis_minor_length", 2 * minor, 0.7),
            found.row("feret_max", 2 * major, 3.0),
            found.row("feret_min", 2 * minor),
        ]
    found = case("torus R = 14, r = 5", torus(14, 5), 19, 3, ("surface",))
    rows += [
        found.row("area", 6908.7231, 0.3, 1.0),
        found.row("surface_area", 2763.4892, 1.5),
        found.row("mean_curvature", 276.3489, 2.0),
    ]
    found = case("cylinder r = 8, h = 16, turned", cylinder(8, 16), 12, 3, ("surface",))
    rows += [found.row("surface_area", 6 * np.pi * 64), found.row("sphericity", 0.873580)]
    found = case("cube a = 20, turned", block(20, 20, 20), 18, 3, ("surface",))
    rows += [found.row("surface_area", 2400.0), found.row("sphericity", 0.805996)]
    found = case("cube a = 20, aligned", block(20, 20, 20), 11, 3, ("surface",), turn=False)
    rows += [found.row("surface_area", 2400.0)]
    found = case("sheet t = 5, turned", cylinder(16, 5), 17, 3, ("thickness", "extent"))
    rows += [found.row("thickness_mean", 5.0), found.row("thickness_max", 5.0)]
    found = case("sheet t = 5, aligned", cylinder(16, 5), 17, 3, ("thickness",), turn=False)
    rows += [found.row("thickness_mean", 5.0)]
    return rows


def blurred() -> list[Row]:
    """What blur takes away, and what is left after correction."""
    rows = []
    for sigma, radius in ((2.0, 4.0), (2.0, 6.0), (2.0, 8.0), (2.0, 10.0), (1.0, 10.0)):
        for name, ndim in (("ball", 3), ("disc", 2)):
            found = case(
                f"{name} r = {radius:g}, σ = {sigma:g}", ball(radius), radius, ndim,
                ("shape", "surface"), sigma=sigma, turn=False,
            )  # fmt: skip
            sure = radius >= 4 * sigma
            size = 4 / 3 * np.pi * radius**3 if ndim == 3 else np.pi * radius**2
            rows += [
                found.row("area", size),
                found.row("equivalent_diameter_area", 2 * radius),
                found.row("diameter_deblurred", 2 * radius, 2.0 if sure else None),
            ]
    rows.append(porosity())
    return rows


def porosity() -> Row:
    """Volume of balls with radii from 4 to 7 σ after correction of each diameter."""
    rng, sigma = np.random.default_rng(1), 1.5
    errors = []
    for _ in range(max(PLACEMENTS // 20, 3)):
        radii = sigma * rng.uniform(4, 7, 20)
        side = 2 * int(np.ceil(radii.max() + 3 * sigma)) + 5
        grid = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), axis=-1)
        labels = np.zeros((len(radii), *[side] * 3), np.int32)
        for frame, radius in zip(labels, radii, strict=True):
            depth = radius - np.linalg.norm(grid - (side / 2 + rng.uniform(-1, 0, 3)), axis=-1)
            frame[gaussian_filter(np.clip(depth + 0.5, 0, 1), sigma) >= 0.5] = 1
        settings = MeasureSettings(columns=("shape",), blur=sigma)
        table = measure_regions(labels, spacing=(1.0,) * 3, unit="nm", settings=settings)
        errors.append(100 * ((table["diameter_deblurred"] ** 3).sum() / (8 * (radii**3).sum()) - 1))
    return Row("porosity of balls of 4 to 7 σ", "diameter_deblurred", float(np.mean(errors)),
               float(np.std(errors, ddof=1)), 10.0)  # fmt: skip


def grey_values() -> list[Row]:
    """Surface from grey values, sharp and blurred, next to marching cubes of the mask."""
    from skimage.measure import marching_cubes, mesh_surface_area

    rows = []
    for radius, sigma in ((3, 0.0), (5, 0.0), (5, 1.0), (10, 0.0), (10, 1.0)):
        title = f"r = {radius}" + (f", σ = {sigma:g}" if sigma else "")
        found = case(f"ball {title}", ball(radius), radius, 3, ("grey", "surface"), sigma=sigma,
                     turn=False, grey=True)  # fmt: skip
        surface = 4 * np.pi * radius**2
        limit = 1.6 if radius >= 5 and not sigma else None
        rows += [
            found.row("surface_area_grey", surface, limit),
            found.row("surface_area", surface),
        ]
        found = case(f"disc {title}", ball(radius), radius, 2, ("grey",), sigma=sigma,
                     turn=False, grey=True)  # fmt: skip
        rows.append(found.row("perimeter_grey", 2 * np.pi * radius))
    labels, _, _ = scenes(ball(5), 5, 3, np.random.default_rng(0), turn=False)
    meshed = [
        100 * (mesh_surface_area(*marching_cubes(frame > 0, 0.5)[:2]) / (100 * np.pi) - 1)
        for frame in labels[:40]
    ]
    rows.append(Row("ball r = 5", "marching cubes of the mask (not used)", float(np.mean(meshed)),
                    float(np.std(meshed, ddof=1))))  # fmt: skip
    return rows


def directions() -> list[Row]:
    """Root mean square error of the direction in degrees, as scatter."""
    rows = []
    limits = {1.1: None, 1.2: 4.2, 1.5: 1.8, 2.0: 1.0, 3.0: 0.4}
    for ratio, most in limits.items():
        for ndim in (2, 3):
            rng = np.random.default_rng(2)
            axes = (5 * ratio, 5.0, 5.0)[:ndim]
            labels, _, turns = scenes(ellipsoid(*axes), max(axes), ndim, rng)
            wrong = wrong_angles(labels, turns)
            name = f"{'ellipse' if ndim == 2 else 'ellipsoid'} a/b = {ratio:g}, b = 5"
            rows.append(
                Row(name, "orientation" if ndim == 2 else "direction", float(wrong.mean()),
                    float(np.sqrt((wrong**2).mean())), None, most)
            )  # fmt: skip
    return rows


def wrong_angles(labels: NDArray[np.int32], turns: Sequence[Real]) -> Real:
    """Return angles between measured and true direction in degrees; signed in the plane."""
    ndim = labels.ndim - 1
    table = measure_regions(
        labels, spacing=(1.0,) * ndim, unit="nm", settings=MeasureSettings(columns=("shape",))
    )
    true = np.array([turn[:, 0] for turn in turns])
    if ndim == 2:
        apart = table["orientation"] - np.arctan2(true[:, 1], true[:, 0])
        # Rounder ones than this have no direction, and other columns give none.
        clear = table["aspect"] >= 1.1
        return np.rad2deg((apart + np.pi / 2) % np.pi - np.pi / 2)[clear]
    found = np.stack([table[f"direction-{k}"] for k in range(3)], axis=1)
    angle = np.rad2deg(np.arccos(np.minimum(np.abs((found * true).sum(axis=1)), 1)))
    return angle[np.isfinite(angle)]


def more(errors: Callable[[int], Iterable[accuracy_more.Errors]]) -> list[Row]:
    """Return the rows of a section of `accuracy_more`."""
    return [
        Row(one.case, one.quantity, float(one.values.mean()), float(one.values.std(ddof=1)),
            one.limit, one.most)
        for one in errors(PLACEMENTS)
    ]  # fmt: skip


HEAD = f"""# Accuracy of measurements

Made by `benchmarks/accuracy.py`; do not edit. Solids whose measures are known stand at random
places between pixels and, unless said otherwise, at random angles, {PLACEMENTS} times a case. A
pixel belongs to a solid if its centre does. Blurred ones are antialiased, blurred with a Gaussian
of σ and cut at half height. All lengths are in pixels. *Bias* is the mean error, *scatter* the
standard deviation of single objects, both in per cent of the truth; the last column names the
limits that are held.
"""


@dataclass(frozen=True)
class Section:
    """One table of the page."""

    title: str
    note: str
    rows: Callable[[], list[Row]]
    unit: str = "%"


SECTIONS = (
    Section(
        "Balls",
        "Surface by Crofton's formula. `feret_diameter_max` is scikit-image's, between outer "
        "faces of pixels; `feret_max` is between pixel centres.",
        balls,
    ),
    Section(
        "Discs",
        "`perimeter` is scikit-image's and does not converge; `perimeter_crofton` does.",
        discs,
    ),
    Section(
        "Other bodies",
        "No local estimate of surface is right for every body: flat faces along the pixels come "
        "out too small, and so do sharp edges. They are shown as they are.",
        turned_bodies,
    ),
    Section(
        "Blur",
        "A blur σ moves curved edges inwards. `diameter_deblurred` undoes it from a radius of "
        "about 3 σ; below 1.54 σ (discs: 1.18 σ) nothing passes the threshold.",
        blurred,
    ),
    Section(
        "Grey values",
        "From antialiased grey values the surface is as right as from the mask, with less "
        "scatter; where they are blurred it is that of the blurred body.",
        grey_values,
    ),
    Section(
        "Directions",
        "Bias and root mean square error in degrees of objects that come out with an aspect of "
        "at least 1.1; in space the angle has no sign, so its mean is no bias.",
        directions,
        "°",
    ),
    Section(
        "Lines",
        "Length of the smoothed path of each branch to its tips; steps along the skeleton would be "
        "5 to 8 % too long.",
        lambda: more(accuracy_more.lines),
    ),
    Section(
        "Sizes near the border",
        "Large objects are cut more often than small ones. Mean diameter of all fields together "
        "(bias), and the standard deviation from field to field (scatter).",
        lambda: more(accuracy_more.borders),
    ),
    Section(
        "Keyholes",
        "Frames of phantom movies with their exact masks, against the truth of the phantom; the "
        "surface is found in the grey values.",
        lambda: more(accuracy_more.keyholes),
    ),
)


def written(section: Section) -> tuple[str, list[Row]]:
    """Return a section as it stands on the page, and its rows that miss their limit."""
    rows, unit = section.rows(), section.unit
    scatter = "rms" if unit == "°" else "scatter"
    lines = [
        f"## {section.title}\n",
        f"{section.note}\n",
        f"| case | quantity | bias [{unit}] | {scatter} [{unit}] | limit |",
        "| --- | --- | --- | --- | --- |",
        *(row.line(unit) for row in rows),
        "",
    ]
    return "\n".join(lines), [row for row in rows if not row.met]


def kept() -> dict[str, str]:
    """Return the sections of the page as it is, by title."""
    _, *parts = PAGE.read_text(encoding="utf-8").split("\n## ")
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}


def main() -> int:
    global PLACEMENTS
    quick = "--quick" in sys.argv
    if quick:
        PLACEMENTS = 12
    chosen = [word for word in sys.argv[1:] if not word.startswith("--")]
    before = kept() if chosen else {}
    parts, missed = [HEAD], []
    for section in SECTIONS:
        if chosen and section.title not in chosen:
            parts.append(before[section.title])
            continue
        text, missing = written(section)
        print(text, flush=True)
        parts.append(text)
        missed += missing
    if not quick:
        PAGE.write_text("\n".join(parts), encoding="utf-8")
    for row in missed:
        print(f"missed: {row.line()}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
