"""TIFF: resolution tags, ImageJ, OME, BigTIFF, stacks, and the tags of microscope makers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_defectseg.core import axes as axis_names
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.units import normalise_time
from napari_defectseg.images.border import listening, reading
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.images.parts import Part, PartNeeded, find_part
from napari_defectseg.images.reader import BY_CONTENT, NO, head, name_axes, stem
from napari_defectseg.images.statements import combine, with_frames
from napari_defectseg.images.tiff import ome, tags
from napari_defectseg.images.tiff.chain import MAGIC, count_pages
from napari_defectseg.images.tiff.pages import lazy_series

SUFFIXES = (".tif", ".tiff", ".btf", ".tf8")
PREVIEW = 0.5
"""Series with both sides shorter than this share of the largest are previews."""


def recognise(path: Path) -> int:
    """Return whether the first bytes are those of a TIFF."""
    return BY_CONTENT if head(path, 4) in MAGIC else NO


def parts(path: Path) -> tuple[Part, ...]:
    """Return the series of a TIFF."""
    with _open(path) as tif:
        return _parts(tif)


def read(path: Path, part: str | None = None, axes: str | None = None) -> CalibratedImage:
    """Return one series of a TIFF, with the pixel size that its tags state.

    Without `part`, previews and thumbnails are passed over; of several full images
    none is taken.
    """
    with _open(path) as tif:
        index = find_part(path, _parts(tif), part) if part is not None else _choose(path, tif)
        return _image(path, tif, index, axes)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    import tifffile

    with reading(path, "TIFF"):
        count_pages(path)
        with listening("tifffile"), tifffile.TiffFile(path) as tif:
            ome.refuse_entities(path, tif.pages.first.description)
            ome.refuse_absurd(path, tif.pages.first.description)
            yield tif


def _parts(tif: Any) -> tuple[Part, ...]:
    return tuple(
        Part(
            series.name or f"series {index}",
            tuple(series.shape),
            str(series.dtype),
            series.axes.lower(),
        )
        for index, series in enumerate(tif.series)
    )


def _choose(path: Path, tif: Any) -> int:
    full = [index for index, series in enumerate(tif.series) if not series.keyframe.is_reduced]
    large = max((max(_plane(tif.series[index])) for index in full), default=0)
    full = [i for i in full if max(_plane(tif.series[i])) >= PREVIEW * large] or [0]
    grey = [index for index in full if "S" not in tif.series[index].axes]
    if len(full) > 1 and len(grey) == 1:
        # A colour preview beside the grey data, as Olympus cameras write it.
        return grey[0]
    if len(full) > 1:
        named = _parts(tif)
        raise PartNeeded(path, [named[index] for index in full])
    return full[0]


def _plane(series: Any) -> tuple[int, int]:
    page = series.keyframe
    return page.imagelength, page.imagewidth


def _image(path: Path, tif: Any, index: int, axes: str | None) -> CalibratedImage:
    series = tif.series[index]
    page = series.keyframe
    name, attributes = ome.pixels(tif, index) if series.kind == "ome" else ("", {})
    time, unit = tags.frame_time(tif, page, attributes)
    stack = "t" if normalise_time(unit) is not None else "z"
    names = _axes(path, series.axes, tuple(series.shape), stack, axes)
    said = tags.statements(tif, page, attributes)
    calibration = combine(said, names)
    if "t" in names:
        calibration = with_frames(calibration, time, unit)
    details = tags.details(tif, page)
    if "Q" in series.axes or "I" in series.axes:
        details["axes"] = f"pages taken as {'frames' if 't' in names else 'slices'}"
    several = len(tif.series) > 1
    return CalibratedImage(
        lazy_series(path, tif, index),
        names,
        calibration,
        stem(path) if not (several and name) else f"{stem(path)} {name}",
        Origin(
            str(path),
            _parts(tif)[index].name if several else "",
            tags.instrument(tif, page),
            details,
        ),
        levels=tuple(
            lazy_series(path, tif, index, level) for level in range(1, len(series.levels))
        ),
    )


def _axes(path: Path, found: str, shape: tuple[int, ...], stack: str, wanted: str | None) -> Axes:
    letters = tags.axis_letters(found, stack)
    usual = set(letters) <= set(axis_names.KNOWN) and len(set(letters)) == len(letters)
    return name_axes(path, shape, wanted or ("".join(letters) if usual else None))
