"""Tomograms of a cylinder or box with pores and precipitates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.phantoms import optics
from napari_defectseg.phantoms.draw import between, how_many, log_between
from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.phantom import Phantom
from napari_defectseg.phantoms.solids import Solid, random_rotation
from napari_defectseg.phantoms.tomography import Beam, scan
from napari_defectseg.phantoms.truth import Truth

Array = np.ndarray[Any, Any]
Range = tuple[float, float]
PORE, PRECIPITATE = 1, 2
CLASSES = ClassMap.of(["pore", "precipitate"])
VOLUME = 96**3
"""Voxels of the volume that the settings' counts refer to."""


@dataclass(frozen=True)
class TomogramSettings:
    """What a tomogram shows. Pairs are ranges that each volume draws from.

    Parameters
    ----------
    voxel : (float, float)
        µm, log-uniform.
    anisotropy : float
        Distance of slices over pixel size in the slice.
    specimen : str
        ``"cylinder"``, ``"box"``, ``"full"`` (no air in the field) or ``"any"``.
    pores, precipitates : (int, int)
        How many in 96 x 96 x 96 voxels.
    pore_diameter, precipitate_diameter : (float, float)
        Voxels, log-uniform.
    roughness : (float, float)
        Of pores: 0 exact ellipsoids, 0.4 irregular.
    elongation : (float, float)
        Longest over shortest semi-axis.
    grains : (float, float)
        Contrast of matrix grains (aggregates), relative to the matrix.
    contrast : (float, float)
        Attenuation of precipitates over that of the matrix, minus 1.
    attenuation : (float, float)
        Matrix's attenuation over the specimen's whole width.
    photons : (float, float)
        Counts of the open beam, log-uniform.
    angles : (int, int)
        Projections; few of them leave streaks.
    rings : (float, float)
        Detector gain errors.
    correction, halo : (float, float)
        See `tomography.Beam`.
    blur : (float, float)
        Sigma, voxels, before projection.
    artefacts : str
        ``"sinogram"``: rings, streaks, hardening and noise arise in the projections.
        ``"image"``: blur, noise and cupping are put on the volume; ten times faster.
    bits : int
        8 or 16.
    """

    voxel: Range = (0.8, 12.0)
    anisotropy: float = 1.0
    specimen: str = "any"
    pores: tuple[int, int] = (15, 90)
    precipitates: tuple[int, int] = (0, 25)
    pore_diameter: Range = (2.5, 14)
    precipitate_diameter: Range = (3, 11)
    roughness: Range = (0.0, 0.4)
    elongation: Range = (1.0, 2.2)
    grains: Range = (0.0, 0.08)
    contrast: Range = (0.25, 1.2)
    attenuation: Range = (0.8, 2.2)
    photons: Range = (8e3, 2e5)
    angles: tuple[int, int] = (110, 180)
    rings: Range = (0.0, 0.006)
    correction: Range = (0.0, 0.08)
    halo: Range = (0.0, 0.6)
    blur: Range = (0.4, 0.9)
    artefacts: str = "sinogram"
    bits: int = 16

    def __post_init__(self) -> None:
        _one_of("specimen", self.specimen, ("any", "cylinder", "box", "full"))
        _one_of("artefacts", self.artefacts, ("sinogram", "image"))


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ImageError(f"{name} is {value!r}.", hint=f"Known: {', '.join(known)}.")


def tomogram(
    settings: TomogramSettings, *, seed: int = 0, shape: tuple[int, int, int] = (96, 96, 96)
) -> Phantom:
    """Return a synthetic tomogram with truth; `Phantom.space` is the specimen, pores included.

    Parameters
    ----------
    settings : TomogramSettings
        What it shows.
    seed : int
        The same seed gives the same bytes.
    shape : (int, int, int)
        z, y, x.
    """
    rng = np.random.default_rng(seed)
    voxel = log_between(settings.voxel, rng)
    spacing = (voxel * settings.anisotropy, voxel, voxel)
    grid = Grid(shape, spacing)
    distance = _specimen(grid, settings.specimen, rng)
    space = distance <= 0
    truth = Truth(grid, CLASSES, (PORE, PRECIPITATE), space)
    empty, dense = _populate(grid, truth, distance, settings, rng)
    solid = np.clip(0.5 - distance / voxel, 0, 1) * (1 - empty)
    matrix, heavy = solid * (1 - dense), solid * dense
    matrix = matrix * _grains(shape, between(settings.grains, rng), rng)
    volume = _imaged(matrix, heavy, settings, rng)
    mask, instances, objects = truth.resolve()
    return Phantom(
        CalibratedImage(
            volume,
            ("z", "y", "x"),
            Calibration.of(spacing, "µm", "phantom: exact"),
            f"tomogram-{seed}",
        ),
        mask,
        instances,
        objects,
        CLASSES,
        "tomogram",
        seed,
        space=space,
        facts=_facts(mask, space, grid),
    )


def _facts(mask: Array, space: Array, grid: Grid) -> Mapping[str, Any]:
    inside = int(space.sum())
    pores = int((mask == PORE).sum())
    return {
        "porosity": pores / inside if inside else float("nan"),
        "specimen_volume": inside * float(np.prod(grid.spacing)),
    }


