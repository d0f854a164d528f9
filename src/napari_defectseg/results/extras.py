"""Results in the forms that other people's programs read: NRRD of probabilities, PNG a class."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.results.analysis import Analysis

EXTRAS = ("probabilities-nrrd", "class-png")
"""What can be asked for: one NRRD of probabilities a class (as 3D-DCNN writes it), and one binary
PNG a class and plane (as the U-Net for powder beds does)."""
PLACES = ("probabilities", "classes")
"""Folders that they are written into."""


def needs_scores(also: Collection[str]) -> bool:
    """Return whether one of the wanted files needs the scores."""
    return "probabilities-nrrd" in also


def check_extras(also: Collection[str]) -> None:
    """Refuse what is not known.

    Raises
    ------
    DefectSegError
        Names what can be asked for.
    """
    strange = [one for one in also if one not in (*EXTRAS, "scores")]
    if strange:
        raise DefectSegError(
            f"{', '.join(strange)} cannot be written beside a result.",
            hint=f"Use {' or '.join(EXTRAS)}.",
        )


def write_extras(part: Path, analysis: Analysis, also: Collection[str]) -> None:
    """Write what is wanted into the folder of an image.

    Parameters
    ----------
    part : Path
    analysis : Analysis
        With its scores where `needs_scores` says so.
    also : collection of str

    Raises
    ------
    DefectSegError
        If one of them is not known.
    NotSaved
        If the disk is full or read-only.
    """
    check_extras(also)
    if "probabilities-nrrd" in also and analysis.scores is not None:
        _write_probabilities(part / PLACES[0], analysis)
    if "class-png" in also:
        _write_pngs(part / PLACES[1], analysis)


def _write_probabilities(folder: Path, analysis: Analysis) -> None:
    """Write ``<class>.nrrd``: float32, the fastest axis x."""
    from napari_defectseg.images.save import save_array

    labels = analysis.labels
    folder.mkdir()
    first = int(analysis.scores.shape[0]) - len(labels.classes)  # the background comes before
    for channel, word in enumerate(_words(analysis), start=first):
        save_array(
            _Channel(analysis.scores, channel),
            folder / f"{word}.nrrd",
            axes=labels.axes,
            calibration=analysis.image.calibration,
            name=labels.classes.names[channel - first],
        )


def _write_pngs(folder: Path, analysis: Analysis) -> None:
    """Write ``<class>.png`` with 0 and 255; ``<class>_z0003.png`` where there are many planes."""
    import imageio.v3 as iio

    folder.mkdir()
    classes = analysis.labels.classes
    mask = analysis.labels.class_mask()
    for number, word in enumerate(_words(analysis)):
        own = classes.values[number] if classes.exclusive else 1
        for suffix, key in _planes(analysis.labels.shape, analysis.labels.axes):
            plane = np.asarray(mask[key if classes.exclusive else (number, *key)])
            picture = (plane == own).astype(np.uint8) * 255
            iio.imwrite(folder / f"{word}{suffix}.png", picture, extension=".png")


def _planes(
    shape: tuple[int, ...], axes: tuple[str, ...]
) -> Iterator[tuple[str, tuple[int | slice, ...]]]:
    """Yield the index of each plane of a mask with what its file's name ends with."""
    through = [n for n, name in enumerate(axes) if name not in ("y", "x")]
    for index in product(*(range(shape[n]) for n in through)):
        key: list[int | slice] = [slice(None)] * len(shape)
        for n, at in zip(through, index, strict=True):
            key[n] = at
        words = "".join(f"_{axes[n]}{at:04d}" for n, at in zip(through, index, strict=True))
        yield words, tuple(key)


def _words(analysis: Analysis) -> list[str]:
    """Return a file name for each class; two that would be the same get their value."""
    classes = analysis.labels.classes
    plain = [re.sub(r"[^\w.-]+", "_", name).strip("._") or "class" for name in classes.names]
    folded = [word.lower() for word in plain]
    return [
        word if folded.count(word.lower()) == 1 else f"{word}_{value}"
        for word, value in zip(plain, classes.values, strict=True)
    ]


class _Channel:
    """One channel of scores that may lie on the disk."""

    def __init__(self, scores: Any, channel: int) -> None:
        self._scores, self._channel = scores, channel
        self.shape = tuple(int(n) for n in scores.shape[1:])
        self.dtype = scores.dtype

    def __getitem__(self, key: Any) -> Any:
        key = key if isinstance(key, tuple) else (key,)
        return self._scores[(self._channel, *key)]
