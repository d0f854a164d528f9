"""`Reported`: one result as a report sees it, from its folder or straight from an analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.results.analysis import Analysis
from napari_defectseg.results.overlay import RGB, overlay, shown, thinning, without_overlay
from napari_defectseg.results.stored import StoredResult
from napari_defectseg.results.summary import summary_of


@dataclass(frozen=True)
class Reported:
    """One result.

    Parameters
    ----------
    name : str
        Of its image.
    summary : mapping
        What ``summary.json`` holds.
    table : RegionTable
    specimen : str
    drawn : ndarray of uint8, shape (y, x, 3), or None
        The image with its classes over it.
    plain : ndarray of uint8, shape (y, x, 3), or None
        The same pixels of the image alone; None where the image is not there any more.
    pixel : float or None
        Width of a pixel of these pictures in the unit of the pixel size; None: uncalibrated.
    notes : tuple of str
        What is missing, in sentences.
    """

    name: str
    summary: Mapping[str, Any]
    table: RegionTable
    specimen: str = ""
    drawn: RGB | None = None
    plain: RGB | None = None
    pixel: float | None = None
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def of_analysis(cls, analysis: Analysis) -> Reported:
        """Return an analysis that need not be on the disk."""
        labels = analysis.labels
        image, mask = shown(analysis.image, labels)
        return cls(
            image.name,
            summary_of(analysis),
            replace(analysis.table, classes=labels.classes),
            analysis.specimen,
            overlay(image, mask, labels.classes),
            without_overlay(image, mask, labels.classes),
            _pixel(image.calibration, labels.shape),
        )

    @classmethod
    def of_stored(cls, stored: StoredResult) -> Reported:
        """Return a result that lies in a folder.

        Raises
        ------
        DefectSegError
            If its table cannot be read.
        """
        import imageio.v3 as iio

        table = stored.table()
        shape = tuple(stored.summary["image"]["shape"])
        known = cls(
            stored.folder.name,
            stored.summary,
            table,
            stored.entry.specimen,
            pixel=_pixel(stored.calibration, shape),
        )
        picture = stored.folder / "overlay.png"
        if not picture.is_file():
            return replace(known, notes=(f"{known.name} has no overlay.png.",))
        try:
            drawn = np.asarray(iio.imread(picture))[..., :3]
        except (OSError, ValueError) as error:
            return replace(known, notes=(f"{picture} cannot be read: {error}.",))
        known = replace(known, drawn=drawn)
        try:
            labels = stored.labels()
            plain = without_overlay(stored.image(), labels.class_mask(), stored.classes)
        except DefectSegError as error:
            return replace(known, notes=(f"Shown with its classes alone: {error.sentence}",))
        return replace(known, plain=plain)


def of_measured(stored: StoredResult) -> Reported:
    """Return what ``defectseg measure`` left in a folder: numbers and objects, no pictures.

    Raises
    ------
    DefectSegError
        If its table cannot be read.
    """
    return Reported(stored.folder.name, stored.summary, stored.measured_table())


def _pixel(calibration: Any, shape: tuple[int, ...]) -> float | None:
    return float(calibration.steps[-1]) * thinning(shape) if calibration.calibrated else None