def _specimen(grid: Grid, form: str, rng: np.random.Generator) -> Array:
    """Return the signed distance to the specimen's surface in the slice, negative inside, µm."""
    if form == "any":
        form = str(rng.choice(["cylinder", "cylinder", "box", "full"]))
    _, y, x = grid.points(tuple(slice(0, n) for n in grid.shape))
    half = [(n - 1) * s / 2 for n, s in zip(grid.shape[1:], grid.spacing[1:], strict=True)]
    size = max(min(half), grid.spacing[1])
    dy = y - half[0] - rng.uniform(-0.03, 0.03) * size
    dx = x - half[1] - rng.uniform(-0.03, 0.03) * size
    if form == "full":
        return np.full(grid.shape, -size)
    if form == "cylinder":
        flat = np.hypot(dy, dx) - size * rng.uniform(0.78, 0.95)
    else:
        turn = rng.uniform(0, np.pi / 2)
        u, v = dy * np.cos(turn) + dx * np.sin(turn), dx * np.cos(turn) - dy * np.sin(turn)
        a, b = size * rng.uniform(0.45, 0.68, 2)
        flat = np.maximum(abs(u) - a, abs(v) - b)
    return np.broadcast_to(flat, grid.shape).copy()


def _populate(
    grid: Grid, truth: Truth, distance: Array, settings: TomogramSettings, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Place precipitates, then pores; return the volume shares of both in each voxel."""
    share = float(np.prod(grid.shape)) / VOLUME
    shares = {PORE: np.zeros(grid.shape), PRECIPITATE: np.zeros(grid.shape)}
    for value, many, sizes in (
        (PRECIPITATE, settings.precipitates, settings.precipitate_diameter),
        (PORE, settings.pores, settings.pore_diameter),
    ):
        rough = between(settings.roughness, rng) if value == PORE else 0.05
        typical = log_between(sizes, rng)
        for _ in range(how_many(many, share, rng)):
            size = float(np.clip(typical * np.exp(0.5 * rng.standard_normal()), *sizes))
            solid = _solid(
                _place(grid, distance, rng), size * grid.spacing[1], rough, settings, rng
            )
            truth.add(solid, value)
            window = grid.clipped(grid.window(*solid.bounds()))
            if window is not None:
                part = np.clip(0.5 - solid.level(*grid.points(window)) / grid.spacing[1], 0, 1)
                shares[value][window] = np.maximum(shares[value][window], part)
    return shares[PORE], shares[PRECIPITATE]


def _place(grid: Grid, distance: Array, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return a random point of the specimen."""
    for _ in range(200):
        at = rng.uniform(-0.5, np.asarray(grid.shape) - 0.5)
        index = tuple(int(np.clip(round(v), 0, n - 1)) for v, n in zip(at, grid.shape, strict=True))
        if distance[index] < 0:
            break
    z, y, x = (float(v * s) for v, s in zip(at, grid.spacing, strict=True))
    return z, y, x


def _solid(
    origin: tuple[float, float, float],
    size: float,
    rough: float,
    settings: TomogramSettings,
    rng: np.random.Generator,
) -> Solid:
    aspect = between(settings.elongation, rng)
    radii = np.array([aspect, rng.uniform(1, aspect), 1.0])
    radii *= size / 2 / np.cbrt(radii.prod())
    waves = []
    amplitude = rough * rng.uniform(0.3, 1)
    if rough > 0.02:
        for _ in range(4):
            k = rng.standard_normal(3)
            kz, ky, kx = map(float, k * (rng.uniform(2, 5) / np.linalg.norm(k)))
            phase = float(rng.uniform(0, 2 * np.pi))
            waves.append((kz, ky, kx, float(amplitude / 4), phase))
    a, b, c = map(float, radii)
    return Solid(origin, (a, b, c), random_rotation(rng), tuple(waves))


def _grains(shape: tuple[int, int, int], contrast: float, rng: np.random.Generator) -> Array:
    """Return relative attenuation of a matrix with roundish grains in a binder."""
    if contrast < 0.005:
        return np.ones(shape)
    field = optics.random_field(shape, rng, float(rng.uniform(3, 7)))
    grains = 1 / (1 + np.exp(-(field - 0.3) / 0.15))
    fine = optics.random_field(shape, rng, 1.0)
    return np.asarray(1 + contrast * (grains - grains.mean() + 0.25 * fine))


def _imaged(
    matrix: Array, heavy: Array, settings: TomogramSettings, rng: np.random.Generator
) -> Array:
    """Return the grey volume."""
    width = min(matrix.shape[1:])
    mu = between(settings.attenuation, rng) / width
    ratio = 1 + between(settings.contrast, rng)
    blur = between(settings.blur, rng)
    matrix, heavy = optics.blurred(matrix, blur), optics.blurred(heavy, blur)
    beam = Beam(
        photons=log_between(settings.photons, rng),
        angles=int(rng.integers(*settings.angles, endpoint=True)),
        rings=between(settings.rings, rng),
        correction=between(settings.correction, rng),
        halo=between(settings.halo, rng),
    )
    if settings.artefacts == "sinogram":
        grey = scan([matrix, heavy], [mu, mu * ratio], beam, rng)
    else:
        grey = _imitated(matrix + ratio * heavy, mu, beam, rng)
    low, high = np.percentile(grey, [0.1, 99.9])
    margin = (high - low) * rng.uniform(0.02, 0.3, 2)
    return optics.grey_levels(grey, float(low - margin[0]), float(high + margin[1]), settings.bits)


def _imitated(volume: Array, mu: float, beam: Beam, rng: np.random.Generator) -> Array:
    """Return a volume with cupping, dark surroundings and noise, without projecting it."""
    wide = optics.blurred(volume, max(2.0, min(volume.shape[1:]) / 9))
    grey = volume - 0.6 * beam.halo * wide + 2 * beam.correction * volume * wide
    # Noise of a reconstruction: white noise of the projections after the ramp filter.
    noise = optics.blurred(np.asarray(rng.standard_normal(volume.shape)), 0.6)
    noise = noise / max(float(noise.std()), 1e-9)
    scale = np.sqrt(np.exp(1.2) / beam.photons / beam.angles) * 1.8
    return np.asarray(mu * grey + scale * noise)
