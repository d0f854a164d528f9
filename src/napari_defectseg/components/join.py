"""Objects of an array that is labelled block by block, joined across the seams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_defectseg.components.seams import BlockLabels
from napari_defectseg.core.errors import LabelError
from napari_defectseg.core.progress import Step, Steps, drive


def label_blocks(
    mask: Any, out: Any, block: Sequence[int], *, connectivity: int | None = None
) -> int:
    """Label the objects of a mask that need not fit into memory; see `label_blocks_steps`."""
    return drive(label_blocks_steps(mask, out, block, connectivity=connectivity))


def label_blocks_steps(
    mask: Any, out: Any, block: Sequence[int], *, connectivity: int | None = None
) -> Steps[int]:
    """Label the objects of a mask block by block; the result is that of `label`.

    Each block is labelled by itself and joined with those before it; then it is read again and
    numbered in the order of first pixels. At a time one block is in memory, and the layers at
    which the next blocks meet it.

    Parameters
    ----------
    mask : array-like of bool or uint8, 2D or 3D
        Anything with a shape that gives blocks when sliced, such as a store on disk.
    out : array-like of int32
        Of the same shape; each block is written once.
    block : sequence of int
        Shape of a block, one length an axis; for stores a multiple of their chunks.
    connectivity : int or None
        As for `label`.

    Returns
    -------
    int
        Number of objects (returned by the generator).

    Raises
    ------
    LabelError
        If shapes, blocks or connectivity do not fit.
    """
    shape = tuple(int(length) for length in mask.shape)
    if tuple(out.shape) != shape or out.dtype != np.int32:
        raise LabelError(
            f"Labels are written into an int32 array of shape {shape}; {out.dtype} of shape "
            f"{tuple(out.shape)} was given."
        )
    labels = BlockLabels(shape, block, connectivity=connectivity)
    boxes = labels.boxes
    for done, box in enumerate(boxes):
        yield Step(done, 2 * len(boxes), "Finding objects")
        labels.add(np.asarray(mask[box]))
    numbering = labels.numbering()
    for index, box in enumerate(boxes):
        yield Step(len(boxes) + index, 2 * len(boxes), "Numbering objects")
        out[box] = labels.draw(index, np.asarray(mask[box]), numbering.number)
    return len(numbering)
