"""`Prediction`: the scores of an image, and mask and objects from them; knows no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.provenance import Provenance
from napari_defectseg.images.image import ArrayLike

if TYPE_CHECKING:
    from napari_defectseg.labels.decode import DecodeSettings
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.models.card import Task


@dataclass(frozen=True)
class Prediction:
    """Scores (probabilities) with everything needed to understand them.

    Parameters
    ----------
    scores : array-like of float32, shape (channel, *axes)
        In memory or on disk. Exclusive classes: the background, then one channel a class in
        the order of `classes`; binary: one channel; multi-label: one channel a class.
    classes : ClassMap
    task : str
        ``"exclusive"``, ``"binary"`` or ``"multilabel"``.
    axes : tuple of str
        Axes of a mask: those of the image without its channels.
    calibration : Calibration
        Of the image.
    image_name : str
    thresholds : mapping of str to float
        The card's.
    min_size : float
        The card's, in px.
    provenance : Provenance
    plan : mapping
        What was resolved: engine, device, tiles, threads; the same plan gives the same bits.
    seconds : float
    warnings : tuple of str
        Sentences that a person should read beside the result.
    disagreement : array-like of float32 or None
        Of several models for the same classes: how far their probabilities lie apart at each
        place of a mask (standard deviation, of the class where it is largest: 0 to 0.5).
    offset : tuple of int
        Where the scores begin in the image, along `axes`, if they are those of a part of it;
        empty: at its first pixel.
    """

    scores: ArrayLike
    classes: ClassMap
    task: Task
    axes: Axes
    calibration: Calibration
    image_name: str
    thresholds: Mapping[str, float]
    min_size: float
    provenance: Provenance
    plan: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    disagreement: ArrayLike | None = None
    offset: tuple[int, ...] = ()

    @property
    def box(self) -> tuple[slice, ...]:
        """The part of the image that the scores are about, along `axes`."""
        starts = self.offset or (0,) * len(self.shape)
        return tuple(slice(s, s + n) for s, n in zip(starts, self.shape, strict=True))

    @property
    def has_background(self) -> bool:
        """Whether channel 0 is the background."""
        return self.task == "exclusive"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a mask."""
        return tuple(int(n) for n in self.scores.shape[1:])

    def decode_settings(
        self,
        thresholds: Mapping[str, float | None] | None = None,
        min_size: float | None = None,
    ) -> DecodeSettings:
        """Return the card's thresholds and smallest object, with changes.

        Parameters
        ----------
        thresholds : mapping of str to float or None, optional
            Class name to probability; classes that are not named keep the card's, and None is
            the default: the best class, or 0.5.
        min_size : float, optional
            In px.
        """
        from napari_defectseg.labels.decode import DecodeSettings

        return DecodeSettings(
            thresholds={**self.thresholds, **(thresholds or {})},
            min_size=self.min_size if min_size is None else min_size,
        )

    def mask(self, settings: DecodeSettings | None = None) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return class values.

        Parameters
        ----------
        settings : DecodeSettings, optional
            Thresholds and smallest object; the card's where none are given.

        Returns
        -------
        ndarray of uint8
            Shape of `axes`; multi-label: 0 and 1 with the classes in front.
        """
        from napari_defectseg.labels.decode import decode_mask

        return decode_mask(
            self.scores,
            self.classes,
            axes=self.axes,
            task=self.task,
            settings=settings or self.decode_settings(),
        )

    def labels(self, settings: DecodeSettings | None = None) -> LabelMap:
        """Return the objects.

        Parameters
        ----------
        settings : DecodeSettings, optional
            Thresholds and smallest object; the card's where none are given.
        """
        from napari_defectseg.labels.decode import decode

        return decode(
            self.scores,
            self.classes,
            self.axes,
            self.calibration,
            task=self.task,
            settings=settings or self.decode_settings(),
            provenance=self.provenance,
        )
