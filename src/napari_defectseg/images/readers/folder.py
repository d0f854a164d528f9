"""A folder of slices as one stack, in natural order, with its gaps named."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core import axes as axis_names
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.images.lazy import LazyArray
from napari_defectseg.images.natural import natural
from napari_defectseg.images.parts import Part
from napari_defectseg.images.reader import BY_NAME, NO, name_axes

SLICES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp", ".npy", ".mrc", ".dm3", ".dm4")
SHOWN = 5

Inner = Callable[[Path], CalibratedImage]
"""Opens one slice without reading its pixels."""


def recognise(path: Path) -> int:
    """Return whether it is a folder with images in it."""
    return BY_NAME if path.is_dir() and slices(path) else NO


def parts(path: Path) -> tuple[Part, ...]:
    """Return the stack as its one part."""
    found = slices(path)
    return (Part(path.name, (len(found),), note="slices"),)


def slices(folder: Path) -> list[Path]:
    """Return its images in natural order; of several kinds the most frequent one."""
    files = [
        file
        for file in folder.iterdir()
        if file.suffix.lower() in SLICES and not file.name.startswith(".") and file.is_file()
    ]
    kinds = Counter(file.suffix.lower() for file in files)
    if not kinds:
        return []
    most = max(kinds, key=lambda kind: (kinds[kind], kind))
    return sorted((f for f in files if f.suffix.lower() == most), key=lambda f: natural(f.name))


def gaps(names: Sequence[str]) -> list[str]:
    """Return the numbers that are missing in a numbering, runs as ``"12 to 15"``.

    Parameters
    ----------
    names : sequence of str
        File names in natural order. Names without one running number have no gaps.
    """
    numbers = _running(names)
    if len(numbers) < 3:
        return []
    differences = np.diff(numbers)
    step = int(np.median(differences))
    if step < 1:
        return []
    found = []
    for at in np.flatnonzero(differences > step):
        first, last = numbers[at] + step, numbers[at + 1] - step
        found.append(str(first) if first >= last else f"{first} to {last}")
    return found


def read_container(
    path: Path, open_inner: Inner, part: str | None = None, axes: str | None = None
) -> CalibratedImage:
    """Return the slices of a folder as one stack.

    Parameters
    ----------
    path : Path
    open_inner : callable
        Opens one slice.
    part : str, optional
        Not used: a folder holds one stack.
    axes : str, optional
        ``"tyx"`` for a movie; a folder is taken as ``"zyx"``.

    Raises
    ------
    ImageError
        If the slices differ in size or type; the sentence names the first that does.
    """
    files = slices(path)
    if not files:
        raise ImageError(f"{path} holds no images.", hint=f"Looked for {', '.join(SLICES)}.")
    first = open_inner(files[0])
    if len(files) == 1:
        return first
    _check_alike(path, files, first, open_inner)
    shape = (len(files), *first.shape)
    names = name_axes(path, shape, axes or "".join(("z", *first.axes)))
    paths = tuple(str(file) for file in files)
    opener = partial(Slices, paths, open_inner)
    data = LazyArray(str(path), "folder of slices", shape, first.dtype, opener)
    details = {"slices": f"{files[0].name} to {files[-1].name}"}
    origin = Origin(str(path), instrument=first.origin.instrument, details=details)
    calibration = _calibration(first.calibration, names, gaps([file.stem for file in files]))
    return CalibratedImage(data, names, calibration, path.name, origin)


class Slices:
    """Files that are read when one of them is asked for."""

    def __init__(self, paths: tuple[str, ...], open_inner: Inner) -> None:
        self._paths = paths
        self._open = open_inner

    def __getitem__(self, key: tuple[slice, ...]) -> np.ndarray[Any, Any]:
        """Return the part at forward slices, one an axis."""
        chosen = self._paths[key[0]]
        blocks = [np.asarray(self._open(Path(path)).data[key[1:]]) for path in chosen]
        return np.stack(blocks)


def _check_alike(
    path: Path, files: Sequence[Path], first: CalibratedImage, open_inner: Inner
) -> None:
    if len(first.axes) > 3 or "z" in first.axes or "t" in first.axes:
        raise ImageError(
            f"{path.name} is not a folder of slices: {files[0].name} is a stack itself.",
            hint="Open it alone, or open the folder as a collection.",
        )
    for file in files[1:]:
        other = open_inner(file)
        if (other.shape, other.dtype) != (first.shape, first.dtype):
            raise ImageError(
                f"{path.name} is not one stack: {file.name} is {_size(other)}, "
                f"but {files[0].name} is {_size(first)}.",
                hint="Take it out of the folder, or open the folder as a collection.",
            )


def _size(image: CalibratedImage) -> str:
    return f"{' × '.join(map(str, image.shape))} {image.dtype}"


def _calibration(plane: Calibration, axes: tuple[str, ...], missing: list[str]) -> Calibration:
    count = len(axis_names.spatial(axes))
    spacing = (None,) * (count - plane.ndim) + plane.spacing
    calibration = replace(plane, spacing=spacing)
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        question = (
            f"Slices are missing in the numbering: {', '.join(missing[:SHOWN])}{more}. "
            "Is the stack whole?"
        )
        calibration = replace(calibration, question=f"{calibration.question} {question}".strip())
    return calibration


def _running(names: Sequence[str]) -> list[int]:
    """Return the one number that changes from name to name, none if there is no such one."""
    rows = [re.findall(r"\d+", name) for name in names]
    if not rows or len({len(row) for row in rows}) != 1 or not rows[0]:
        return []
    columns = [column for column in zip(*rows, strict=True) if len(set(column)) > 1]
    return [int(value) for value in columns[0]] if len(columns) == 1 else []
