"""What comes next is read while the network computes: order, errors, stopping, no thread left."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import image_of, make

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.ahead import read_ahead
from napari_defectseg.inference.engines.exact import ExactEngine
from napari_defectseg.inference.predict import predict, predict_steps
from napari_defectseg.inference.settings import PredictSettings

TILED = PredictSettings(tile=64, threads=1)


def readers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("reads-ahead")]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(), max_size=20))
def test_items_come_all_and_in_their_order(items: list[int]) -> None:
    assert list(read_ahead(one for one in items)) == items
    assert not readers()


def test_the_next_item_is_read_while_one_is_used_and_no_more_than_one() -> None:
    read, more = list[int](), threading.Event()

    def items() -> Generator[int, None, None]:
        for number in range(5):
            read.append(number)
            if number == 1:
                more.set()
            yield number

    with closing(read_ahead(items())) as ahead:
        assert next(ahead) == 0
        assert more.wait(5)
        assert read == [0, 1]


def test_an_error_comes_where_its_item_would_have_come() -> None:
    def items() -> Generator[int, None, None]:
        yield 1
        raise ImageError("broken")

    ahead = read_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(ImageError, match="broken"):
        next(ahead)
    assert not readers()


def test_closing_lets_a_read_end_and_closes_what_was_read_from() -> None:
    closed = threading.Event()

    def items() -> Generator[int, None, None]:
        try:
            yield from range(100)
        finally:
            closed.set()

    ahead = read_ahead(items())
    next(ahead)
    ahead.close()
    assert closed.is_set()
    assert not readers()


class Noting:
    """An array that notes who reads it."""

    def __init__(self, data: np.ndarray[Any, Any]) -> None:
        self._data = data
        self.shape, self.dtype, self.ndim = data.shape, data.dtype, data.ndim
        self.threads = set[str]()

    def __getitem__(self, key: Any) -> np.ndarray[Any, Any]:
        self.threads.add(threading.current_thread().name)
        return self._data[key]

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray[Any, Any]:
        return np.asarray(self._data, *args, **kwargs)


def test_a_prediction_reads_in_another_thread_and_gives_the_same() -> None:
    model, image = make(2), image_of((5, 100, 90), "zyx")
    noting = Noting(np.asarray(image.data))
    seen = replace(image, data=noting)
    found = predict(model, seen, TILED)
    np.testing.assert_array_equal(found.scores, predict(model, image, TILED).scores)
    assert any(name.startswith("reads-ahead") for name in noting.threads)
    assert not readers()


def test_the_network_runs_while_the_next_tile_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first pass ends only once the second plane is read: one after the other would hang."""
    data = np.asarray(image_of((3, 40, 40), "zyx").data)
    second = threading.Event()

    class Slow(Noting):
        def __getitem__(self, key: Any) -> np.ndarray[Any, Any]:
            if threading.current_thread().name.startswith("reads-ahead"):
                self.count = getattr(self, "count", 0) + 1
                if self.count == 2:
                    second.set()
            return super().__getitem__(key)

    run, waited = ExactEngine.run_batch, list[bool]()

    def waiting(self: ExactEngine, blocks: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        waited.append(second.wait(10))
        return run(self, blocks)

    monkeypatch.setattr(ExactEngine, "run_batch", waiting)
    image = CalibratedImage.from_array(data, axes="zyx")
    predict(make(2), replace(image, data=Slow(data)), PredictSettings(threads=1))
    assert all(waited)


def test_a_prediction_that_is_stopped_or_fails_leaves_no_reader() -> None:
    model = make(2)
    steps = predict_steps(model, image_of((300, 300), "yx"), TILED)
    for step in steps:
        if step.partial is not None:
            break
    steps.close()
    assert not readers()
    data = np.zeros((4, 60, 60), np.float32)
    data[2, 5, 7] = np.nan
    with pytest.raises(ImageError, match="without a finite value"):
        predict(model, CalibratedImage.from_array(data, axes="zyx"), TILED)
    assert not readers()
