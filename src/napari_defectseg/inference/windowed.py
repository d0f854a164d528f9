"""Scores of a plane or volume from overlapping patches whose logits are blended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from napari_defectseg.inference.engine import Engine
from napari_defectseg.inference.patches import WindowPlan, boxes, weights
from napari_defectseg.inference.spacing import axis_apart, new_shape, resampled
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.preprocess import FittedChain, fit_chain
from napari_defectseg.models.windows import Windows

Array = np.ndarray[Any, Any]
Box = tuple[slice, ...]
SLAB = 1 << 24
"""Values whose activation is computed at once."""


class WindowedPlane:
    """One plane or volume on its way through a model that sees patches.

    Axes are put in the network's order, the border of zeros is cut off, grey values are
    normalised, the pixel size is made that of the model; patches are computed and blended; then
    all of this backwards with the logits. What was cut off is background.

    Parameters
    ----------
    card : ModelCard
        With windows.
    plan : WindowPlan
    item : ndarray, shape (in_channels, *spatial)
        All of it, finite.
    chain : FittedChain
        For grey values, where the card's scope is not the slice.
    spacing : sequence of float or None
        Pixel size of the item along its axes in the unit of the windows.
    """

    def __init__(
        self,
        card: ModelCard,
        plan: WindowPlan,
        item: Array,
        chain: FittedChain,
        spacing: Sequence[float] | None,
    ) -> None:
        assert card.windows is not None
        self._card, self._plan, self._windows = card, plan, card.windows
        self._chain = chain
        order = self._windows.axes
        self._item = item.transpose(0, *(1 + axis for axis in order))
        self._spacing = None if spacing is None else [spacing[axis] for axis in order]
        self._box = _box(self._item) if self._windows.crop else _all(self._item.shape[1:])
        self._logits: Array | None = None
        self._blended = np.zeros(0)

    def passes(self, engine: Engine) -> Iterator[float]:
        """Compute the patches; yields the part that is done after each of them."""
        block = self._ready()
        inside, shape = _centred(block.shape[1:], self._windows)
        padded = np.zeros((block.shape[0], *shape), np.float32)
        padded[(slice(None), *inside)] = block
        count = engine.members if self._windows.style == "nnunet" else 1
        for number in range(count):
            member = number if count > 1 else None
            for part in self._blend(engine, padded, member):
                yield (number + part) / count
            found = self._blended[(slice(None), *inside)]
            self._logits = found if self._logits is None else self._logits + found
        if self._logits is not None and count > 1:
            self._logits /= count

    def _blend(self, engine: Engine, padded: Array, member: int | None) -> Iterator[float]:
        """Add up the patches of one network (or of all together)."""
        # nnU-Net adds in half precision. Where weights are tiny, in the corners of a volume, the
        # rounding decides what comes out, so the same is done here.
        kind = np.float16 if self._windows.style == "nnunet" else np.float32
        bell = weights(self._windows).astype(kind)
        shape = padded.shape[1:]
        total = np.zeros((self._card.out_channels, *shape), kind)
        weight = np.zeros(shape, kind)
        patches = list(boxes(shape, self._windows))
        for number, box in enumerate(patches, start=1):
            patch = padded[(slice(None), *box)]
            found = _mirrored(engine, patch, self._windows.mirror, member)
            found *= bell
            total[(slice(None), *box)] += found
            weight[box] += bell
            yield number / len(patches)
        total /= weight
        self._blended = total

    def scores(self, engine: Engine) -> Array:
        """Return the scores, after all passes.

        Returns
        -------
        ndarray of float32, shape (score_channels, *spatial)
        """
        assert self._logits is not None
        shape = tuple(part.stop - part.start for part in self._box)
        logits = resampled(self._logits, shape, self._apart(back=True), order=1)
        whole = self._item.shape[1:]
        result = np.zeros((self._card.score_channels, *whole), np.float32)
        if self._card.task == "exclusive":
            result[0] = 1.0
        inside = result[(slice(None), *self._box)]
        rows = max(1, SLAB // max(1, logits[:, :1].size))
        for start in range(0, shape[0], rows):
            part = slice(start, start + rows)
            inside[:, part] = engine.activated(logits[:, part])
        back = np.argsort(self._windows.axes)
        return result.transpose(0, *(1 + int(axis) for axis in back))

    def _ready(self) -> Array:
        block = _normalised(
            self._item[(slice(None), *self._box)], self._card, self._windows, self._chain
        )
        wanted = self._wanted()
        if wanted is None or self._spacing is None:
            return block
        shape = new_shape(block.shape[1:], self._spacing, wanted)
        return resampled(block, shape, self._apart(back=False), order=3)

    def _wanted(self) -> list[float] | None:
        spacing = self._windows.spacing
        return None if spacing is None else [spacing[axis] for axis in self._windows.axes]

    def _apart(self, *, back: bool) -> int | None:
        wanted = self._wanted()
        if wanted is None or self._spacing is None or len(wanted) < 3:
            return None
        steps = (wanted, self._spacing) if back else (self._spacing, wanted)
        return axis_apart(*steps, self._windows.separate)


def _normalised(block: Array, card: ModelCard, windows: Windows, chain: FittedChain) -> Array:
    """Return the block with its grey values made ready; zeros around an object stay zero."""
    own = card.scope == "slice"
    result = (fit_chain(card.preprocessing, block) if own else chain).apply(block)
    if not any(windows.masked):
        return result
    from scipy.ndimage import binary_fill_holes

    mask = binary_fill_holes((block != 0).any(axis=0))
    inner = block[:, mask]
    fitted = fit_chain(card.preprocessing, inner) if own and inner.size else chain
    for channel, masked in enumerate(windows.masked):
        if masked:
            result[channel] = 0.0
            if inner.size:
                result[channel][mask] = fitted.apply(inner)[channel]
    return result


def _mirrored(engine: Engine, patch: Array, axes: Sequence[int], member: int | None) -> Array:
    """Return the mean of the logits of a patch and of its mirror images, turned back."""
    total: Array = engine.logits(patch[None], member)[0].copy()
    turns = [turn for n in range(1, len(axes) + 1) for turn in combinations(sorted(axes), n)]
    for turn in turns:
        along = tuple(1 + axis for axis in turn)
        found = engine.logits(np.flip(patch, along)[None], member)[0]
        total += np.flip(found, along)
    total /= 1 + len(turns)
    return total


def _box(item: Array) -> Box:
    """Return the box around all pixels that are not zero in every channel; all if none is."""
    filled = (item != 0).any(axis=0)
    found = []
    for axis in range(filled.ndim):
        others = tuple(n for n in range(filled.ndim) if n != axis)
        where = np.flatnonzero(filled.any(axis=others))
        if not where.size:
            return _all(filled.shape)
        found.append(slice(int(where[0]), int(where[-1]) + 1))
    return tuple(found)


def _all(shape: Sequence[int]) -> Box:
    return tuple(slice(0, n) for n in shape)


def _centred(shape: Sequence[int], windows: Windows) -> tuple[Box, tuple[int, ...]]:
    """Return where a block lies among the zeros around it, and the lengths of both."""
    padded = tuple(max(n, size) for n, size in zip(shape, windows.size, strict=True))
    starts = [(p - n) // 2 for n, p in zip(shape, padded, strict=True)]
    return tuple(slice(s, s + n) for s, n in zip(starts, shape, strict=True)), padded
