"""The networks that other tests predict with say something."""

from __future__ import annotations

import pytest
from small_models import image_of, make

from napari_defectseg.inference.predict import predict


@pytest.mark.parametrize(("dims", "shape"), [(2, (40, 50)), (3, (16, 20, 24))])
def test_scores_differ_from_place_to_place(dims: int, shape: tuple[int, ...]) -> None:
    """A network whose units are all dead would make every comparison of tiles hold."""
    found = predict(make(dims, (4, 6, 8)), image_of(shape, "zyx"[-dims:])).scores
    assert found.reshape(found.shape[0], -1).std(axis=1).min() > 0.01
