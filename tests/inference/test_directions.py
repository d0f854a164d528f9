"""A volume across three axes: the mean of what a network for planes finds in each direction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import image_of, kernel_model, make

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DeviceError, ImageError, ModelError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference import directions, scores
from napari_defectseg.inference.directions import across
from napari_defectseg.inference.engines.exact import ExactEngine
from napari_defectseg.inference.forecast import forecast
from napari_defectseg.inference.predict import predict, predict_steps
from napari_defectseg.inference.recover import MemoryFull
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.ensemble import EnsembleModel
from napari_defectseg.models.joined import join_models

THREE = PredictSettings(volume="three-axes")
POINT = np.zeros((3, 3))
POINT[1, 1] = 1
UP = np.array([[0, -1, 0], [0, 1, 0], [0, 0, 0]])
"""How much brighter a pixel is than the one above it in its plane."""


def even(shape: tuple[int, ...], axes: str = "zyx", step: float = 1.0) -> CalibratedImage:
    """Noise with pixels of one size along every axis."""
    return image_of(shape, axes).with_calibration(Calibration.of((step,) * 3, "nm"))


@given(st.permutations("tczyx"), st.sampled_from("zyx"))
@settings(max_examples=20, deadline=None)
def test_planes_across_an_axis_are_those_of_the_array(order: list[str], axis: str) -> None:
    """No pixel is moved: only the names of the axes change, pixel sizes stay with their axis."""
    lengths = {"t": 2, "c": 3, "z": 4, "y": 5, "x": 6}
    steps = {"z": 4.0, "y": 5.0, "x": 6.0}
    data = np.arange(720).reshape([lengths[name] for name in order])
    size = Calibration.of([steps[name] for name in order if name in steps], "nm")
    image = CalibratedImage.from_array(data, axes=tuple(order), calibration=size)
    seen = across(image, axis)
    assert seen.data is image.data
    np.testing.assert_array_equal(seen.read(z=2, t=0), image.read(**{axis: 2, "t": 0}))
    assert seen.size_along(("z",)).spacing == (steps[axis],)
    rest = [name for name in "zyx" if name != axis]
    assert seen.size_along(("y", "x")).spacing == tuple(steps[name] for name in rest)


def test_a_threshold_is_the_same_from_every_side() -> None:
    """A pixel that decides alone does not care across which axis its plane is cut."""
    model = kernel_model(POINT)
    image = even((12, 15, 18))
    found = predict(model, image, THREE)
    np.testing.assert_allclose(found.scores, predict(model, image).scores, atol=2e-7)
    assert found.axes == ("z", "y", "x")
    assert found.plan["passes"] == 12 + 15 + 18
    assert [plan["across"] for plan in found.plan["directions"]] == ["z", "y", "x"]
    assert found.warnings == ()
    assert found.disagreement is None


@pytest.mark.parametrize("axes", ["zyx", "xzy", "tzyx"])
def test_a_network_that_looks_one_way_gives_the_mean_of_three(axes: str) -> None:
    """Planes across z and x look along y and z; planes across y look along z."""
    model = kernel_model(UP)
    lengths = {"t": 2, "z": 9, "y": 10, "x": 11}
    image = even(tuple(lengths[name] for name in axes), axes)
    found = predict(model, image, THREE).scores
    data = image.read().astype(np.float64) / 255

    def up(axis: str) -> np.ndarray[Any, Any]:
        place = axes.index(axis)
        before = np.roll(data, 1, place)
        before[tuple(slice(0, 1) if n == place else slice(None) for n in range(data.ndim))] = 0
        return 1 / (1 + np.exp(-4 * (data - before)))

    wanted = (up("y") + up("z") + up("z")) / 3
    # Beyond the border the network sees zeros, and mirrored pixels where the grid is not met.
    np.testing.assert_allclose(found[0], wanted, atol=2e-6)


def test_slices_far_apart_are_resampled_for_the_other_two_directions() -> None:
    """Linear grey values stay linear; the network sees square pixels across y and x alone."""
    model = kernel_model(POINT, preprocessing=())
    ramp = np.broadcast_to(np.linspace(-1, 1, 8, dtype=np.float32)[:, None, None], (8, 16, 16))
    size = Calibration.of((6.0, 2.0, 2.0), "nm")
    image = CalibratedImage.from_array(np.ascontiguousarray(ramp), axes="zyx", calibration=size)
    found = predict(model, image, THREE)
    first, *others = found.plan["directions"]
    assert "resampled" not in first
    for plan in others:
        assert plan["resampled"]["from"] == [8, 16]
        assert plan["resampled"]["to"] == [24, 16]
    assert found.scores.shape == (1, 8, 16, 16)
    plain = predict(model, image).scores
    np.testing.assert_allclose(found.scores[:, 1:-1], plain[:, 1:-1], atol=0.02)
    assert "slices 6 nm apart and pixels of 2 nm" in " ".join(found.warnings)


def test_the_network_sees_every_direction_at_a_pixel_size_it_was_made_for() -> None:
    """Square pixels first, then the nearest size inside the model's range."""
    model = kernel_model(POINT, pixel_size=(1.0, 1.0), pixel_unit="nm", pixel_policy="resample")
    size = Calibration.of((6.0, 2.0, 2.0), "nm")
    image = image_of((8, 16, 16), "zyx").with_calibration(size)
    found = predict(model, image, THREE)
    sizes = [plan["resampled"]["to"] for plan in found.plan["directions"]]
    assert sizes == [[32, 32], [48, 32], [48, 32]]


