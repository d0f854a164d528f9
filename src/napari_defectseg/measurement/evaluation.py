"""`Evaluation`: figures of a prediction, class by class, pooled over the images compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.matching import MatchRule
from napari_defectseg.measurement.tally import NAN, Tally

REPORTED = (MatchRule("iou", 0.3), MatchRule("iou", 0.5), MatchRule("iou", 0.75))
"""Overlaps at which the object F1 is always reported."""


@dataclass(frozen=True)
class Evaluation:
    """Figures of each class, pooled over the images that were compared.

    Parameters
    ----------
    classes : mapping of str to Tally
        Counts by class name; the background is not among them.
    match : MatchRule
        When a truth object counts as found.
    background : Tally or None
        Counts of the background; None where classes may overlap.
    images : tuple of (mapping of str to Tally)
        The same counts for each image.
    warnings : tuple of str
    """

    classes: Mapping[str, Tally]
    match: MatchRule
    background: Tally | None
    images: tuple[Mapping[str, Tally], ...]
    warnings: tuple[str, ...] = ()

    def __getitem__(self, class_name: str) -> dict[str, float]:
        """Return the figures of a class by name; nan where undefined. See `Tally.figures`."""
        if class_name not in self.classes:
            raise MeasurementError(
                f"There is no class {class_name!r} in this evaluation.",
                hint=f"It has {', '.join(self.classes)}.",
            )
        return self.classes[class_name].figures(self.match)

    def mean(self, figure: str) -> float:
        """Return the mean of a figure over the classes in which it is defined, else nan."""
        return _mean([self[name][figure] for name in self.classes])

    @property
    def mean_iou(self) -> float:
        """Mean IoU of the classes that occur; the background is left out."""
        return self.mean("iou")

    @property
    def mean_dice(self) -> float:
        """Mean Dice of the classes that occur; the background is left out."""
        return self.mean("dice")

    @property
    def mean_iou_with_background(self) -> float:
        """Mean IoU with the background as one more class; nan where classes may overlap."""
        if self.background is None:
            return NAN
        own = self.background.figures(self.match)["iou"]
        return _mean([own, *(self[name]["iou"] for name in self.classes)])

    def mean_over_images(self, class_name: str, figure: str) -> float:
        """Return the mean over the images in which the figure of a class is defined."""
        return _mean([image[class_name].figures(self.match)[figure] for image in self.images])

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values; None where a figure is undefined."""
        return {
            "classes": {name: self._class(name) for name in self.classes},
            "mean_iou": _plain(self.mean_iou),
            "mean_dice": _plain(self.mean_dice),
            "mean_object_f1": _plain(self.mean("object_f1")),
            "mean_iou_with_background": _plain(self.mean_iou_with_background),
            "match": str(self.match),
            "images": len(self.images),
            "pooling": "pixels and objects of all images are counted together; means are over "
            "the classes that occur, without the background",
            "warnings": list(self.warnings),
        }

    def _class(self, name: str) -> dict[str, Any]:
        counts = self.classes[name]
        values: dict[str, Any] = {key: _plain(value) for key, value in self[name].items()}
        values["object_f1_at"] = {
            str(rule): _plain(counts.f1_at(rule)) for rule in (*REPORTED, self.match)
        }
        values["mean_over_images"] = {
            figure: _plain(self.mean_over_images(name, figure))
            for figure in ("iou", "dice", "object_f1")
        }
        return values | counts.counts() | {"recall_by_size": counts.recall_by_size()}


def _mean(values: Iterable[float]) -> float:
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else NAN


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
