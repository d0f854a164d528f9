"""Pixels of a TIFF series, mapped or decoded page by page when asked for."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.border import BOMB_BYTES, check_claim, cut_short, listening
from napari_defectseg.images.lazy import LazyArray
from napari_defectseg.images.packed import DEFLATE_RATIO, inflated

LARGE_PAGE = 1 << 26
"""Pages of more bytes are read tile by tile."""
CHECKED_PAGES = 512
DEFLATE = {8, 32946}
PACKAGED = {1, 8, 32946, 32773, 50013}
"""TIFF compressions decoded without a further package: none, deflate, packbits."""


def lazy_series(path: Path, tif: Any, index: int, level: int = 0) -> LazyArray:
    """Return the pixels of a series (or of one of its coarser levels) as a lazy array.

    Parameters
    ----------
    path : Path
    tif : tifffile.TiffFile
        The open file; it may be closed afterwards.
    index, level : int
        Which series, and which level of its pyramid.
    """
    series = tif.series[index].levels[level]
    _check(path, tif, series)
    dtype = series.dtype.newbyteorder("=")
    if series.dataoffset is not None and series.keyframe.is_memmappable:
        stored = series.dtype.newbyteorder(tif.byteorder)
        opener: Any = partial(_map, str(path), stored.str, series.dataoffset, series.shape)
        return LazyArray(str(path), "TIFF", series.shape, dtype, opener, serial=False)
    opener = partial(SeriesFile, str(path), index, level)
    return LazyArray(str(path), "TIFF", series.shape, dtype, opener)


def _map(path: str, dtype: str, offset: int, shape: tuple[int, ...]) -> Any:
    return np.memmap(path, dtype=np.dtype(dtype), mode="r", offset=offset, shape=shape)


class SeriesFile:
    """An open TIFF from which one series is read, page by page or tile by tile."""

    def __init__(self, path: str, index: int, level: int) -> None:
        import tifffile

        self._path = path
        with listening("tifffile"):
            self._tif = tifffile.TiffFile(path)
            self._series = self._tif.series[index].levels[level]
        self.close_file = self._tif.close
        page = self._series.keyframe
        lead = len(self._series.shape) - len(page.shape)
        self._lead = self._series.shape[:lead] if lead >= 0 else ()
        self._paged = (
            self._series.shape[lead:] == page.shape
            and math.prod(self._lead) == len(self._series.pages)
            and lead >= 0
        )
        self._tiles = self._open_tiles() if self._tiled(page) else None

    def __getitem__(self, key: tuple[slice, ...]) -> np.ndarray[Any, Any]:
        """Return the part at forward slices, one an axis."""
        with listening("tifffile"):
            return self._read(key)

    def _read(self, key: tuple[slice, ...]) -> np.ndarray[Any, Any]:
        if self._tiles is not None:
            return np.asarray(self._tiles[key])
        if not self._paged:
            whole: np.ndarray[Any, Any] = self._series.asarray()[key]
            return whole
        places = [range(length)[part] for part, length in zip(key, self._lead, strict=False)]
        inner = key[len(self._lead) :]
        chosen = np.ndarray(tuple(len(place) for place in places), dtype=object)
        blocks = [self._page(self._number(at, places))[inner] for at in np.ndindex(chosen.shape)]
        return np.stack(blocks).reshape(*chosen.shape, *blocks[0].shape)

    def _number(self, at: tuple[int, ...], places: list[range]) -> int:
        where = tuple(place[i] for place, i in zip(places, at, strict=True))
        return int(np.ravel_multi_index(where, self._lead)) if where else 0

    def _page(self, number: int) -> np.ndarray[Any, Any]:
        page = self._series.pages[number]
        if page is None:
            return np.zeros(self._series.keyframe.shape, self._series.dtype)
        _refuse_bomb(self._path, self._tif, page)
        values = page.asarray() if _decodable(page) else _by_pillow(self._path, page)
        result: np.ndarray[Any, Any] = values.reshape(self._series.keyframe.shape)
        return result

    def _tiled(self, page: Any) -> bool:
        return page.nbytes > LARGE_PAGE and page.compression in PACKAGED

    def _open_tiles(self) -> Any:
        import zarr

        return zarr.open_array(self._series.aszarr(), mode="r", zarr_format=2)


def _refuse_bomb(path: str, tif: Any, page: Any) -> None:
    """Refuse a page of which a strip or tile unpacks to far more than the page holds."""
    if page.compression not in DEFLATE:
        return
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False):
        if count * DEFLATE_RATIO <= BOMB_BYTES:
            continue
        tif.filehandle.seek(offset)
        if inflated(tif.filehandle.read(count), 2 * page.nbytes) > 2 * page.nbytes:
            raise ImageError(
                f"{Path(path).name}: page {page.index} would unpack to more than it holds.",
                hint="It is damaged or made up, and was not unpacked.",
            )


def _decodable(page: Any) -> bool:
    if page.compression in PACKAGED:
        return True
    from importlib.util import find_spec

    return find_spec("imagecodecs") is not None


def _by_pillow(path: str, page: Any) -> np.ndarray[Any, Any]:
    """Decode LZW and JPEG pages, for which tifffile wants a further package."""
    from PIL.TiffImagePlugin import TiffImageFile

    # Not Image.open, which takes a large micrograph for a bomb.
    with TiffImageFile(path) as picture:
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            if number == page.index:
                values = np.asarray(picture)
                if values.size == math.prod(page.shape):
                    return values
                break
    raise ImageError(
        f"{Path(path).name} is compressed with {page.compression.name}, which is not read here.",
        hint='Save it uncompressed, or: pip install "imagecodecs".',
    )


def _check(path: Path, tif: Any, series: Any) -> None:
    """Refuse a series that claims more than the file holds."""
    size = tif.filehandle.size
    check_claim(path, series.shape, series.dtype.itemsize, size)
    if series.dataoffset is not None:
        need = series.dataoffset + math.prod(series.shape) * series.dtype.itemsize
        if need > size:
            raise cut_short(path, size, need)
        return
    count = len(series.pages)
    for number in range(0, count, max(1, count // CHECKED_PAGES)):
        page = series.pages[number]
        if page is None:
            continue
        need = max(
            (o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)), default=0
        )
        if need > size:
            raise cut_short(path, size, need)
