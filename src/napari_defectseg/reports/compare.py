"""`compare_steps`: several conditions on one page, specimens as units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from napari_defectseg.core.atomic import refuse_existing
from napari_defectseg.core.errors import MeasurementError, RecipeError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.core.provenance import now
from napari_defectseg.measurement.statistics.correlation import false_discovery
from napari_defectseg.measurement.statistics.nested import Difference, difference
from napari_defectseg.reports import comparing, sheets
from napari_defectseg.reports.agreeing import agreement_sheet
from napari_defectseg.reports.gather import gather_steps
from napari_defectseg.reports.groups import Group, group_of
from napari_defectseg.reports.methods import methods
from napari_defectseg.reports.report import Report
from napari_defectseg.reports.sheet import Sheet
from napari_defectseg.results.recipe import ReportSettings

QUANTITIES = (
    "number_density",
    "fraction",
    "mean_equivalent_diameter",
    "median_equivalent_diameter",
    "number_density_foil_corrected",
    "swelling",
)
"""What is compared, where it is there."""
FEW = 3
"""Specimens of a group below which a test says next to nothing."""


@dataclass(frozen=True)
class Compared:
    """What came of a comparison.

    Parameters
    ----------
    written : tuple of Path
    differences : mapping of (str, str) to tuple of Difference
        By class and quantity.
    agreement : tuple of Sheet
        One a pair of groups that hold masks of the same images.
    warnings : tuple of str
    """

    written: tuple[Path, ...]
    differences: Mapping[tuple[str, str], tuple[Difference, ...]]
    agreement: tuple[Sheet, ...]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values; what is undefined is None."""
        return {
            "written": [str(path) for path in self.written],
            "differences": [
                {"class": name, "quantity": quantity, **_plain(one)}
                for (name, quantity), found in self.differences.items()
                for one in found
            ],
            "agreement": [
                {"title": sheet.title, "rows": [dict(zip(sheet.headings, row, strict=True))
                                                for row in sheet.rows]}
                for sheet in self.agreement
            ],
            "warnings": list(self.warnings),
        }  # fmt: skip


def compare_steps(
    groups: Mapping[str, Sequence[str | Path]],
    out: str | Path,
    *,
    pdf: str | Path | None = None,
    settings: ReportSettings | None = None,
    overwrite: bool = False,
) -> Steps[Compared]:
    """Compare the results of several conditions and write one page.

    Each specimen counts once, with all its fields; tests are Welch's, effect sizes Hedges' g,
    and p is adjusted for everything asked together. Groups that hold masks of the same images
    (two people) get a table of their agreement.

    Parameters
    ----------
    groups : mapping of str to sequence of path
        Name of a condition to its result folders, or what ``defectseg measure`` left.
    out : path
        The HTML file.
    pdf : path, optional
    settings : ReportSettings, optional
    overwrite : bool

    Raises
    ------
    FileMissing, RecipeError
        If there are fewer than two groups, or a result cannot be read.
    MeasurementError
        If the results have no common numbers.
    AlreadyExists, NotSaved
        If a file exists and `overwrite` is false, or cannot be written.
    """
    from napari_defectseg.reports.html import write_html
    from napari_defectseg.reports.pdf import write_pdf

    if len(groups) < 2:
        raise RecipeError(
            "One condition has nothing to be compared with.",
            hint="Name two: defectseg compare before=result-A after=result-B --out page.html",
        )
    for path in (out, pdf):
        if path is not None:
            refuse_existing(Path(path), overwrite)
    read = []
    for name, sources in groups.items():
        read.append(group_of(name, (yield from gather_steps(list(sources)))))
    _check_units(read)
    yield Step(0, 0, "comparing masks of the same images")
    agreement = yield from agreement_sheet(groups)
    yield Step(0, 0, "comparing")
    differences = differences_of(read)
    report = compose_comparison(read, differences, agreement, settings or ReportSettings())
    yield Step(0, 0, "writing the page")
    written = [write_html(report, out, overwrite=overwrite)]
    if pdf is not None:
        written.append(write_pdf(report, pdf, overwrite=overwrite))
    return Compared(tuple(written), differences, agreement, report.warnings)


