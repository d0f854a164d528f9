"""OME-Zarr 0.4 in blocks with coarser levels: for what is too large for one file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import atomic_folder
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.boxes import Box, cut, sides_within
from napari_defectseg.images.ngff.metadata import COLOURS, UNITS
from napari_defectseg.images.writer import Picture, plain, stored_type

# 0.4 on zarr format 2 is what viewers and image libraries of a laboratory read today.
VERSION = "0.4"
PLANE_BLOCK, VOLUME_BLOCK = (1024, 1024), (16, 256, 256)
LARGEST_PART = 1 << 26
"""Bytes that are written at once."""
SMALLEST_LEVEL = 512
"""Coarser levels are added until both sides of a plane are at most this."""
ORDER = ("t", "c", "z", "y", "x")


def write(picture: Picture, path: Path, overwrite: bool) -> None:
    """Write `picture` to the folder `path`, whole or not at all; lazy data go block by block."""
    order = order_of(picture.axes)
    places = [order.index(name) for name in picture.axes]
    turn = [picture.axes.index(name) for name in order]
    with atomic_folder(path, overwrite=overwrite) as part:
        array = begin(part, picture)
        for box in _boxes(array):
            block = np.asarray(picture.data[tuple(box[place] for place in places)])
            array[box] = plain(block.transpose(turn))
        finish(part, picture)


def begin(folder: Path, picture: Picture) -> Any:
    """Make the store with its finest level, which reads as zeros until it is written.

    Parameters
    ----------
    folder : path
        An empty folder, or one that is not there yet.
    picture : Picture
        Its pixels are not looked at.

    Returns
    -------
    zarr.Array
        Axes as `order_of` puts them; `finish` completes the store.
    """
    import zarr

    order = order_of(picture.axes)
    shape = tuple(picture.shape[picture.axes.index(name)] for name in order)
    group = zarr.open_group(folder, mode="w", zarr_format=2)
    return _create(group, "0", order, shape, stored_type(picture.data.dtype))


def finish(folder: Path, picture: Picture) -> None:
    """Add the coarser levels and the metadata, after the finest level was written."""
    import zarr

    order = order_of(picture.axes)
    group = zarr.open_group(folder, mode="r+", zarr_format=2)
    finer = group["0"]
    shapes = _level_shapes(order, tuple(finer.shape))
    for number, shape in enumerate(shapes[1:], start=1):
        array = _create(group, str(number), order, shape, finer.dtype)
        _shrink(array, finer, picture.discrete)
        finer = array
    group.attrs.update(_attributes(picture, order, shapes))


def order_of(axes: Axes) -> Axes:
    """Return axes in the order in which the format stores them."""
    return tuple(name for name in ORDER if name in axes)


def _level_shapes(order: Axes, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    shapes = [shape]
    while max(shapes[-1][-2:]) > SMALLEST_LEVEL and min(shapes[-1][-2:]) > 1:
        *lead, y, x = shapes[-1]
        shapes.append((*lead, -(-y // 2), -(-x // 2)))
    return shapes


def _create(
    group: Any, name: str, order: Axes, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Any:
    inner = VOLUME_BLOCK if "z" in order else PLANE_BLOCK
    lead = (1,) * (len(shape) - len(inner))
    sides = (*lead, *(min(a, b) for a, b in zip(inner, shape[len(lead) :], strict=True)))
    return group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=sides,
        fill_value=0,
        chunk_key_encoding={"name": "v2", "separator": "/"},
    )


def _boxes(array: Any, most: int = LARGEST_PART) -> Iterator[Box]:
    """Yield boxes of whole blocks that fill an array, of about `most` bytes at most."""
    sides = sides_within(array.shape, array.chunks, most // array.dtype.itemsize)
    yield from cut(array.shape, sides)


def _shrink(array: Any, finer: Any, discrete: bool) -> None:
    for box in _boxes(array, LARGEST_PART // 4):
        wide = (slice(2 * part.start, 2 * part.stop) for part in box[-2:])
        block = np.asarray(finer[(*box[:-2], *wide)])
        array[box] = block[..., ::2, ::2] if discrete else _means(block)


def _means(block: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the means of squares of 2 × 2 pixels, fewer at the far edges, in the same type."""
    *lead, y, x = block.shape
    edges = [(0, 0)] * len(lead) + [(0, y % 2), (0, x % 2)]
    even = np.pad(block, edges, mode="edge")
    squares = even.reshape(*lead, even.shape[-2] // 2, 2, even.shape[-1] // 2, 2)
    means: np.ndarray[Any, Any] = squares.mean(axis=(-3, -1), dtype=np.float64)
    whole = block.dtype.kind in "ui"
    return (np.rint(means) if whole else means).astype(block.dtype)


def _attributes(picture: Picture, order: Axes, shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    axes, steps = _axes(picture, order)
    datasets = []
    for number, _ in enumerate(shapes):
        factors = [2.0**number if name in ("y", "x") else 1.0 for name in order]
        scale = [step * factor for step, factor in zip(steps, factors, strict=True)]
        datasets.append(
            {
                "path": str(number),
                "coordinateTransformations": [{"type": "scale", "scale": scale}],
            }
        )
    one = {"version": VERSION, "name": picture.name, "axes": axes, "datasets": datasets}
    found: dict[str, Any] = {"multiscales": [one]}
    if picture.rgb and shapes[0][order.index("c")] == len(COLOURS):
        channels = [{"color": colour, "active": True} for colour in COLOURS]
        found["omero"] = {"version": VERSION, "channels": channels, "rdefs": {"model": "color"}}
    if picture.colours:
        colours = [
            {"label-value": value, "rgba": [*bytes.fromhex(colour.lstrip("#")[:6]), 255]}
            for value, colour in picture.colours.items()
        ]
        found["image-label"] = {"version": VERSION, "colors": colours}
    return found


def _axes(picture: Picture, order: Axes) -> tuple[list[dict[str, str]], list[float]]:
    """Return the axes as the format describes them, and the step along each; 1 if not known."""
    kinds = {"t": "time", "c": "channel"}
    known = {name: (size, picture.calibration.unit) for name, size in picture.sizes.items()}
    if picture.calibration.frame_time is not None:
        known["t"] = (picture.calibration.frame_time, picture.calibration.time_unit)
    axes, steps = [], []
    for name in order:
        axis = {"name": name, "type": kinds.get(name, "space")}
        if name in known:
            axis["unit"] = UNITS[known[name][1]]
        axes.append(axis)
        steps.append(known[name][0] if name in known and math.isfinite(known[name][0]) else 1.0)
    return axes, steps
