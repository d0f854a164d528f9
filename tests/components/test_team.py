"""Several threads give what one gives, to the last bit."""

import numba
import numpy as np
import pytest

from napari_defectseg.components import team as teams
from napari_defectseg.components.label import label
from napari_defectseg.components.team import Team
from napari_defectseg.measurement.regions import measure_regions


def scenes():
    """Return masks that put objects, giants and holes across every seam."""
    rng = np.random.default_rng(0)
    noise = rng.random((40, 30, 50))
    return {
        "volume": noise < 0.12,
        "giant": noise < 0.5,
        "classes": (noise * 6).astype(np.uint8) % 4,
        "plane": rng.random((300, 200)) < 0.4,
        "few rows": rng.random((3, 400)) < 0.4,
        "empty": np.zeros((20, 20, 20), bool),
    }


@pytest.fixture(params=[2, 3, 7])
def threads(request, monkeypatch):
    monkeypatch.setattr(teams, "WORTH", 1)
    return lambda count=request.param: monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", count)


@pytest.mark.parametrize("name", scenes())
@pytest.mark.parametrize("connectivity", [1, None])
def test_labels_are_the_same(threads, name, connectivity):
    mask = scenes()[name]
    threads(1)
    alone = label(mask, connectivity=connectivity)
    threads()
    together = label(mask, connectivity=connectivity)
    assert together[1] == alone[1]
    np.testing.assert_array_equal(together[0], alone[0])


@pytest.mark.parametrize("name", scenes())
@pytest.mark.parametrize("numbered", [False, True])
def test_tables_are_the_same_to_the_last_bit(threads, monkeypatch, name, numbered):
    """Grey values that no sum holds exactly; slabs of few rows, so that objects span many."""
    monkeypatch.setattr("napari_defectseg.measurement.slabs.SLAB", 2000)
    mask = scenes()[name]
    grey = np.random.default_rng(1).normal(100, 30, mask.shape).astype(np.float32)
    given = label(mask)[0] if numbered else mask
    threads(1)
    alone = measure_regions(given, image=grey)
    threads()
    together = measure_regions(given, image=grey)
    assert together.names == alone.names
    for key in alone.names:
        np.testing.assert_array_equal(together[key], alone[key], err_msg=key)


def test_an_error_in_any_thread_is_told():
    with Team(3) as team, pytest.raises(ZeroDivisionError):
        team.run([lambda: 1, lambda: 1 // 0, lambda: 1])


def test_what_is_made_ahead_comes_in_order_and_stops_with_its_reader():
    made = []
    with Team(2) as team:
        found = team.ahead((lambda k=k: made.append(k) or k) for k in range(50))
        assert [next(found) for _ in range(3)] == [0, 1, 2]
        found.close()
    assert len(made) <= 4
