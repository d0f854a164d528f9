"""A region gives what the whole image gives there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import image_of, make

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ImageError
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.region import Region
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.tiling import TilingSettings, plan_tiles

PLANE, VOLUME = make(2), make(3, (3, 4, 5))


def same(model, image, region, **fields) -> None:
    wanted = Region.parse(region)
    whole = predict(model, image, PredictSettings(**fields))
    part = predict(model, image, PredictSettings(**fields), region=wanted)
    box = wanted.box(image)
    assert part.box == box
    np.testing.assert_allclose(part.scores, whole.scores[(slice(None), *box)], atol=1e-5)
    if part.shape != whole.shape:
        assert any("the rest was not looked at" in one for one in part.warnings)


@st.composite
def boxes(draw, length=130):
    start = draw(st.integers(0, length - 1))
    return f"{start}:{draw(st.integers(start + 1, length))}"


@given(y=boxes(), x=boxes(110), tile=st.sampled_from([None, 60, 80]))
@settings(max_examples=20, deadline=None)
def test_of_a_plane_tiled_or_not(y, x, tile) -> None:
    same(PLANE, image_of((130, 110), "yx"), f"y={y},x={x}", tile=tile)


@given(z=boxes(30), y=boxes(40), x=boxes(40))
@settings(max_examples=5, deadline=None)
def test_of_a_volume(z, y, x) -> None:
    same(VOLUME, image_of((30, 40, 40), "zyx"), f"z={z},y={y},x={x}")


@pytest.mark.parametrize(
    ("shape", "axes", "region"),
    [
        ((5, 40, 50), "zyx", "z=1:3,y=10:30"),
        ((3, 2, 40, 50), "tzyx", "t=2:,x=:20"),
        ((40, 50, 3), "yxc", "y=7:31,x=9:44"),
        ((50, 40), "xy", "y=7:31,x=9:44"),
    ],
)
def test_of_stacks_movies_colours_and_turned_pictures(shape, axes, region) -> None:
    same(PLANE, image_of(shape, axes), region)


def test_normalisation_is_that_of_the_whole_image_or_slice() -> None:
    data = image_of((80, 90), "yx")
    for scope in ("image", "slice"):
        model = make(2, preprocessing=({"kind": "normalise", "method": "zscore", "scope": scope},))
        same(model, data, "y=20:40,x=5:30")


def test_of_an_image_that_the_network_sees_on_another_grid() -> None:
    from napari_defectseg.core.calibration import Calibration

    model = make(2, pixel_size=(2.0, 2.0), pixel_unit="nm", pixel_policy="resample")
    image = image_of((150, 130), "yx").with_calibration(Calibration.of((1.3, 1.3), "nm", "you"))
    same(model, image, "y=33:90,x=41:120")
    same(model, image, "y=33:90,x=41:120", tile=96)


def test_of_networks_that_look_at_the_whole_image() -> None:
    image = image_of((70, 60), "yx")
    model = make(2)
    same(model.with_card(model.card.replaced(halo=None)), image, "y=20:40,x=5:30")
    same(
        make(
            2,
            rescale="image",
            task="binary",
            activation="sigmoid",
            classes=ClassMap.of(["void"]),
            has_background=False,
        ),
        image,
        "y=20:40,x=5:30",
    )


def test_only_what_is_needed_is_computed() -> None:
    limits = TilingSettings(1 << 40, 1.0)
    plan = plan_tiles((4096, 4096), 16, 48, limits, (slice(1000, 1512), slice(2000, 2512)))
    assert len(plan) == 1
    assert plan.work < 1.5 * (512 + 2 * 48) ** 2
    small = plan_tiles(
        (4096, 4096), 16, 48, TilingSettings(300**2, 1.0), (slice(1000, 1512), slice(0, 512))
    )
    assert len(small) > 1
    assert max(np.prod(tile.shape) for tile in small) <= 300**2
    covered = np.zeros((4096, 4096), int)
    for tile in small:
        covered[tile.inner] += 1
    assert (covered[1000:1512, :512] == 1).all()
    assert covered.sum() == 512 * 512


@pytest.mark.parametrize("words", ["", "a:b", "y=1:2,3:4", "1:2,1:2,1:2,1:2,1:2", "y=1:2,y=3:4"])
def test_what_is_no_region_is_refused_in_words(words) -> None:
    with pytest.raises(ImageError, match="is no region"):
        Region.parse(words)


def test_a_region_beside_the_image_or_of_an_axis_it_has_not_is_refused_in_words() -> None:
    image = image_of((40, 50), "yx")
    with pytest.raises(ImageError, match="Nothing of image lies in the region y=40:90"):
        predict(PLANE, image, region="y=40:90")
    with pytest.raises(ImageError, match="has the axes y x"):
        predict(PLANE, image, region="z=1:2")


def test_words_and_boxes_are_the_same() -> None:
    image = image_of((5, 40, 50), "zyx")
    region = Region.of(image, (slice(1, 3), slice(0, 40), slice(10, 20)))
    assert str(region) == "z=1:3,x=10:20"
    assert Region.parse(str(region)) == region
    assert region.sentence(image).startswith("Only slices 1 to 2, x 10 to 19 of image")
    assert Region.of(image, (slice(0, 5), slice(0, 40), slice(0, 50))).sentence(image) == ""
