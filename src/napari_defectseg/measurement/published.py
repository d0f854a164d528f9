"""Scores of published systems, pooled as their authors pool them, beside the field's way.

Equal names hide different sums: the mean IoU of MFF-Metal leaves the background out, the mean
of the powder-bed U-Net goes over pairs of image and class, DefectSegNet chooses its threshold
on the pixels that it is scored on. A comparison with a published number must use its pooling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
IGNORED = 255
NAN = float("nan")


def confusion(truth: Sequence[Array], shown: Sequence[Array], classes: int) -> Array:
    """Return pixels by true class (rows) and predicted class, summed over images.

    Parameters
    ----------
    truth, shown : sequence of ndarray of int
        Class numbers from 0; truth of 255 is left out.
    classes : int
        With the background.
    """
    total = np.zeros((classes, classes), np.int64)
    for one, other in zip(truth, shown, strict=True):
        known = one != IGNORED
        pairs = one[known].astype(np.int64) * classes + other[known]
        total += np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    return total


def iou(matrix: Array) -> Array:
    """Return IoU of each class of a confusion matrix, nan where the class is nowhere."""
    both = np.diag(matrix).astype(float)
    union = matrix.sum(0) + matrix.sum(1) - np.diag(matrix)
    return _ratio(both, union)


def mean_iou(matrix: Array, *, background: bool) -> float:
    """Return the mean IoU over classes that are somewhere.

    Parameters
    ----------
    background : bool
        Whether class 0 counts: False in MFF-Metal, True in most papers on scenes.
    """
    values = iou(matrix)[0 if background else 1 :]
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else NAN


def accuracy(matrix: Array) -> float:
    """Return the share of pixels that are right, background included."""
    total = matrix.sum()
    return float(np.trace(matrix) / total) if total else NAN


@dataclass(frozen=True)
class PairScores:
    """Means over pairs of image and class, as the powder-bed U-Net is judged.

    Parameters
    ----------
    pairs : int
        Pairs that are not empty in truth and prediction alike; only these count.
    iou, dice, precision, recall : tuple of (float, float)
        Mean and standard deviation (divided by N); nothing predicted, or nothing there,
        counts as 0.
    """

    pairs: int
    iou: tuple[float, float]
    dice: tuple[float, float]
    precision: tuple[float, float]
    recall: tuple[float, float]


def over_pairs(truth: Array, shown: Array) -> PairScores:
    """Return the scores over all pairs of image and class.

    Parameters
    ----------
    truth, shown : ndarray of bool, shape (image, class, y, x)
    """
    axes = tuple(range(2, truth.ndim))
    tp = (truth & shown).sum(axes).ravel().astype(float)
    fp = (~truth & shown).sum(axes).ravel().astype(float)
    fn = (truth & ~shown).sum(axes).ravel().astype(float)
    kept = tp + fp + fn > 0
    tp, fp, fn = tp[kept], fp[kept], fn[kept]

    def told(top: Array, below: Array) -> tuple[float, float]:
        values = np.nan_to_num(_ratio(top, below))
        return (float(values.mean()), float(values.std())) if values.size else (NAN, NAN)

    return PairScores(
        int(kept.sum()),
        told(tp, tp + fp + fn),
        told(2 * tp, 2 * tp + fp + fn),
        told(tp, tp + fp),
        told(tp, tp + fn),
    )


@dataclass(frozen=True)
class BestThreshold:
    """The threshold that gives the highest IoU on the pixels it was chosen on.

    Parameters
    ----------
    threshold, iou : float
        The IoU is optimistic: chosen and scored on the same pixels.
    """

    threshold: float
    iou: float


def best_threshold(truth: Array, output: Array, *, steps: int = 100) -> BestThreshold:
    """Return DefectSegNet's choice: the best of `steps` thresholds from least to greatest output.

    Parameters
    ----------
    truth : ndarray of bool
    output : ndarray of float, same shape
        A pixel is shown where ``output > threshold``.
    """
    tried = np.linspace(float(output.min()), float(output.max()), steps)
    inside = np.sort(output[truth])
    outside = np.sort(output[~truth])
    tp = inside.size - np.searchsorted(inside, tried, side="right")
    fp = outside.size - np.searchsorted(outside, tried, side="right")
    values = np.nan_to_num(_ratio(tp.astype(float), inside.size + fp))
    place = int(values.argmax())
    return BestThreshold(float(tried[place]), float(values[place]))


@dataclass(frozen=True)
class VoxelScores:
    """Voxel by voxel at 0.5, as Keras reports for the 3D-DCNN.

    Parameters
    ----------
    tp, tn, fp, fn : int
    """

    tp: int
    tn: int
    fp: int
    fn: int

    @property
    def accuracy(self) -> float:
        """Share of voxels that are right."""
        return (self.tp + self.tn) / max(1, self.tp + self.tn + self.fp + self.fn)

    @property
    def precision(self) -> float:
        """Share of the shown voxels that are there; nan where none is shown."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else NAN


def voxelwise(truth: Array, probability: Array, threshold: float = 0.5) -> VoxelScores:
    """Return voxels by truth and by ``probability > threshold``."""
    shown = probability > threshold
    there = truth.astype(bool)
    return VoxelScores(
        int((there & shown).sum()),
        int((~there & ~shown).sum()),
        int((~there & shown).sum()),
        int((there & ~shown).sum()),
    )


def _ratio(top: Array, below: Array) -> Array:
    found: Array = np.divide(top, below, out=np.full(np.shape(top), np.nan), where=below > 0)
    return found
