"""`Pair`: an image of a dataset and its truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DatasetError
from napari_defectseg.datasets.manifest import Event, Origin
from napari_defectseg.images.image import CalibratedImage


@dataclass(frozen=True)
class Pair:
    """An image and its mask, as the dataset folder holds them now.

    Parameters
    ----------
    folder : Path
        The dataset folder.
    event : Event
        What the manifest says about it.
    classes : ClassMap
        The classes of the dataset.
    """

    folder: Path
    event: Event
    classes: ClassMap

    @property
    def id(self) -> str:
        """Its name in the dataset."""
        return self.event.id

    @property
    def specimen(self) -> str:
        """The specimen it shows."""
        return self.event.specimen

    @property
    def split(self) -> str | None:
        """``"train"``, ``"validation"``, ``"test"``, ``"unused"``, or None: not split yet."""
        return self.event.split or None

    @property
    def origin(self) -> Origin:
        """The file and region it was cut from, the model, who and when."""
        return self.event.origin

    @property
    def sha256(self) -> dict[str, str]:
        """Hash of each of its files: ``"image"``, ``"mask"`` and so on."""
        return dict(self.event.sha256)

    @property
    def axes(self) -> Axes:
        """Axes of the image."""
        return tuple(self.event.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image, known without opening it."""
        return self.event.shape

    @property
    def label_shape(self) -> tuple[int, ...]:
        """Shape of the mask, without its class axis."""
        return tuple(n for n, name in zip(self.shape, self.axes, strict=True) if name != "c")

    @property
    def calibration(self) -> Calibration:
        """The pixel size."""
        event = self.event
        return Calibration(event.pixel_size, event.unit, event.pixel_size_source)

    def path(self, role: str) -> Path | None:
        """Return where its ``"image"``, ``"mask"``, ``"instances"`` or ``"objects"`` lie."""
        name = self.event.files.get(role)
        return self.folder / name if name else None

    def image(self) -> CalibratedImage:
        """Return the image, with the pixel size that the manifest states.

        Raises
        ------
        DatasetError
            If the file does not hold what the manifest says.
        """
        opened = self._open("image")
        if opened.shape != self.shape:
            raise DatasetError(
                f"{self.folder / self.event.image} has the shape {opened.shape}; "
                f"the manifest says {self.shape}."
            )
        kept = replace(
            opened.calibration,
            spacing=self.event.pixel_size,
            unit=self.event.unit,
            source=self.event.pixel_size_source,
            question="",
        )
        return replace(opened, axes=self.axes, calibration=kept, name=self.id)

    def mask(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return the class mask.

        Returns
        -------
        ndarray of uint8
            Class values in the shape of the image without channels; where classes may overlap
            0 and 1 with the classes in front. 255 is unlabelled.
        """
        return self._array("mask", np.dtype(np.uint8))

    def instances(self) -> np.ndarray[Any, np.dtype[np.int32]] | None:
        """Return the objects, int32 in the layout of the mask, or None if none were saved."""
        return self._array("instances", np.dtype(np.int32)) if self.event.instances else None

    def objects(self) -> dict[str, list[str]] | None:
        """Return the columns of its list of objects as text, or None if it has none."""
        import csv

        path = self.path("objects")
        if path is None:
            return None
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        return {name: [row[n] for row in rows[1:]] for n, name in enumerate(rows[0])}

    def _open(self, role: str) -> CalibratedImage:
        from napari_defectseg.images.open import open_image

        return open_image(self.folder / self.event.files[role])

    def _array(self, role: str, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        classes = () if self.classes.exclusive else (len(self.classes),)
        wanted = classes + self.label_shape
        array = self._open(role).read()
        if array.size != np.prod(wanted):
            raise DatasetError(
                f"{self.folder / self.event.files[role]} has the shape {array.shape}; "
                f"{wanted} is needed for its image."
            )
        return array.reshape(wanted).astype(dtype, copy=False)
