"""The random walker gives what the linear equations say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from napari_defectseg.labels import walker


def exact(values, marks, steps):
    """Solve the same equations directly."""
    scaled = (values / values.std()).astype(np.float32)
    pull = walker._prior(scaled, marks).astype(float)
    shape = values.shape
    index = np.arange(values.size).reshape(shape)
    rows, columns, entries = [], [], []
    diagonal = np.full(shape, walker.PRIOR)
    for axis in range(3):
        weights = walker._weights(scaled, axis, steps)
        first = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
        last = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        weight = weights[first].astype(float)
        diagonal[first] += weight
        diagonal[last] += weight
        for one, two in ((first, last), (last, first)):
            rows.append(index[one].ravel())
            columns.append(index[two].ravel())
            entries.append(-weight.ravel())
    rows.append(index.ravel())
    columns.append(index.ravel())
    entries.append(diagonal.ravel())
    matrix = coo_matrix((np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))))
    matrix = matrix.tocsr()
    fixed = (marks != walker.FREE).ravel()
    known = (marks == walker.INSIDE).ravel().astype(float)
    right = walker.PRIOR * pull.ravel() - matrix[:, fixed] @ known[fixed]
    answer = known.copy()
    answer[~fixed] = spsolve(matrix[~fixed][:, ~fixed].tocsc(), right[~fixed])
    return answer.reshape(shape)


@pytest.mark.parametrize("shape", [(1, 40, 44), (14, 18, 20)])
@pytest.mark.parametrize("seed", range(2))
def test_relaxation_agrees_with_a_direct_solution(shape, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.3, shape).astype(np.float32)
    values[:, 8:, 8:] += 1
    marks = np.zeros(shape, np.uint8)
    marks[:, 12, 12:15], marks[:, 0], marks[:, :, 0] = walker.INSIDE, walker.OUTSIDE, walker.OUTSIDE
    steps = (2.0, 1.0, 1.0)
    got, wanted = walker.walk(values, marks, steps), exact(values, marks, steps)
    assert np.abs(got - wanted).max() < 0.1
    assert np.mean((got > 0.5) != (wanted > 0.5)) < 0.01
    assert (got[marks == walker.INSIDE] == 1).all()
    assert (got[marks == walker.OUTSIDE] == 0).all()


def test_without_marks_of_both_kinds_the_grey_values_say_nothing():
    values = np.random.default_rng(0).random((4, 8, 8)).astype(np.float32)
    assert (walker.walk(values, np.zeros(values.shape, np.uint8), (1, 1, 1)) == 0.5).all()
