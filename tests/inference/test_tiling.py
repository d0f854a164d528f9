"""Tiles: every pixel once, on the grid, with the whole field of view around it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.inference.tiling import TilingSettings, plan_tiles

SHAPES = st.lists(st.integers(1, 90), min_size=2, max_size=3).map(tuple)


@given(
    shape=SHAPES,
    levels=st.integers(0, 3),
    cells=st.integers(0, 3),
    memory=st.integers(10_000, 1_000_000),
)
@settings(deadline=None)
def test_tiles_cover_every_pixel_once_and_see_enough(shape, levels, cells, memory) -> None:
    grid = 1 << levels
    halo = cells * grid
    try:
        plan = plan_tiles(shape, grid, halo, TilingSettings(memory, 1.0))
    except DeviceError:
        return
    seen = np.zeros(shape, int)
    for tile in plan:
        seen[tile.inner] += 1
        assert np.prod(tile.shape) <= memory
        for axis, (outer, inner) in enumerate(zip(tile.outer, tile.inner, strict=True)):
            assert outer.start % grid == 0
            assert outer.stop % grid == 0
            assert outer.start == max(inner.start - halo, 0)
            assert outer.stop >= min(inner.stop + halo, shape[axis])
            assert tile.read[axis].stop + tile.pad[axis] == outer.stop
    assert (seen == 1).all()
    assert plan.work == sum(int(np.prod(tile.shape)) for tile in plan)


@given(shape=SHAPES)
@settings(deadline=None)
def test_smaller_plans_end(shape) -> None:
    plan, count = plan_tiles(shape, 4, 8, TilingSettings(1 << 30, 1.0)), 0
    while (smaller := plan.smaller()) is not None:
        assert np.prod(smaller.largest) < np.prod(plan.largest)
        plan, count = smaller, count + 1
    assert plan.largest == tuple(min(4 + 2 * 8, n) for n in plan.padded)
    assert count < 64


def test_too_little_memory_says_how_much_is_needed() -> None:
    with pytest.raises(DeviceError, match=r"1e-05 MB are not enough.*Allow at least 0\.0004 MB"):
        plan_tiles((64, 64), 4, 8, TilingSettings(10, 1.0))


def test_a_network_that_sees_everything_is_never_cut() -> None:
    assert plan_tiles((64, 64), 4, None, TilingSettings(4096, 1.0)).whole
    with pytest.raises(DeviceError, match="looks at the whole image"):
        plan_tiles((64, 64), 4, None, TilingSettings(4095, 1.0))
    with pytest.raises(ModelError, match="cannot be cut into tiles"):
        plan_tiles((64, 64), 4, None, TilingSettings(4095, 1.0, tile=32))


def test_a_tile_without_an_inside_is_refused() -> None:
    with pytest.raises(ModelError, match=r"16 pixels has no inside.*Use at least 20"):
        plan_tiles((64, 64), 4, 8, TilingSettings(1, 1.0, tile=16))
