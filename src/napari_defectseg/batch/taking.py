"""`MeasureJob` and what is measured of one of its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import MeasurementError, RecipeError
from napari_defectseg.core.progress import Steps
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.foil import Foil
from napari_defectseg.measurement.further import FurtherSettings
from napari_defectseg.measurement.movies.movie import MovieStatistics, measure_movie_steps
from napari_defectseg.measurement.movies.settings import MovieSettings
from napari_defectseg.measurement.picture import ClassPicture, class_pictures
from napari_defectseg.measurement.populations import NO_CLASSES
from napari_defectseg.measurement.regions import measure_regions, take_in
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.measurement.source import Source
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.results.recipe import PixelSize
from napari_defectseg.results.stored import read_result

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class MeasureJob:
    """What to measure, and how.

    Parameters
    ----------
    masks : sequence of path
        Class masks or label images.
    image : path or None
        Grey values for a single mask.
    classes : sequence of str
        Names of the class values 1, 2, …
    pixel_size : PixelSize or None
        Instead of the files' own.
    roi, exclude : path or None
        Masks of what is counted and of what is not; one for all.
    foil : Foil or None
        Thickness of the foil and what does not show in it.
    settings : MeasureSettings
    further : FurtherSettings
        Statistics beyond the summary.
    movie : MovieSettings
        What is measured of movies; where anything is, a stack of planes is one.
    specimens : mapping of str to str
        Path to specimen, where known.
    """

    masks: Sequence[str | Path]
    image: str | Path | None = None
    classes: Sequence[str] = ()
    pixel_size: PixelSize | None = None
    roi: str | Path | None = None
    exclude: str | Path | None = None
    foil: Foil | None = None
    settings: MeasureSettings = field(default_factory=MeasureSettings)
    further: FurtherSettings = field(default_factory=FurtherSettings)
    movie: MovieSettings = field(default_factory=MovieSettings)
    specimens: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """What is measured of one file.

    Parameters
    ----------
    labels : LabelMap or ndarray
    frame : CalibratedImage
        Axes and pixel size of the labels.
    image : CalibratedImage or None
        Grey values.
    classes : ClassMap or None
    space : ReferenceSpace or None
    settings : MeasureSettings
    """

    labels: LabelMap | Array
    frame: CalibratedImage
    image: CalibratedImage | None
    classes: ClassMap | None
    space: ReferenceSpace | None
    settings: MeasureSettings

    def table(self) -> RegionTable:
        """Measure its objects."""
        return measure_regions(
            self.labels,
            image=self.image or self.frame,
            classes=self.classes,
            space=self.space,
            settings=self.settings,
        )

    @cached_property
    def source(self) -> Source:
        """Its objects."""
        return take_in(self.labels, self.frame, classes=self.classes, settings=self.settings)

    def pictures(self) -> list[ClassPicture]:
        """Return the objects of each class as a picture."""
        return class_pictures(self.source, self.space, NO_CLASSES)

    def movie_steps(self, table: RegionTable, settings: MovieSettings) -> Steps[MovieStatistics]:
        """Measure keyhole, melt pool and tracks; the direction may be that of the image."""
        said = self.image or self.frame
        direction = settings.scan_direction or said.acquisition.scan_direction
        own = replace(settings, scan_direction=direction)
        return (yield from measure_movie_steps(self.source, table, own, self.image))


def take(job: MeasureJob, path: str | Path) -> tuple[Taken, CalibratedImage]:
    """Return what is measured of a file, and the file as an image with the pixel size used.

    Raises
    ------
    MeasurementError, ImageError, FileMissing
        If the file, or what belongs to it, cannot be used.
    """
    picture = _as_frames(open_image(path), job.movie)
    image = None if job.image is None else _as_frames(open_image(job.image), job.movie)
    calibration = picture.calibration
    if image is not None and not calibration.calibrated:
        known = image.calibration
        calibration = known if known.ndim == calibration.ndim else calibration
    if job.pixel_size is not None:
        calibration = job.pixel_size.applied(calibration)
    picture = picture.with_calibration(calibration)
    known_labels = _known_labels(path, job)
    labels = picture.read() if known_labels is None else known_labels
    if isinstance(labels, LabelMap):
        labels = replace(labels, calibration=calibration)
    taken = Taken(
        labels,
        # A mask's own axes and pixel size travel as those of an image.
        replace(_without_channel(picture), calibration=calibration),
        None if image is None else replace(image, calibration=calibration),
        None if known_labels is not None else _classes(job, picture),
        _space(job, picture.label_shape),
        job.settings if image is not None else replace(job.settings, intensity=False),
    )
    return taken, picture


def _as_frames(picture: CalibratedImage, movie: MovieSettings) -> CalibratedImage:
    """Return a stack of planes as the frames of a movie, where one is to be measured.

    Many files of movies do not say that their first axis is time.
    """
    if not movie.wanted or "t" in picture.axes or "z" not in picture.axes:
        return picture
    known = picture.calibration
    flat = replace(known, spacing=known.spacing[1:])
    if not any(flat.spacing):
        flat = Calibration.uncalibrated(2, known.source)
    axes = tuple("t" if name == "z" else name for name in picture.axes)
    return replace(picture, axes=axes, calibration=flat, levels=())


def _known_labels(path: str | Path, job: MeasureJob) -> LabelMap | None:
    """Return the objects with their classes where `path` lies in a result of ours."""
    file = Path(path)
    if job.classes or not file.name.startswith("labels.") or not file.parent.is_dir():
        return None
    if not (file.parent / "summary.json").is_file():
        return None
    try:
        _, found = read_result(file.parent)
        return found[0].labels()
    except RecipeError:
        return None


def _classes(job: MeasureJob, picture: CalibratedImage) -> ClassMap | None:
    planes = picture.channels if "c" in picture.axes else 0
    if planes and picture.axes[0] != "c":
        raise MeasurementError(
            f"{picture.name} is a colour picture, not a mask.",
            hint="Give a mask with one number a pixel, or planes in front.",
        )
    names = list(job.classes) or [f"class {k + 1}" for k in range(planes)]
    if planes and len(names) != planes:
        raise MeasurementError(f"{picture.name} has {planes} planes; {len(names)} classes named.")
    return ClassMap.of(names, exclusive=not planes) if names else None


def _without_channel(picture: CalibratedImage) -> CalibratedImage:
    if "c" not in picture.axes:
        return picture
    return replace(picture, data=picture.read(c=0), axes=picture.label_axes, levels=())


def _space(job: MeasureJob, shape: tuple[int, ...]) -> ReferenceSpace | None:
    if job.roi is None and job.exclude is None:
        return None
    return ReferenceSpace(
        roi=_region(job.roi, shape), exclude=_region(job.exclude, shape), shape=shape
    )


def _region(path: str | Path | None, shape: tuple[int, ...]) -> Array | None:
    if path is None:
        return None
    array = open_image(path).read()
    if array.shape != shape and array.shape != shape[-array.ndim :]:
        raise MeasurementError(
            f"{path} has the shape {array.shape}; the labels have {shape}.",
            hint="A region is a mask of the same size.",
        )
    return np.broadcast_to(array != 0, shape)
