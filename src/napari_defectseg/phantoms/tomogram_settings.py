"""`TomogramSettings`: what synthetic tomograms show."""

from __future__ import annotations

from dataclasses import dataclass

from napari_defectseg.core.errors import ImageError

Range = tuple[float, float]


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
    fibres : (int, int)
        Bright thin fibres in 96 x 96 x 96 voxels, in `fibrous` of the volumes; no defects.
    fibrous : float
        Share of volumes that hold fibres.
    phase : (float, float)
        Phase contrast: strength of the bright and dark fringes at edges.
    ends : (float, float)
        Share of the grey level that the first and last slices lose, at the edge of a cone
        beam; none where a negative number is drawn.
    visibility : float
        Pores and precipitates of less contrast to noise and grains are left out of the
        volume, as no one could label them; 0 keeps all.
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
        ``"image"``: blur, noise and cupping are put on the volume; faster.
    bits : int
        8 or 16.
    """

    voxel: Range = (0.8, 12.0)
    anisotropy: float = 1.0
    specimen: str = "any"
    pores: tuple[int, int] = (20, 160)
    precipitates: tuple[int, int] = (0, 25)
    pore_diameter: Range = (1.8, 14)
    precipitate_diameter: Range = (3, 11)
    roughness: Range = (0.0, 0.4)
    elongation: Range = (1.0, 2.2)
    grains: Range = (0.0, 0.08)
    fibres: tuple[int, int] = (10, 50)
    fibrous: float = 0.3
    phase: Range = (0.0, 0.5)
    ends: Range = (-0.6, 0.6)
    visibility: float = 3.0
    contrast: Range = (0.25, 1.2)
    attenuation: Range = (0.8, 2.2)
    photons: Range = (8e3, 1e6)
    angles: tuple[int, int] = (110, 180)
    rings: Range = (0.0, 0.006)
    correction: Range = (0.0, 0.08)
    halo: Range = (0.0, 0.5)
    blur: Range = (0.4, 0.9)
    artefacts: str = "sinogram"
    bits: int = 16

    def __post_init__(self) -> None:
        _one_of("specimen", self.specimen, ("any", "cylinder", "box", "full"))
        _one_of("artefacts", self.artefacts, ("sinogram", "image"))


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ImageError(f"{name} is {value!r}.", hint=f"Known: {', '.join(known)}.")
