"""How often do 95 % intervals hold the truth?

Phantom fields with known intensity, sizes and fraction, put through `measure_regions` and
`summarise` as a user would: discs at random, and fields that differ in intensity (gamma with
variance over mean² of 1/4 or 1: counts are over-dispersed) and in mean size. Prints, for each
case, the share of seeded sets whose interval holds the truth; nothing may be below 93 %. Then
the largest defect in a larger volume, by block maxima and by peaks over a threshold, where 90 %
are wanted.

    python benchmarks/interval_coverage.py [SETS]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.measurement.populations import summarise
from napari_defectseg.measurement.region import Region
from napari_defectseg.measurement.statistics.exceedances import fit_exceedances
from napari_defectseg.measurement.statistics.gumbel import fit_gumbel, return_level
from napari_defectseg.measurement.table import Column, RegionTable

SETS = 2000
SIDE = 512
QUANTITIES = ("number_density", "fraction", "mean_equivalent_diameter")


@dataclass(frozen=True)
class Case:
    """A population of fields.

    Parameters
    ----------
    fields : int
    mean : float
        Objects in a field.
    shape : float
        Of the gamma distribution of the intensities of fields; inf: all alike.
    spread : float
        Relative standard deviation of the mean size of fields.
    """

    fields: int
    mean: float
    shape: float = np.inf
    spread: float = 0.0

    def __str__(self) -> str:
        kind = "at random" if np.isinf(self.shape) else f"gamma {self.shape:g}"
        return f"{self.fields:2d} fields, {self.mean:3g} objects, {kind}, sizes ±{self.spread:g}"


CASES = (
    Case(5, 5), Case(5, 20), Case(5, 100), Case(8, 20), Case(20, 20),
    Case(5, 20, 4), Case(8, 20, 4), Case(20, 20, 4), Case(5, 100, 4), Case(5, 20, 1),
    Case(8, 20, 20, 0.1), Case(5, 20, 4, 0.1),
)  # fmt: skip


def table_of(diameters: np.ndarray) -> RegionTable:
    """Return the table of discs of these diameters in one field."""
    area = np.pi / 4 * diameters**2
    columns = {
        "equivalent_diameter_area": Column(diameters, "nm"),
        "num_pixels": Column(area, "px"),
    }
    calibration = Calibration.of((1.0, 1.0), "nm", "made")
    region = Region(("y", "x"), (SIDE, SIDE), SIDE**2, SIDE**2)
    return RegionTable(columns, calibration, None, region)


def fields_of(case: Case, rng: np.random.Generator) -> tuple[RegionTable, ...]:
    """Return the tables of a set of fields; diameters are log-normal about 10 nm."""
    tables = []
    for _ in range(case.fields):
        factor = 1.0 if np.isinf(case.shape) else rng.gamma(case.shape, 1 / case.shape)
        middle = 10 * rng.normal(1, case.spread)
        count = rng.poisson(case.mean * factor)
        tables.append(table_of(middle * rng.lognormal(-0.045, 0.3, count)))
    return tuple(tables)


def truth_of(case: Case) -> dict[str, float]:
    """Return the expected values of the quantities."""
    square = 100 * (1 + case.spread**2) * np.exp(0.09)
    return {
        "number_density": case.mean / SIDE**2 * 1e6,
        "fraction": case.mean * np.pi / 4 * square / SIDE**2,
        "mean_equivalent_diameter": 10.0,
    }


def coverage(case: Case, sets: int, seed: int = 0) -> dict[str, float]:
    """Return the share of sets whose interval holds the truth, by quantity."""
    rng = np.random.default_rng(seed)
    truth, held = truth_of(case), dict.fromkeys(QUANTITIES, 0)
    for _ in range(sets):
        found = summarise(RegionTable.stack(fields_of(case, rng)), details=False)["object"]
        for name in QUANTITIES:
            low, high = found[name].low, found[name].high
            held[name] += low is not None and high is not None and low <= truth[name] <= high
    return {name: count / sets for name, count in held.items()}


def largest_by_blocks(sets: int, seed: int = 0) -> float:
    """Return how often the interval of the largest of 1000 blocks holds, from 30 blocks."""
    rng = np.random.default_rng(seed)
    truth, held = return_level(50, 8, 1000), 0
    for _ in range(sets):
        size = fit_gumbel(rng.gumbel(50, 8, 30)).largest(1000).size
        held += (size.low or 0) <= truth <= (size.high or 0)
    return held / sets


def largest_by_peaks(xi: float, sets: int, seed: int = 0) -> float:
    """Return how often the interval of the largest in 50 times the volume holds."""
    rng = np.random.default_rng(seed)
    truth = 20 + 10 * (np.log(6000) if xi == 0 else np.expm1(xi * np.log(6000)) / xi)
    held = 0
    for _ in range(sets):
        z = rng.exponential(size=rng.poisson(120))
        x = 20 + 10 * (z if xi == 0 else np.expm1(xi * z) / xi)
        size = fit_exceedances(x, 20, 1.0).largest(50).size
        held += (size.low or 0) <= truth <= (size.high or 0)
    return held / sets


def main() -> None:
    sets = int(sys.argv[1]) if len(sys.argv) > 1 else SETS
    print(f"{sets} sets a case; share of intervals that hold the truth, %")
    for case in CASES:
        found = coverage(case, sets)
        print(f"{case!s:55s}", *(f"{100 * found[name]:6.1f} {name}" for name in QUANTITIES))
    few = min(sets, 400)
    print(f"largest by block maxima, {few} sets: {100 * largest_by_blocks(few):.1f}")
    for xi in (-0.15, 0.0, 0.15):
        print(f"largest by peaks, shape {xi}, {few} sets: {100 * largest_by_peaks(xi, few):.1f}")


if __name__ == "__main__":
    main()
