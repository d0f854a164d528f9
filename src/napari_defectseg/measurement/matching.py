"""`MatchRule`: which truth object and which predicted object are one and the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_defectseg.core.errors import MeasurementError

Kind = Literal["iou", "distance"]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class MatchRule:
    """When a truth object counts as found by a predicted object.

    Parameters
    ----------
    kind : {"iou", "distance"}
        By overlap (intersection over union), or by the distance of the centres: for objects of
        a few pixels, whose overlap says little.
    limit : float
        Smallest IoU, above 0 and up to 1; or largest distance, in the unit of the pixel size
        (px where there is none).

    Raises
    ------
    MeasurementError
        If the limit is out of range.
    """

    kind: Kind
    limit: float

    def __post_init__(self) -> None:
        highest = 1.0 if self.kind == "iou" else np.inf
        if not (0 < self.limit <= highest and np.isfinite(self.limit)):
            span = "above 0 and up to 1" if self.kind == "iou" else "above 0"
            raise MeasurementError(
                f"Objects cannot be matched by {self}.", hint=f"The number must be {span}."
            )

    def __str__(self) -> str:
        return f"{self.kind}:{self.limit:g}"

    @classmethod
    def parse(cls, text: str) -> MatchRule:
        """Return the rule of a text such as ``"iou:0.5"`` or ``"distance:8"``.

        Raises
        ------
        MeasurementError
            If it is no such text.
        """
        kind, _, number = text.partition(":")
        try:
            limit = float(number)
        except ValueError:
            limit = np.nan
        if kind.strip() not in ("iou", "distance") or np.isnan(limit):
            raise MeasurementError(
                f"Objects cannot be matched by {text!r}.",
                hint='Use "iou:0.5" (overlap) or "distance:8" (between centres).',
            )
        return cls("iou" if kind.strip() == "iou" else "distance", limit)


@dataclass(frozen=True)
class Matches:
    """Pairs of objects; each object is in one pair at most.

    Parameters
    ----------
    truth, predicted : ndarray of int64, shape (pairs,)
        Positions in the two lists of objects.
    value : ndarray of float64, shape (pairs,)
        IoU or distance of each pair.
    """

    truth: Numbers
    predicted: Numbers
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return int(self.truth.size)


def match_overlaps(truth: Numbers, predicted: Numbers, iou: NDArray[Any], least: float) -> Matches:
    """Match one to one: first as many pairs as can be, then the largest sum of IoU.

    Parameters
    ----------
    truth, predicted : ndarray of int64, shape (overlaps,)
        Positions of the objects that overlap.
    iou : ndarray of float, shape (overlaps,)
    least : float
        Smallest IoU of a pair; a pair that has exactly this is one.
    """
    near = iou >= least
    return _best(truth[near], predicted[near], iou[near], iou[near])


def match_centres(truth: NDArray[Any], predicted: NDArray[Any], reach: float) -> Matches:
    """Match one to one: first as many pairs as can be, then the smallest sum of distances.

    Parameters
    ----------
    truth, predicted : ndarray of float, shape (objects, axes)
        Centres in the unit of `reach`.
    reach : float
        Largest distance of a pair.
    """
    from scipy.spatial import KDTree

    nothing = np.zeros(0, np.int64)
    if not len(truth) or not len(predicted):
        return Matches(nothing, nothing, np.zeros(0))
    near = KDTree(truth).sparse_distance_matrix(KDTree(predicted), reach, output_type="ndarray")
    distance = np.asarray(near["v"], np.float64)
    rows, columns = near["i"].astype(np.int64), near["j"].astype(np.int64)
    return _best(rows, columns, distance, 1 - distance / reach)


def _best(
    truth: Numbers, predicted: Numbers, value: NDArray[np.float64], gain: NDArray[np.float64]
) -> Matches:
    """Choose among candidate pairs by their gains (0 to 1), each knot of pairs by itself."""
    if not truth.size:
        return Matches(truth, predicted, value)
    rows, columns = int(truth.max()) + 1, int(predicted.max()) + 1
    ends = (truth, rows + predicted)
    graph = coo_array((np.ones(truth.size), ends), shape=(rows + columns,) * 2)
    knot = connected_components(graph, directed=False)[1][truth]
    order = np.argsort(knot, kind="stable")
    cuts = np.flatnonzero(np.diff(knot[order])) + 1
    chosen = [_best_of_knot(part, truth, predicted, gain) for part in np.split(order, cuts)]
    index = np.sort(np.concatenate(chosen))
    return Matches(truth[index], predicted[index], value[index])


def _best_of_knot(
    part: Numbers, truth: Numbers, predicted: Numbers, gain: NDArray[np.float64]
) -> Numbers:
    if part.size == 1:
        return part
    rows, row = np.unique(truth[part], return_inverse=True)
    columns, column = np.unique(predicted[part], return_inverse=True)
    candidate = np.full((rows.size, columns.size), -1, np.int64)
    candidate[row, column] = part
    worth = np.zeros(candidate.shape)
    # One more pair outweighs any gain that all pairs together can lose.
    worth[row, column] = min(rows.size, columns.size) + 1 + gain[part]
    taken = candidate[linear_sum_assignment(worth, maximize=True)]
    return taken[taken >= 0]