def differences_of(
    groups: Sequence[Group],
) -> dict[tuple[str, str], tuple[Difference, ...]]:
    """Return the differences of all pairs of groups, by class and quantity, p adjusted."""
    found: dict[tuple[str, str], tuple[Difference, ...]] = {}
    for name in _classes(groups):
        for quantity in QUANTITIES:
            values = [(group.name, group.values(name, quantity)) for group in groups]
            pairs = [
                difference(a, b, (one, other))
                for (one, a), (other, b) in combinations(values, 2)
                if a and b
            ]
            if pairs:
                found[name, quantity] = tuple(pairs)
    asked = [one.p for pairs in found.values() for one in pairs if math.isfinite(one.p)]
    adjusted = iter(false_discovery(asked).tolist())
    return {
        key: tuple(
            replace(one, adjusted=next(adjusted)) if math.isfinite(one.p) else one for one in pairs
        )
        for key, pairs in found.items()
    }


def compose_comparison(
    groups: Sequence[Group],
    differences: Mapping[tuple[str, str], Sequence[Difference]],
    agreement: Sequence[Sheet],
    settings: ReportSettings,
) -> Report:
    """Return what the page of a comparison says."""
    results = [one for group in groups for one in group.results]
    names = _classes(groups)
    numbers = [
        comparing.specimens_sheet(groups, names, QUANTITIES),
        comparing.differences_sheet(groups, differences),
        *agreement,
    ]
    drawn = [comparing.curves(groups, name) for name in names]
    drawn += [comparing.dots(groups, name, QUANTITIES) for name in names]
    return Report(
        title=settings.title or f"Comparison: {', '.join(group.name for group in groups)}",
        author=settings.author,
        created=now(),
        methods=f"{methods(results)} {_how(groups)}",
        warnings=_warnings(groups),
        numbers=tuple(numbers),
        pictures=(),
        plots=tuple(plot for plot in drawn if plot is not None),
        provenance=(sheets.left_out_sheet(results), sheets.provenance_sheet(results)),
    )


def _how(groups: Sequence[Group]) -> str:
    listed = ", ".join(f"{group.name}: {len(group.specimens)}" for group in groups)
    return (
        f"Specimens are the units of the comparison ({listed}); all fields of a specimen give one "
        "number. Differences have Welch's 95 % interval and p, p adjusted for all comparisons of "
        "this page (Benjamini & Hochberg); the effect size is Hedges' g."
    )


def _warnings(groups: Sequence[Group]) -> tuple[str, ...]:
    notes = []
    for group in groups:
        if not group.named:
            notes.append(
                f"{group.name}: nobody says which image is of which specimen, so every image "
                "counts as one. Images of the same specimen make differences look surer than "
                "they are."
            )
        if len(group.specimens) < FEW:
            count = len(group.specimens)
            notes.append(
                f"{group.name}: {count} specimen{'s' * (count != 1)}; a test over so few says "
                "next to nothing."
            )
    return tuple(notes)


def _classes(groups: Sequence[Group]) -> list[str]:
    found = dict.fromkeys(
        name for group in groups for one in group.specimens.values() for name in one.classes
    )
    return list(found)


def _check_units(groups: Sequence[Group]) -> None:
    for name in _classes(groups):
        for quantity in QUANTITIES:
            units = {g.unit(name, quantity) for g in groups if g.values(name, quantity)}
            if len(units) > 1:
                raise MeasurementError(
                    f"The groups give {quantity.replace('_', ' ')} in {' and '.join(sorted(units))}"
                    ", which cannot be compared.",
                    hint="Give all images a pixel size of the same unit.",
                )


def _plain(one: Difference) -> dict[str, Any]:
    def number(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "first": one.first,
        "second": one.second,
        "specimens": list(one.counts),
        "means": list(one.means),
        "difference": {"value": one.value, "low": number(one.low), "high": number(one.high)},
        "effect": {
            "value": number(one.effect),
            "low": number(one.effect_low),
            "high": number(one.effect_high),
        },
        "p": number(one.p),
        "adjusted": number(one.adjusted),
    }
