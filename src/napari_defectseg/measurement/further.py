"""`FurtherSettings`: statistics beyond the summary, from tables and from pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.progress import Steps
from napari_defectseg.measurement.counting import counting_of
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.foil import Foil
from napari_defectseg.measurement.picture import ClassPicture
from napari_defectseg.measurement.statistics.correlation import Method, correlations
from napari_defectseg.measurement.statistics.exceedances import FEWEST, fit_exceedances
from napari_defectseg.measurement.statistics.fits import FAMILIES, fit_sizes
from napari_defectseg.measurement.statistics.goodness import LARGEST, goodness_steps
from napari_defectseg.measurement.statistics.gumbel import Extrapolated, fit_gumbel
from napari_defectseg.measurement.statistics.unfolding import unfold
from napari_defectseg.measurement.table import RegionTable

Real = NDArray[np.float64]
SIZE = "equivalent_diameter_area"
ROOT_AREA = "root_area"
"""√area of the projection, where it was measured (columns ``projection``)."""
HIGH = 0.9
"""Quantile of the sizes above which the tail is fitted."""
FEWEST_BLOCKS = 3


@dataclass(frozen=True)
class FurtherSettings:
    """Which statistics to add to a summary; nothing by default.

    Parameters
    ----------
    fit : tuple of {"lognormal", "weibull"}
        Distributions to fit to the sizes.
    detection_limit : float
        Diameter below which objects are not seen, in the unit of the table.
    unfold : {"", "saltykov", "em"}
        Ball diameters from plane sections.
    lines : tuple of str
        Classes that are lines.
    space : bool
        Neighbours, pair correlation, Ripley's K against the objects reshuffled.
    runs : int
        Of the null model.
    structure : bool
        Two-point correlation and chord lengths.
    zone : float
        Distance from the surface beyond which the density is the bulk's, for the width of the
        denuded zone; 0: none.
    largest_in : float
        Volume (area), in the unit of the table, whose largest object is estimated; 0: none.
    correlate : tuple of str
        Columns to correlate with one another.
    without : tuple of str
        Columns whose linear share is taken out of these first (partial correlation).
    method : {"pearson", "spearman"}
    """

    fit: tuple[str, ...] = ()
    detection_limit: float = 0.0
    unfold: Literal["", "saltykov", "em"] = ""
    lines: tuple[str, ...] = ()
    space: bool = False
    runs: int = 499
    structure: bool = False
    zone: float = 0.0
    largest_in: float = 0.0
    correlate: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    method: Method = "pearson"

    def __post_init__(self) -> None:
        strange = [name for name in self.fit if name not in FAMILIES]
        if strange:
            raise MeasurementError(
                f"There is no size distribution {strange[0]!r}.",
                hint=f"Use {', '.join(FAMILIES)}.",
            )
        if min(self.detection_limit, self.zone, self.largest_in) < 0:
            raise MeasurementError("Detection limit, zone and volume are not negative.")
        if len(self.correlate) == 1:
            raise MeasurementError("One column correlates with nothing: name at least two.")
        if self.without and not self.correlate:
            raise MeasurementError("Columns are taken out of others: name these, too.")

    @property
    def of_pictures(self) -> bool:
        """Whether any of them needs the picture, not only the table."""
        return bool(self.lines or self.space or self.structure or self.zone)

    @property
    def of_tables(self) -> bool:
        """Whether any of them needs the table."""
        return bool(self.fit or self.unfold or self.largest_in or self.correlate)


def table_statistics_steps(
    table: RegionTable, names: Sequence[str], settings: FurtherSettings, *, foil: bool = False
) -> Steps[dict[str, Any]]:
    """Compute the statistics that a table gives, as plain JSON values.

    Parameters
    ----------
    table : RegionTable
        Of one image, or several stacked: they are the blocks of block maxima.
    names : sequence of str
        Of the classes.
    settings : FurtherSettings
    foil : bool
        Whether the picture is a projection through a foil.

    Raises
    ------
    MeasurementError
        If one of them means nothing for these data.
    """
    found: dict[str, Any] = {}
    if settings.unfold:
        _check_sections(table, foil)
    classes = {}
    for name in names:
        values: dict[str, Any] = {}
        if settings.fit:
            values["distributions"] = yield from _fits(table, name, settings)
        if settings.unfold:
            values["unfolded"] = _said(lambda name=name: _unfolded(table, name, settings))
        if settings.largest_in:
            values["largest"] = _largest(table, name, settings.largest_in)
        if values:
            classes[name] = values
    if classes:
        found["classes"] = classes
    if settings.correlate:
        columns = {name: table[name] for name in (*settings.correlate, *settings.without)}
        for name, column in columns.items():
            if column.dtype.kind not in "fiub":
                raise MeasurementError(f"The column {name!r} holds no numbers.")
        pairs = correlations(columns, method=settings.method, controls=settings.without)
        found["correlation"] = {
            "method": settings.method,
            "without": list(settings.without),
            "adjusted_by": "Benjamini & Hochberg",
            "pairs": [pair.as_dict() for pair in pairs],
        }
    return found


def picture_statistics_steps(
    pictures: Sequence[ClassPicture], settings: FurtherSettings, foil: Foil | None = None
) -> Steps[dict[str, Any]]:
    """Compute the statistics that the pictures of the classes give, as plain JSON values.

    Parameters
    ----------
    pictures : sequence of ClassPicture
    settings : FurtherSettings
    foil : Foil or None
        That the pictures look through.

    Raises
    ------
    MeasurementError
        If a class of lines is not there.
    """
    known = {picture.name for picture in pictures}
    strange = [name for name in settings.lines if name not in known]
    if strange:
        raise MeasurementError(
            f"There is no class {strange[0]!r} of lines.", hint=f"There are {', '.join(known)}."
        )
    found: dict[str, Any] = {}
    for picture in pictures:
        values: dict[str, Any] = {}
        if picture.name in settings.lines:
            values["lines"] = picture.lines(foil)
        if settings.space:
            values["space"] = yield from picture.space_steps(settings.runs)
        if settings.structure:
            values["structure"] = _said(picture.structure)
        if settings.zone:
            values["denuded_zone"] = _said(lambda one=picture: one.zone(settings.zone))
        found[picture.name] = values
    return found


def _fits(table: RegionTable, name: str, settings: FurtherSettings) -> Steps[dict[str, Any]]:
    sizes, weights, unit = _sizes(table, name)
    plain: dict[str, Any] = {}
    for family in settings.fit:
        try:
            fit = fit_sizes(
                sizes, family, limit=settings.detection_limit, weights=weights, unit=unit
            )
        except MeasurementError as error:
            plain[family] = {"reason": str(error)}
            continue
        p = None
        if fit.count <= LARGEST and np.ptp(weights) == 0:
            p = yield from goodness_steps(sizes, fit)
        plain[family] = {
            "parameters": {key: value.as_dict() for key, value in fit.parameters.items()},
            "detection_limit": {"value": fit.limit, "unit": unit},
            "sizes": fit.count,
            "log_likelihood": fit.log_likelihood,
            "aic": fit.aic,
            "largest_difference": fit.largest_difference,
            "goodness_p": p,
        }
    return plain


def _unfolded(table: RegionTable, name: str, settings: FurtherSettings) -> dict[str, Any]:
    assert table.region is not None
    assert settings.unfold
    sizes, _, unit = _sizes(table, name)
    area = table.region.size(table.calibration)
    found = unfold(sizes, area, method=settings.unfold)
    return {
        "method": settings.unfold,
        "edges": found.edges.tolist(),
        "density": found.density.tolist(),
        "low": found.low.tolist(),
        "high": found.high.tolist(),
        "unit": f"{unit}⁻³",
        "sections": found.count,
        "warnings": list(found.warnings),
    }


def _largest(table: RegionTable, name: str, volume: float) -> dict[str, Any]:
    """Return the largest object in a volume by both methods; a reason where one cannot."""
    return {
        "block_maxima": _said(lambda: _by_blocks(table, name, volume)),
        "peaks_over_threshold": _said(lambda: _by_peaks(table, name, volume)),
    }


def _by_blocks(table: RegionTable, name: str, volume: float) -> dict[str, Any]:
    region = table.region
    assert region is not None
    rows = np.flatnonzero(table.rows_of(name))
    if len(region.fields) < FEWEST_BLOCKS or table.fields is None:
        raise MeasurementError("Block maxima need several images of one volume, each a block.")
    size = _danger(table)
    sizes, fields, cut = table[size][rows], table.fields[rows], _cut(table, rows)
    maxima, censored = [], []
    for field in range(len(region.fields)):
        own = fields == field
        if own.any():
            at = int(np.argmax(sizes[own]))
            maxima.append(float(sizes[own][at]))
            censored.append(bool(cut[own][at]))
    fit = fit_gumbel(maxima, censored, table.column(size).unit)
    blocks = volume / (region.size(table.calibration) / len(region.fields))
    return _extrapolated(fit.largest(blocks)) | {
        "of": size,
        "blocks": len(maxima),
        "location": fit.location.as_dict(),
        "scale": fit.scale.as_dict(),
        "gumbel_p": fit.shape_p,
    }


def _by_peaks(table: RegionTable, name: str, volume: float) -> dict[str, Any]:
    assert table.region is not None
    rows = np.flatnonzero(table.rows_of(name))
    size = _danger(table)
    sizes, cut = table[size][rows], _cut(table, rows)
    if sizes.size <= 2 * FEWEST:
        raise MeasurementError(f"{sizes.size} objects are too few for the tail of their sizes.")
    share = min(HIGH, 1 - 2 * FEWEST / sizes.size)
    threshold = float(np.quantile(sizes, max(share, 0.0)))
    unit = table.column(size).unit
    fit = fit_exceedances(sizes, threshold, table.region.size(table.calibration), cut, unit)
    return _extrapolated(fit.largest(volume)) | {
        "of": size,
        "threshold": {"value": threshold, "unit": unit},
        "objects_above": int(fit.excess.size),
        "cut_by_the_frame": int(np.count_nonzero(fit.cut)),
        "scale": fit.scale.as_dict(),
        "shape": fit.shape.as_dict(),
    }


def _danger(table: RegionTable) -> str:
    """Return the column that extremes are taken of: √area where it was measured."""
    return ROOT_AREA if ROOT_AREA in table else SIZE


def _extrapolated(found: Extrapolated) -> dict[str, Any]:
    return {
        "size": found.size.as_dict(),
        "volume_over_inspected": found.factor,
        "warnings": list(found.warnings),
    }


def _cut(table: RegionTable, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    if "touches_border" not in table:
        return np.zeros(rows.size, bool)
    return np.asarray(table["touches_border"][rows], bool)


def _sizes(table: RegionTable, name: str) -> tuple[Real, Real, str]:
    rows = table.rows_of(name)
    assert table.region is not None
    count = counting_of(table, table.region, rows, name if table.classes is not None else "")
    used = count.sizes > 0
    return table[SIZE][rows][used], count.sizes[used], table.column(SIZE).unit


def _check_sections(table: RegionTable, foil: bool) -> None:
    if table.calibration.ndim != 2:
        raise MeasurementError("A volume shows whole objects: there is nothing to unfold.")
    if foil:
        unfold(np.zeros(0), 1.0, seen="foil")


def _said(compute: Any) -> dict[str, Any]:
    """Return what `compute` returns, or why it cannot."""
    try:
        found = compute()
    except MeasurementError as error:
        return {"reason": str(error)}
    return dict(found.as_dict()) if isinstance(found, Estimate) else dict(found)
