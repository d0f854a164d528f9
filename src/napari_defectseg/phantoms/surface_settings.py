"""`SurfaceSettings`: what synthetic photographs of steel surfaces show."""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]
Count = tuple[int, int]


@dataclass(frozen=True)
class SurfaceSettings:
    """What a steel surface shows. Pairs are ranges that each picture draws from.

    Parameters
    ----------
    pixel_size : (float, float)
        µm, log-uniform. Sizes below are in px: at one seed they stay the same in px.
    inclusions, patches, scratches : (int, int)
        How many on 512 x 512 pixels.
    inclusion_length, patch_diameter, scratch_length : (float, float)
        px, log-uniform.
    scratch_width : (float, float)
        px.
    bend : (float, float)
        Radians that a scratch turns along its whole length, to either side.
    pitted : float
        Chance that the patches of a picture are pitted instead of stained.
    turned : float
        Chance of a turned part: its lines are arcs, under bands of glare.
    texture : (float, float)
        Contrast of the lines of rolling or grinding.
    lighting : (float, float)
        Unevenness of the light.
    noise : (float, float)
        Standard deviation of the camera's noise, share of the full range.
    colour : bool
        RGB, with axes (y, x, c), instead of grey.
    """

    pixel_size: Range = (4.0, 40.0)
    inclusions: Count = (2, 10)
    patches: Count = (1, 4)
    scratches: Count = (1, 6)
    inclusion_length: Range = (8, 60)
    patch_diameter: Range = (24, 110)
    scratch_length: Range = (60, 420)
    scratch_width: Range = (1.5, 5)
    bend: Range = (0.0, 1.2)
    pitted: float = 0.5
    turned: float = 0.35
    texture: Range = (0.03, 0.1)
    lighting: Range = (0.1, 0.45)
    noise: Range = (0.004, 0.014)
    colour: bool = False
