"""Images outside the pixel sizes of a model: resampled, warned about, or taken as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_models import image_of, make

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import DeviceError, ImageError, ModelError
from napari_defectseg.core.progress import drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.forecast import forecast
from napari_defectseg.inference.job import prepare
from napari_defectseg.inference.predict import go_on_steps, predict, predict_steps
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.model import TorchModel


def settings(**more: Any) -> PredictSettings:
    return PredictSettings(**{"device": "cpu", "threads": 1, "pixel_policy": "resample", **more})


def sized(image: CalibratedImage, *steps: float, unit: str = "nm") -> CalibratedImage:
    return image.with_calibration(Calibration.of(steps, unit))


def model_for(low: float, high: float, dims: int = 2, **fields: Any) -> TorchModel:
    return make(dims, (4, 6), pixel_size=(low, high), pixel_unit="nm", **fields)


@pytest.mark.parametrize(
    ("steps", "seen"),
    [((1.0, 1.0), (40, 56)), ((0.5, 0.5), (20, 28)), ((4.0, 4.0), (80, 112)),
     ((0.5, 4.0), (20, 112)), ((1.6, 0.002e3), (40, 56))],
)  # fmt: skip
def test_the_network_sees_the_nearest_size_inside_the_range(
    steps: tuple[float, ...], seen: tuple[int, ...]
) -> None:
    """Finer, coarser and unequal pixels; scores, mask and pixel size are those of the image."""
    image = sized(image_of((40, 56), "yx"), *steps)
    model = model_for(1.0, 2.0)
    assert prepare(model, image, settings()).layout.shape == seen
    found = predict(model, image, settings())
    assert found.scores.shape == (3, 40, 56)
    assert found.calibration == image.calibration
    np.testing.assert_allclose(np.sum(found.scores, axis=0), 1, atol=1e-5)
    resampled = seen != (40, 56)
    assert ("resampled" in found.plan) == resampled
    assert bool(found.warnings) == resampled
    if resampled:
        assert found.plan["resampled"]["to"] == list(seen)
        assert f"to {seen[0]} × {seen[1]} px" in found.warnings[0]
        assert "measured on the image itself" in found.warnings[0]


@pytest.mark.parametrize("steps", [(0.45, 0.45), (3.1, 3.1), (0.7, 5.0)])
@pytest.mark.parametrize("axes", ["yx", "tyx", "yxc"])
def test_tiles_give_what_the_whole_gives(steps: tuple[float, float], axes: str) -> None:
    shape = {"yx": (150, 170), "tyx": (2, 150, 170), "yxc": (150, 170, 3)}[axes]
    image = sized(image_of(shape, axes), *steps)
    model = model_for(1.0, 2.0)
    whole = predict(model, image, settings())
    tiles = predict(model, image, settings(tile=48))
    assert tiles.plan["tiles"] > 2
    np.testing.assert_allclose(tiles.scores, whole.scores, atol=1e-5)


@pytest.mark.parametrize("steps", [(2.0, 1.0, 1.0), (0.4, 1.0, 1.0), (1.0, 3.0, 0.5)])
def test_volumes_with_unequal_voxels(steps: tuple[float, ...]) -> None:
    image = sized(image_of((24, 20, 40), "zyx"), *steps)
    model = model_for(0.8, 1.2, dims=3)
    whole = predict(model, image, settings())
    assert whole.scores.shape == (3, 24, 20, 40)
    tiles = predict(model, image, settings(tile=28))
    assert tiles.plan["tiles"] > 1
    np.testing.assert_allclose(tiles.scores, whole.scores, atol=1e-5)


def test_a_plane_of_a_stack_is_resampled_in_its_plane_alone() -> None:
    image = sized(image_of((3, 40, 40), "zyx"), 9.0, 0.5, 0.5)
    model = model_for(1.0, 2.0)
    found = predict(model, image, settings())
    assert found.plan["resampled"] == {
        "axes": "yx", "from": [40, 40], "to": [20, 20], "how": "spline, without aliases",
    }  # fmt: skip
    for z in range(3):
        plane = sized(CalibratedImage.from_array(image.read(z=z)), 0.5, 0.5)
        np.testing.assert_allclose(predict(model, plane, settings()).scores.shape, (3, 40, 40))


def test_a_smooth_object_is_found_at_any_pixel_size() -> None:
    """A network that only scales grey values: resampling there and back keeps a disc."""
    import torch

    y, x = np.mgrid[:120, :120]
    disc = (np.hypot(y - 59.5, x - 59.5) < 30).astype(np.uint8) * 200
    model = model_for(4.0, 8.0)

    class Grey(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([0.5 - x, x - 0.5, 0 * x - 9], dim=1) * 8

    model.network = lambda: Grey()  # type: ignore[method-assign]
    plain = predict(model, sized(CalibratedImage.from_array(disc), 4.0, 4.0), settings())
    for step in (1.0, 1.7):
        found = predict(model, sized(CalibratedImage.from_array(disc), step, step), settings())
        both, either = (found.mask() > 0), (plain.mask() > 0)
        assert (both & either).sum() / (both | either).sum() > 0.93


def test_warn_and_go_on_take_the_image_as_it_is() -> None:
    image = sized(image_of((40, 56), "yx"), 0.4, 0.4)
    model = model_for(1.0, 2.0)
    warned = predict(model, image, settings(pixel_policy="warn"))
    silent = predict(model, image, settings(pixel_policy="go-on"))
    assert "look at the result with care" in warned.warnings[0]
    assert silent.warnings == ()
    np.testing.assert_array_equal(warned.scores, silent.scores)
    stated = model.with_card(model.card.replaced(pixel_policy="go-on"))
    assert predict(stated, image, settings(pixel_policy="card")).warnings == ()
    stated = model.with_card(model.card.replaced(pixel_policy="resample"))
    assert "resampled" in predict(stated, image, settings(pixel_policy="card")).plan
    assert "resampled" in forecast(stated, image, settings(pixel_policy="card")).warnings[0]


def test_without_pixel_size_nothing_is_resampled_and_that_is_said() -> None:
    found = predict(model_for(1.0, 2.0), image_of((40, 56), "yx"), settings())
    assert "Whether it fits is not known" in found.warnings[0]
    assert "resampled" not in found.plan
    with pytest.raises(DeviceError, match="card, resample, warn or go-on"):
        PredictSettings(pixel_policy="stretch")  # type: ignore[arg-type]


def test_an_absurd_size_is_refused_with_both_numbers() -> None:
    model = model_for(1.0, 2.0)
    with pytest.raises(ImageError, match=r"50 nm/px.*1 – 2 nm/px.*enlarged 25 times"):
        predict(model, sized(image_of((40, 56), "yx"), 50.0, 50.0), settings())
    with pytest.raises(ImageError, match="would shrink to 4 × 6 px"):
        predict(model, sized(image_of((40, 56), "yx"), 0.1, 0.1), settings())


def test_a_stopped_run_goes_on_to_the_same_result() -> None:
    image = sized(image_of((150, 150), "yx"), 3.0, 3.0)
    model = model_for(1.0, 2.0)
    wanted = predict(model, image, settings(tile=72))
    begun = None
    for step in (steps := predict_steps(model, image, settings(tile=72))):
        if step.partial is not None:
            begun = step.partial.begun
            if begun.done == 3:
                steps.close()
                break
    assert begun is not None
    np.testing.assert_array_equal(drive(go_on_steps(begun)).scores, wanted.scores)


def test_scores_scaled_over_the_image_are_seamless() -> None:
    """A model whose scores are scaled by image: all tiles first, then back to the image."""
    image = sized(image_of((150, 150), "yx"), 3.0, 3.0)
    model = model_for(1.0, 2.0, activation="none", rescale="image")
    whole = predict(model, image, settings())
    tiles = predict(model, image, settings(tile=72))
    assert tiles.plan["tiles"] > 2
    np.testing.assert_allclose(tiles.scores, whole.scores, atol=1e-5)


def test_scores_on_disk_are_the_same(tmp_path: Any) -> None:
    """Tiles so small that some of them hold no pixel of a coarse image."""
    image = sized(image_of((30, 40), "yx"), 16.0, 16.0)
    model = model_for(1.0, 1.0)
    wanted = predict(model, image, settings())
    path = tmp_path / "scores.zarr"
    found = predict(model, image, settings(tile=96, scores_path=str(path)))
    np.testing.assert_allclose(np.asarray(found.scores[:]), wanted.scores, atol=1e-5)


def test_places_without_value_are_named_in_the_image() -> None:
    data = np.ones((40, 40), np.float32)
    data[30, 10] = np.nan
    image = sized(CalibratedImage.from_array(data), 4.0, 4.0)
    with pytest.raises(ImageError, match=r"y (29|30|28), x (8|9|10)"):
        predict(model_for(1.0, 2.0), image, settings())


@pytest.mark.parametrize(
    ("shape", "resize", "seen"),
    [((64, 64), "large", (16, 16)), ((63, 90), "large", (63, 90)), ((63, 90), "always", (16, 16)),
     ((16, 16), "always", (16, 16)), ((64, 64), "never", (64, 64)), ((8, 8), "always", (16, 16))],
)  # fmt: skip
def test_whole_images_are_resized_as_the_authors_did(
    shape: tuple[int, int], resize: str, seen: tuple[int, int]
) -> None:
    model = make(2, (4, 6), input_size=(16, 16), resize=resize)
    job = prepare(model, image_of(shape, "yx"), settings())
    assert job.layout.shape == seen
    found = predict(model, image_of(shape, "yx"), settings())
    assert found.scores.shape == (3, *shape)
    if resize == "large" and seen == shape:
        assert "counts as cut from one" in found.warnings[0]
    elif seen != shape:
        assert found.plan["resampled"]["how"] == "bilinear, as OpenCV"
        assert "as its authors did" in found.warnings[0]
    else:
        assert found.warnings == ()


def test_a_card_states_sizes_that_make_sense() -> None:
    with pytest.raises(ModelError, match="resize needs an input_size"):
        make(2, (4, 6), resize="always")
    with pytest.raises(ModelError, match="input_size has 3 lengths"):
        make(2, (4, 6), input_size=(16, 16, 16))