def test_unknown_distances_count_as_equal_and_that_is_said() -> None:
    model = kernel_model(POINT)
    found = predict(model, image_of((6, 7, 8), "zyx"), THREE)
    assert "as far apart as its pixels" in " ".join(found.warnings)
    assert "resampled" not in found.plan["directions"][1]


def test_absurd_distances_are_refused() -> None:
    size = Calibration.of((100.0, 1.0, 1.0), "nm")
    image = image_of((4, 16, 16), "zyx").with_calibration(size)
    with pytest.raises(ImageError, match=r"100 times as long.*slice by slice"):
        predict(kernel_model(POINT), image, THREE)


def test_what_has_no_three_directions_is_refused() -> None:
    with pytest.raises(ImageError, match="need a volume with z, y, x"):
        predict(kernel_model(POINT), image_of((9, 9), "yx"), THREE)
    with pytest.raises(ImageError, match="need a volume with z, y, x"):
        predict(kernel_model(POINT), image_of((3, 9, 9), "tyx"), THREE)
    with pytest.raises(ModelError, match=r"sees volumes as they are.*volume=slices"):
        predict(make(3, (2,)), even((8, 8, 8)), THREE)
    with pytest.raises(DeviceError, match="volume='sides' is not known"):
        PredictSettings(volume="sides")  # type: ignore[arg-type]


def test_steps_count_all_three_and_show_what_there_is_so_far() -> None:
    model = kernel_model(POINT)
    image = even((5, 6, 7))
    steps = list(predict_steps(model, image, THREE))
    assert [step.total for step in steps if step.total] == [18] * sum(bool(s.total) for s in steps)
    assert steps[-1].done == 18
    assert sorted(s.done for s in steps) == [s.done for s in steps]
    words = " ".join(step.text for step in steps)
    assert all(f"across {axis}" in words for axis in "zyx")
    last = [step.partial for step in steps if step.partial is not None][-1]
    wanted = predict(model, image).scores[last.where]
    np.testing.assert_allclose(last.scores, wanted, atol=2e-7)


