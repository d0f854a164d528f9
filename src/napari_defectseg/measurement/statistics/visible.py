"""What share of the defects of a family a reflection shows: the g·b rule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import MeasurementError

WEAK = 1 / 3
"""Edge loops with ``|g·b|`` up to that may show only weak contrast."""


@dataclass(frozen=True)
class Family:
    """Defects whose Burgers vectors differ by symmetry alone.

    Parameters
    ----------
    name : str
        For example ``"bcc 1/2<111>"``.
    vectors : ndarray of float, shape (n, 3)
        One Burgers vector a variant, cubic or (hcp) Cartesian with a = 1.
    hexagonal : bool
    """

    name: str
    vectors: NDArray[np.float64]
    hexagonal: bool = False


@dataclass(frozen=True)
class Visibility:
    """Variants of a family that a reflection shows.

    Parameters
    ----------
    seen, weak, variants : int
        Variants with g·b ≠ 0, those of them with abs(g·b) <= 1/3, and all.
    """

    seen: int
    weak: int
    variants: int

    @property
    def share(self) -> float:
        """Visible share of the family, all variants being equally frequent."""
        return self.seen / self.variants


def _variants(vector: Sequence[float]) -> NDArray[np.float64]:
    """Return the directions of a cubic family without their opposites."""
    found = {
        tuple(sign * value for sign, value in zip(signs, order, strict=True))
        for order in permutations(vector)
        for signs in product((1, -1), repeat=3)
    }
    kept = [v for v in sorted(found) if next(x for x in v if x) > 0]
    return np.array(kept, np.float64)


_A = np.array([[1.0, 0, 0], [-0.5, np.sqrt(0.75), 0], [-0.5, -np.sqrt(0.75), 0]])
FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("bcc 1/2<111>", _variants((1, 1, 1)) / 2),
        Family("bcc <100>", _variants((1, 0, 0))),
        Family("fcc 1/2<110>", _variants((1, 1, 0)) / 2),
        Family("fcc 1/3<111>", _variants((1, 1, 1)) / 3),
        Family("hcp <a>", _A, True),
    )
}
"""Families of loops and lines by name; fcc 1/3<111> are Frank loops."""


def visible(family: str, g: str) -> Visibility:
    """Return which variants of a family the reflection `g` shows.

    Parameters
    ----------
    family : str
        One of `FAMILIES`.
    g : str
        ``"110"``, ``"-1 1 0"``; four indices for hcp: ``"11-20"``.

    Raises
    ------
    MeasurementError
        If the family or the reflection is not known, or the lattice does not allow it.
    """
    if family not in FAMILIES:
        raise MeasurementError(
            f"There is no family {family!r}.", hint=f"Use one of {', '.join(FAMILIES)}."
        )
    item = FAMILIES[family]
    dots = np.abs(item.vectors @ _reciprocal(item, g))
    seen = dots > 1e-9
    weak = seen & (dots <= WEAK + 1e-9)
    return Visibility(int(seen.sum()), int(weak.sum()), int(dots.size))


def true_numbers(seen: Mapping[str, float], families: Sequence[str]) -> dict[str, float]:
    """Return the true number of each family from the numbers seen with several reflections.

    Least squares without negative numbers of ``seen(g) = Σ share(family, g) N(family)``.

    Parameters
    ----------
    seen : mapping of str to float
        Number (or density) of objects by reflection.
    families : sequence of str

    Raises
    ------
    MeasurementError
        If the reflections cannot tell the families apart.
    """
    from scipy.optimize import nnls

    shares = np.array([[visible(family, g).share for family in families] for g in seen])
    if np.linalg.matrix_rank(shares) < len(families):
        raise MeasurementError(
            f"{len(seen)} reflection(s) cannot tell {len(families)} families apart.",
            hint="Count with as many reflections as families, with different visible shares.",
        )
    numbers, _ = nnls(shares, np.array(list(seen.values()), np.float64))
    return dict(zip(families, map(float, numbers), strict=True))


def _reciprocal(family: Family, g: str) -> NDArray[np.float64]:
    indices = [int(part) for part in re.findall(r"[-−]?\d", g.replace("−", "-"))]
    wanted = 4 if family.hexagonal else 3
    if len(indices) != wanted or not any(indices):
        raise MeasurementError(
            f"{g!r} is no reflection of {family.name}.",
            hint="Write it like 110, or like 11-20 for a hexagonal lattice.",
        )
    if family.hexagonal:
        h, k, i, _ = indices
        if h + k + i:
            raise MeasurementError(f"In {g!r} the first three indices do not add up to 0.")
        return np.array([h, (h + 2 * k) / np.sqrt(3), 0.0])
    odd = [index % 2 for index in indices]
    lattice = family.name[:3]
    if (lattice == "bcc" and sum(odd) % 2) or (lattice == "fcc" and len(set(odd)) > 1):
        raise MeasurementError(f"A {lattice} lattice has no reflection {g}.")
    return np.array(indices, np.float64)
