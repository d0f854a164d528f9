"""Truth and prediction on disk → figures of each class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_defectseg.batch.masks import MaskOnDisk, Masks, Opened, masks_in
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DefectSegError, MeasurementError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.core.units import PIXEL
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.metrics import Evaluation, evaluate_many

SHOWN = 5
"""Names in a sentence before it says how many more there are."""


@dataclass(frozen=True)
class Evaluated:
    """The figures, and what they were taken from.

    Parameters
    ----------
    evaluation : Evaluation
    stems : tuple of str
        The images that were compared.
    unit : str
        Of distances: that of the pixel size, or px.
    warnings : tuple of str
    """

    evaluation: Evaluation
    stems: tuple[str, ...]
    unit: str
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values: those of the evaluation, and the names of the images."""
        values = self.evaluation.as_dict()
        return {
            **values,
            "match_unit": self.unit if values["match"].startswith("distance") else "",
            "compared": list(self.stems),
            "warnings": list(dict.fromkeys((*self.warnings, *values["warnings"]))),
        }


def evaluate_steps(
    truth: str | Path,
    prediction: str | Path,
    *,
    classes: Sequence[str] = (),
    match: str = "iou:0.5",
) -> Steps[Evaluated]:
    """Compare masks with masks: two files, or the files of two folders that have one stem.

    Parameters
    ----------
    truth, prediction : path
        A mask, a folder of masks, a result folder, or a dataset.
    classes : sequence of str
        Names of the values 1, 2, …; by default those of a result or dataset.
    match : str
        When objects are the same: ``"iou:0.5"``, or ``"distance:8"`` in the unit of the pixel
        size.

    Raises
    ------
    MeasurementError, ImageError, FileMissing
        If nothing matches, or two masks do not belong together; the sentence names them.
    """
    pairs, warnings = _matched(masks_in(truth), masks_in(prediction))
    yield Step(0, 0, f"comparing {len(pairs)} image{'s' * (len(pairs) > 1)}")
    reading = _Reading(pairs, match)
    first = reading.first
    known = _classes(first, classes)
    spacing = reading.calibration.steps if reading.calibration is not None else None
    try:
        found = evaluate_many(reading.each(), classes=known, match=match, spacing=spacing)
    except DefectSegError as error:
        one, other = reading.current
        raise MeasurementError(
            f"{one.path} and {other.path}: {error.sentence}", hint=error.hint
        ) from error
    unit = reading.calibration.unit if reading.calibration is not None else PIXEL
    return Evaluated(found, tuple(one.stem for one, _ in pairs), unit, warnings)


class _Reading:
    """Opens one pair after the other, so that a folder needs the memory of one.

    Parameters
    ----------
    pairs : sequence of (MaskOnDisk, MaskOnDisk)
    match : str
        Distances need one pixel size for all.
    """

    def __init__(self, pairs: Sequence[tuple[MaskOnDisk, MaskOnDisk]], match: str) -> None:
        self._pairs = pairs
        self._by_distance = match.startswith("distance")
        self.current = pairs[0]
        self.first = self._read(pairs[0])
        self.calibration = _calibration(self.first)

    def each(self) -> Iterator[tuple[Masks, Masks]]:
        """Yield truth and prediction of each pair."""
        for number, pair in enumerate(self._pairs):
            self.current = pair
            truth, prediction = self._read(pair) if number else self.first
            self._check(_calibration((truth, prediction)))
            yield truth.masks, prediction.masks

    def _read(self, pair: tuple[MaskOnDisk, MaskOnDisk]) -> tuple[Opened, Opened]:
        return pair[0].read(), pair[1].read()

    def _check(self, found: Calibration | None) -> None:
        sizes = [None if one is None else one.spacing for one in (found, self.calibration)]
        if self._by_distance and sizes[0] != sizes[1]:
            raise MeasurementError(
                "They have another pixel size than the images before them, so one distance does "
                "not fit all.",
                hint="Evaluate images of one pixel size at a time, or match by iou.",
            )


def _matched(
    truths: dict[str, MaskOnDisk], predictions: dict[str, MaskOnDisk]
) -> tuple[list[tuple[MaskOnDisk, MaskOnDisk]], tuple[str, ...]]:
    if len(truths) == len(predictions) == 1:
        return [(next(iter(truths.values())), next(iter(predictions.values())))], ()
    both = [name for name in truths if name in predictions]
    if not both:
        raise MeasurementError(
            f"No prediction has the name of a truth: {_few(predictions)} and {_few(truths)}.",
            hint="Give the masks of one image the same name in both folders.",
        )
    notes = []
    for side, names in (
        ("prediction", [name for name in truths if name not in predictions]),
        ("truth", [name for name in predictions if name not in truths]),
    ):
        if names:
            notes.append(f"{_few(names)}: there is no {side}, so {len(names)} were left out.")
    return [(truths[name], predictions[name]) for name in both], tuple(notes)


def _few(names: Sequence[str] | dict[str, MaskOnDisk]) -> str:
    shown = list(names)
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return ", ".join(shown[:SHOWN]) + more


def _classes(first: tuple[Opened, Opened], names: Sequence[str]) -> ClassMap | None:
    """Return the classes as named, or those that overlap; None: what the masks know."""
    known = [side.masks.classes for side in first if isinstance(side.masks, LabelMap)]
    planes = [int(side.masks.shape[0]) for side in first if side.planes]
    if not names and (known or not planes):
        return None
    overlap = bool(planes) or any(not classes.exclusive for classes in known)
    given = list(names) or [f"class {k + 1}" for k in range(max(planes))]
    return ClassMap.of(given, exclusive=not overlap)


def _calibration(pair: tuple[Opened, Opened]) -> Calibration | None:
    """Return the pixel size of a pair; None: neither of the two has one."""
    return next((side.calibration for side in pair if side.calibration.calibrated), None)
