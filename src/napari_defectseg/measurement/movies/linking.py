"""`link`: which object of a frame is which of the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Tracker:
    """How objects are linked.

    Parameters
    ----------
    reach : float
        The farthest step, in the unit of the points.
    memory : int
        For how many frames an object may be lost.
    """

    reach: float
    memory: int = 1

    def link(self, frames: Sequence[Real]) -> list[Whole]:
        """Return the number of the track of every point, from 1 in order of appearance.

        Of all ways to link the points of a frame with the tracks that are known, the one with
        the least sum of squared steps, where an end and a beginning together cost the square of
        the longest step (Crocker & Grier 1996, 10.1006/jcis.1996.0217). A step over lost frames
        may be no longer than one over a single frame: what is lost is looked for where it was.

        Parameters
        ----------
        frames : sequence of ndarray, shape (points, ndim)
            Positions in each frame.
        """
        known: list[tuple[int, int, Real]] = []
        found: list[Whole] = []
        last = 0
        for frame, points in enumerate(frames):
            names = np.zeros(len(points), np.int64)
            known = [one for one in known if frame - one[1] - 1 <= self.memory]
            for track, point in self._pairs([one[2] for one in known], points):
                names[point] = known[track][0]
            new = np.flatnonzero(names == 0)
            names[new] = np.arange(last + 1, last + 1 + new.size)
            last += new.size
            seen = set(names.tolist())
            known = [one for one in known if one[0] not in seen]
            known += [(int(n), frame, p) for n, p in zip(names, points, strict=True)]
            found.append(names)
        return found

    def _pairs(self, tracks: Sequence[Real], points: Real) -> list[tuple[int, int]]:
        """Return pairs of track and point; only groups that are in reach compete."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components
        from scipy.spatial import cKDTree

        if not tracks or not len(points):
            return []
        one, other = cKDTree(np.stack(tracks)), cKDTree(points)
        near = one.sparse_distance_matrix(other, self.reach, output_type="coo_matrix")
        # A step of length 0 is a link, too; the matrix leaves zeros out.
        lists = one.query_ball_tree(other, 0.0)
        exact = [(track, point) for track, hits in enumerate(lists) for point in hits]
        rows = np.concatenate([near.row, np.array([t for t, _ in exact], np.int64)])
        columns = np.concatenate([near.col, np.array([p for _, p in exact], np.int64)])
        steps = np.concatenate([near.data, np.zeros(len(exact))])
        if not rows.size:
            return []
        size = len(tracks) + len(points)
        ones = np.ones(rows.size)
        graph = coo_matrix((ones, (rows, len(tracks) + columns)), shape=(size, size))
        group = connected_components(graph, directed=False)[1]
        of = group[rows]
        order = np.argsort(of, kind="stable")
        cuts = np.flatnonzero(np.diff(of[order])) + 1
        found: list[tuple[int, int]] = []
        for part in np.split(order, cuts):
            found += self._assigned(rows[part], columns[part], steps[part])
        return found

    def _assigned(self, rows: Whole, columns: Whole, steps: Real) -> list[tuple[int, int]]:
        from scipy.optimize import linear_sum_assignment

        if rows.size == 1:
            return [(int(rows[0]), int(columns[0]))]
        tracks, row = np.unique(rows, return_inverse=True)
        points, column = np.unique(columns, return_inverse=True)
        gain = np.zeros((tracks.size, points.size))
        # The least gain keeps a step of exactly the longest length better than none.
        gain[row, column] = np.maximum(self.reach**2 - steps**2, 1e-12 * self.reach**2)
        chosen = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
        return [(int(tracks[r]), int(points[c])) for r, c in chosen if gain[r, c] > 0]


def usual_reach(frames: Sequence[Real], diameter: float) -> float:
    """Return how far an object is taken to move at most: one mean diameter.

    At most half the median distance between neighbours of one frame: beyond that the nearest
    point of the next frame may well be another object.

    Parameters
    ----------
    frames : sequence of ndarray, shape (points, ndim)
    diameter : float
        Mean equivalent diameter, in the unit of the points.
    """
    from scipy.spatial import cKDTree

    some = [points for points in frames if len(points) > 1]
    gaps = [np.asarray(cKDTree(points).query(points, k=2)[0])[:, 1] for points in some]
    if not gaps:
        return diameter
    return float(min(diameter, np.median(np.concatenate(gaps)) / 2))