@pytest.mark.parametrize("memory", [10**9, 10**4])
def test_what_lies_on_the_disk_is_the_same(monkeypatch: pytest.MonkeyPatch, memory: int) -> None:
    """Planes across y and x are gathered into slabs: each chunk is written once a direction."""
    monkeypatch.setattr(directions, "SIDES", {3: 6})
    monkeypatch.setattr(scores, "SIDES", {2: 1024, 3: 6})
    model = kernel_model(UP)
    image = even((10, 13, 14))
    wanted = predict(model, image, THREE).scores
    monkeypatch.setattr(scores, "on_disk", lambda job, held=0: True)
    takes = []
    take = directions.Slabs.flush

    def counted(self: directions.Slabs) -> Any:
        takes.append(self._at is not None)
        return take(self)

    monkeypatch.setattr(directions.Slabs, "flush", counted)
    found = predict(model, image, replace(THREE, memory=memory, tile=16))
    assert not isinstance(found.scores, np.ndarray)
    np.testing.assert_allclose(np.asarray(found.scores[:]), wanted, atol=1e-6)
    if memory == 10**9:
        assert sum(takes) == 2 + 3 + 3
    else:
        assert sum(takes) > 8


def test_a_store_that_is_asked_for_holds_the_mean(tmp_path: Path) -> None:
    model = kernel_model(UP)
    image = even((6, 7, 8))
    path = tmp_path / "scores.zarr"
    found = predict(model, image, replace(THREE, scores_path=str(path)))
    np.testing.assert_allclose(
        np.asarray(found.scores[:]), predict(model, image, THREE).scores, atol=1e-6
    )
    assert path.is_dir()


@pytest.mark.parametrize("at", [1, 12, 25])
def test_memory_that_ends_changes_nothing_but_the_tiles(
    monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """The direction begins anew in smaller tiles; what it gave before counts once."""
    model = make(2, (4, 6))
    image = even((9, 60, 58))
    wanted = predict(model, image, THREE).scores
    run, seen = ExactEngine.run, []

    def failing(self: ExactEngine, block: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        seen.append(block.shape)
        if len(seen) == at:
            raise MemoryFull("No memory is left.")
        return run(self, block)

    monkeypatch.setattr(ExactEngine, "run", failing)
    found = predict(model, image, THREE)
    assert "Smaller tiles were used" in " ".join(found.warnings)
    np.testing.assert_allclose(found.scores, wanted, atol=1e-5)


def test_several_models_each_across_three_axes() -> None:
    """The mean over models is that of their means; models side by side keep their own."""
    image = even((9, 10, 11))
    one, two = (make(2, w) for w in ((4,), (5,)))
    each = [predict(model, image, THREE).scores for model in (one, two)]
    both = predict(EnsembleModel([one, two]), image, THREE)
    np.testing.assert_allclose(both.scores, np.mean(each, axis=0), atol=1e-6)
    assert both.disagreement is not None
    other = make(2, (5,), classes=ClassMap.of(["crack"]), task="binary", activation="sigmoid")
    joined = predict(join_models([one, other]), image, THREE).scores
    np.testing.assert_allclose(joined[2:], predict(other, image, THREE).scores, atol=1e-6)
    np.testing.assert_allclose(joined[:2], each[0][1:], atol=1e-6)


def test_objects_hang_together_in_three_dimensions() -> None:
    """A rod across many slices is one object."""
    data = np.zeros((12, 14, 16), np.uint8)
    data[2:10, 5:8, 6:9] = 255
    size = Calibration.of((1.0, 1.0, 1.0), "nm")
    image = CalibratedImage.from_array(data, axes="zyx", calibration=size)
    labels = predict(kernel_model(POINT, thresholds={"edge": 0.9}), image, THREE).labels()
    assert len(labels.object_classes) == 1
    np.testing.assert_array_equal(labels.planes[0] > 0, data > 0)


def test_the_forecast_counts_three_directions() -> None:
    model, image = kernel_model(POINT), even((8, 16, 20))
    one, three = (forecast(model, image, how) for how in (None, THREE))
    assert three.passes == 8 + 16 + 20
    assert three.pixels == 3 * one.pixels
    assert three.memory < 2 * one.memory
