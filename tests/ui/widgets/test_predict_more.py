"""What the Predict dock asks for depends on the image and the model."""

from __future__ import annotations

import numpy as np
import pytest
from threshold_net import threshold_model

from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.ui.widgets.predict_more import SHOWN, PredictMore, fitting, offered


def image_of(axes: str) -> CalibratedImage:
    lengths = {"c": 2, "t": 2, "z": 3, "y": 8, "x": 9}
    return CalibratedImage.from_array(np.zeros([lengths[a] for a in axes], np.uint8), axes=axes)


@pytest.mark.parametrize(
    ("dims", "symmetries", "axes", "wanted"),
    [
        (2, (), "yx", ()),
        (2, ("flip_x",), "yx", ("flips",)),
        (2, ("flip_x",), "zyx", ("flips", "volume")),
        (2, (), "tyx", ()),
        (3, ("flip_x",), "zyx", ("flips",)),
        (2, (), "cyx", ("channel",)),
        (2, ("rot90_yx",), "czyx", ("flips", "volume", "channel")),
    ],
)
def test_only_what_means_something_is_asked(dims, symmetries, axes, wanted):
    model, image = threshold_model(dims, symmetries=symmetries), image_of(axes)
    assert offered(image, model) == (*SHOWN, *wanted)
    chosen = PredictSettings(flips="all", volume="three-axes", channel=1, tile=64)
    kept = fitting(chosen, image, model)
    assert kept.tile == 64
    assert (kept.flips != "off") == ("flips" in wanted)
    assert (kept.volume != "slices") == ("volume" in wanted)
    assert (kept.channel is not None) == ("channel" in wanted)


def test_the_form_follows_and_keeps_what_was_chosen(qtbot):
    more = PredictMore(PredictSettings())
    qtbot.addWidget(more)
    model = threshold_model(2, symmetries=("flip_x",))
    more.show_for(image_of("zyx"), model)
    more.form.fields["volume"].set_value("three-axes")
    more.form.fields["tile"].set_value(32)
    with qtbot.waitSignal(more.valueChanged):
        more.form.fields["flips"].set_value("mirror")
    assert more.value == PredictSettings(flips="mirror", volume="three-axes", tile=32)
    assert "mirrored" in more.line.toolTip()
    more.show_for(image_of("yx"), threshold_model(2))
    assert not {"flips", "volume"} & set(more.form.fields)
    more.show_for(image_of("zyx"), model)
    more.setValue(PredictSettings(flips="mirror"))
    assert more.form.fields["flips"].value == "mirror"
    assert more.form.fields["volume"].value == "slices"
