"""`MovieSettings`: what synthetic X-ray movies show."""

from __future__ import annotations

from dataclasses import dataclass

from napari_defectseg.core.errors import ImageError

Range = tuple[float, float]
Count = tuple[int, int]
ABOVE = ("any", "dark", "bright")


@dataclass(frozen=True)
class MovieSettings:
    """What a movie shows. Pairs are ranges that each movie draws from.

    Parameters
    ----------
    pixel_size : (float, float)
        µm, log-uniform. Sizes given in µm stay the same whatever the pixel size.
    frame_time : float
        µs.
    exposure : (float, float)
        µs, log-uniform; the keyhole moves that long in each frame. The truth is its middle.
    speed : (float, float)
        Of the laser, m/s (µm/µs).
    before : (int, int)
        Frames before the laser is switched on.
    surface : (float, float)
        Height of the metal's undisturbed surface as a share of the picture's height, from above.
    depth : (float, float)
        Mean depth of the keyhole, as a share of the metal's height in the picture.
    slenderness : (float, float)
        Depth over width.
    unrest : (float, float)
        Relative standard deviation of the depth over time.
    bump : (float, float)
        Height of the melt that rises behind the keyhole, as a share of its depth.
    pore_rate : float
        Pores left behind, per frame.
    pore_diameter : (float, float)
        µm, log-uniform.
    old_pores, wall_pores : (int, int)
        Pores that are there from the start: of a plate, of a wall built up before.
    visibility : float
        Pores whose signal over shot noise, summed over their pixels, is less are left out; 5 is
        Rose's criterion (1948), 0 keeps all.
    thickness : (float, float)
        Of the metal along the beam, µm.
    attenuation : (float, float)
        1/mm.
    photons : (float, float)
        Counts a pixel where there is no metal, log-uniform.
    fringes : (float, float)
        Phase contrast: propagation distance times refractive decrement over the pixel size.
    texture : (float, float)
        Contrast of the metal's two faces: worm-like marks, grinding lines, specks; all at rest.
    rounding : (float, float)
        Pixels below a wall's surface over which it reaches its full thickness.
    above : str
        ``"dark"`` (a plate; a holder shades what is above it), ``"bright"`` (a wall in the open
        beam) or ``"any"``.
    """

    pixel_size: Range = (1.5, 3.0)
    frame_time: float = 20.0
    exposure: Range = (0.5, 6.0)
    speed: Range = (0.3, 1.0)
    before: Count = (0, 3)
    surface: Range = (0.15, 0.3)
    depth: Range = (0.35, 0.75)
    slenderness: Range = (1.6, 3.4)
    unrest: Range = (0.03, 0.12)
    bump: Range = (0.04, 0.14)
    pore_rate: float = 0.25
    pore_diameter: Range = (12, 40)
    old_pores: Count = (0, 4)
    wall_pores: Count = (15, 60)
    visibility: float = 5.0
    thickness: Range = (300, 600)
    attenuation: Range = (1.5, 3.0)
    photons: Range = (8e3, 4e4)
    fringes: Range = (0.02, 0.07)
    texture: Range = (0.03, 0.1)
    rounding: Range = (6, 24)
    above: str = "any"

    def __post_init__(self) -> None:
        if self.above not in ABOVE:
            raise ImageError(f"above is {self.above!r}.", hint=f"Known: {', '.join(ABOVE)}.")
