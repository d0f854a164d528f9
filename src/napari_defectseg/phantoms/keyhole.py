"""The outline of a keyhole under a moving laser."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from napari_defectseg.phantoms.shapes import half_turn

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Keyhole:
    """A depression that hangs from a horizontal surface.

    At the share s of its depth its middle lies behind the laser by depth · (lean s + hook s³)
    + rear · half_width · mouth e^(-s/0.08), and its half-width is half_width
    · (1 + mouth e^(-s/0.08) - taper s + bulb e^(-((s-0.82)/0.14)²)) · √(1 - s⁶), so that it
    closes at the bottom.

    Parameters
    ----------
    top : (float, float)
        y, x of the laser spot on the undisturbed surface.
    depth : float
        From the surface to the deepest point.
    half_width : float
        Half the width of its shaft.
    ahead : int
        +1 if the laser moves to larger x, else -1.
    lean, hook : float
        How far the bottom trails behind.
    mouth, taper, bulb : float
        Wider opening, narrowing, swelling near the bottom.
    rear : float
        Share of the opening's widening that lies behind: 0 as much in front, 1 all behind.
    """

    top: tuple[float, float]
    depth: float
    half_width: float
    ahead: int = 1
    lean: float = 0.2
    hook: float = 0.1
    mouth: float = 0.5
    taper: float = 0.3
    bulb: float = 0.2
    rear: float = 0.0

    def middle(self, s: Array) -> Array:
        """Return x of its middle at shares of its depth."""
        behind = self.depth * (self.lean * s + self.hook * s**3)
        behind = behind + self.rear * self.half_width * self.mouth * np.exp(-s / 0.08)
        return np.asarray(self.top[1] - self.ahead * behind)

    def half(self, s: Array) -> Array:
        """Return its half-width at shares of its depth."""
        relative = (
            1
            + self.mouth * np.exp(-s / 0.08)
            - self.taper * s
            + self.bulb * np.exp(-(((s - 0.82) / 0.14) ** 2))
        )
        return np.asarray(self.half_width * relative * np.sqrt(np.clip(1 - s**6, 0, None)))

    @property
    def measure(self) -> float:
        """Its area."""
        return self._moments[0]

    @property
    def centre(self) -> tuple[float, float]:
        """Its centroid."""
        return self._moments[1]

    @property
    def axes(self) -> tuple[float, ...]:
        """Axes of the ellipse with the same second moments."""
        values = np.linalg.eigvalsh(self._moments[2])
        return float(4 * np.sqrt(values[1])), float(4 * np.sqrt(values[0]))

    @property
    def orientation(self) -> float:
        """Direction of that ellipse's longer axis."""
        vector = np.linalg.eigh(self._moments[2])[1][:, 1]
        return half_turn(float(np.arctan2(vector[1], vector[0])))

    @property
    def width_at_surface(self) -> float:
        """Width of its opening."""
        return float(2 * self.half(np.array(0.0)))

    @property
    def width_at_half_depth(self) -> float:
        """Width half-way down."""
        return float(2 * self.half(np.array(0.5)))

    @property
    def front_wall_angle(self) -> float:
        """Angle between the surface and the leading wall's line from 10 to 90 % of depth, degrees.

        90 is vertical; smaller values lean back.
        """
        s = np.linspace(0.1, 0.9, 81)
        front = self.middle(s) + self.ahead * self.half(s)
        slope = np.polyfit(s * self.depth, front * self.ahead, 1)[0]
        return float(90 + np.degrees(np.arctan(slope)))

    def bounds(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the corners of the bounding box."""
        s = np.linspace(0, 1, 400)
        middle, half = self.middle(s), self.half(s)
        margin = 0.01 * float(half.max())
        low = self.top[0], float((middle - half).min()) - margin
        return low, (self.top[0] + self.depth, float((middle + half).max()) + margin)

    def level(self, *points: Array) -> Array:
        """Return the signed distance of points y, x along their row, to first order."""
        y, x = points
        s = (y - self.top[0]) / self.depth
        inside = np.clip(s, 0, 1)
        sideways = np.abs(x - self.middle(inside)) - self.half(inside)
        return np.asarray(np.maximum(sideways, np.maximum(-s, s - 1) * self.depth))

    def chord(self, y: Array, x: Array) -> Array:
        """Return the length of the beam's path through it: circles in horizontal cut.

        Above the surface it goes on as wide as its opening, through whatever melt stands there.
        """
        s = (y - self.top[0]) / self.depth
        within = s <= 1
        s = np.clip(s, 0, 1)
        half = self.half(s)
        return np.asarray(2 * np.sqrt(np.maximum(half**2 - (x - self.middle(s)) ** 2, 0)) * within)

    @cached_property
    def _moments(self) -> tuple[float, tuple[float, float], Array]:
        """Area, centroid and covariance, by the midpoint rule over 4000 strips."""
        s = (np.arange(4000) + 0.5) / 4000
        y = self.top[0] + s * self.depth
        x, half = self.middle(s), self.half(s)
        strip = 2 * half * self.depth / 4000
        area = strip.sum()
        cy, cx = (strip * y).sum() / area, (strip * x).sum() / area
        yy = (strip * (y - cy) ** 2).sum() / area
        xy = (strip * (y - cy) * (x - cx)).sum() / area
        xx = (strip * ((x - cx) ** 2 + half**2 / 3)).sum() / area
        return float(area), (float(cy), float(cx)), np.array([[yy, xy], [xy, xx]])
