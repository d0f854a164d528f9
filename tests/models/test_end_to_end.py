"""The authors' whole way from picture to mask, through `predict`: resizing, colours, meaning."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from published import PROBABILITIES, filled, reference
from tests.models import reference as ref

import napari_defectseg as ds
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.model import torch_model
from napari_defectseg.models.open import open_model

SETTINGS = PredictSettings(device="cpu", threads=1)


@pytest.fixture
def page() -> dict[str, np.ndarray]:
    """What the page of the U-Net for powder beds computed from a picture in colours."""
    return ref.arrays("unet_pbf/dashboard/dashboard.npz")


@pytest.mark.parametrize("size", [256, 128])
def test_a_layer_in_colours_is_turned_grey_and_shrunk_to_the_bit(
    page: dict[str, np.ndarray], size: int
) -> None:
    """What the network sees of a picture of 90 × 130 px in colours is the authors' array."""
    from napari_defectseg.inference.job import prepare
    from napari_defectseg.inference.source import Source

    path = reference("unet_pbf/narrow_w4") / "weights_plain.pth"
    model = open_model(path, settings={"input_size": f"{size},{size}"})
    job = prepare(model, CalibratedImage.from_array(page["image_rgb"]), SETTINGS)
    source = Source(job)
    source.start(())
    (tile,) = job.plan
    seen = source.block(tile)[0]
    np.testing.assert_array_equal(np.rint(seen[0] * 255), page[f"resized{size}"])
    np.testing.assert_allclose(seen[0], page[f"resized{size}"] / np.float32(255), atol=1e-7)


def test_masks_of_the_page_are_ours(page: dict[str, np.ndarray], tmp_path: Path) -> None:
    """At the network's size every pixel; on the picture all but its blurred outlines.

    The page resizes masks of 0 and 1; here probabilities come back and are cut afterwards, so
    that only outlines may differ, by a fraction of a pixel of the network.
    """
    path = reference("unet_pbf/narrow_w4") / "weights_plain.pth"
    model = open_model(path, settings={"input_size": "256,256"})
    wanted = np.unpackbits(page["mask256"], axis=-1)[..., :256]
    small = predict(model, CalibratedImage.from_array(page["resized256"]), SETTINGS)
    clear = abs(np.asarray(small.scores) - 0.5) > 1e-4
    assert (small.mask() == wanted)[clear].all()
    found = predict(model, CalibratedImage.from_array(page["image_rgb"]), SETTINGS)
    assert found.mask().shape == (6, 90, 130)
    sure = (page["mask_back"] < 0.02) | (page["mask_back"] > 0.98)
    assert sure.mean() > 0.3
    assert (found.mask() == (page["mask_back"] > 0.5))[sure].mean() > 0.99
    assert "as its authors did" in " ".join(found.warnings)


def test_a_whole_layer_is_shrunk_unasked_and_a_cut_one_is_not() -> None:
    """The card of the published file says 128 × 128 px for images of 512 px and more."""
    model = open_model(reference("unet_pbf/narrow_w4") / "weights_plain.pth")
    assert model.card.input_size == (128, 128)
    assert model.card.sources["input_size"] == "card"
    grey = np.random.default_rng(0).integers(0, 255, (600, 520), dtype=np.uint8)
    whole = predict(model, CalibratedImage.from_array(grey), SETTINGS)
    assert whole.plan["resampled"]["to"] == [128, 128]
    assert whole.mask().shape == (6, 600, 520)
    cut = predict(model, CalibratedImage.from_array(grey[:256, :256]), SETTINGS)
    assert "resampled" not in cut.plan


def test_one_png_a_class_as_the_authors_evaluate(tmp_path: Path) -> None:
    """0 and 255 at the training size, named after the classes of their page."""
    from napari_defectseg.batch.analyse import AnalyseSettings, analyse, recipe_for

    folder = reference("unet_pbf/narrow_w4_128")
    path = tmp_path / "weights.pth"
    torch.save(filled(folder), path)
    grey = np.load(folder / "input.npz")["a_image"]
    ds.save_image(CalibratedImage.from_array(grey), tmp_path / "layer.tif")
    model = open_model(path)
    recipe = recipe_for(model, path, predict=SETTINGS)
    analyse(tmp_path / "layer.tif", recipe, tmp_path / "out", AnalyseSettings(also=("class-png",)))
    logits = np.load(folder / "output.npz")["a_logits"][0]
    for number, name in enumerate(model.card.classes.names):
        word = name.replace(" ", "_")
        picture = iio.imread(tmp_path / "out" / "layer" / "classes" / f"{word}.png")
        clear = abs(logits[number]) > 1e-3
        assert set(np.unique(picture)) <= {0, 255}
        assert ((picture == 255) == (logits[number] > 0))[clear].all()


@pytest.mark.parametrize("case", ["a", "b"])
def test_steel_strip_in_red_green_blue(case: str) -> None:
    """MFF-Metal: the picture as it is opened, mean and spread of each colour, best class."""
    folder = reference("mff_metal/narrow_w6")
    model = open_model(folder / "weights_plain.pth")
    given, wanted = np.load(folder / "input.npz"), np.load(folder / "output.npz")
    image = CalibratedImage.from_array(given[f"{case}_image"], axes="yxc")
    found = predict(model, image, SETTINGS)
    np.testing.assert_allclose(found.scores, wanted[f"{case}_prob"][0], atol=PROBABILITIES)
    best = np.sort(wanted[f"{case}_prob"][0], axis=0)
    clear = best[-1] - best[-2] > 1e-4
    assert (found.mask() == wanted[f"{case}_argmax"].reshape(clear.shape))[clear].all()
    if case == "b":  # colours in another order are another picture
        turned = CalibratedImage.from_array(given["b_image"][..., ::-1].copy(), axes="yxc")
        other = predict(model, turned, SETTINGS)
        assert abs(other.scores - found.scores).max() > 0.01


def test_grey_pictures_go_into_all_three_colours() -> None:
    """Case a is grey, repeated three times: one channel of it gives the same."""
    folder = reference("mff_metal/narrow_w6")
    model = open_model(folder / "weights_plain.pth")
    colours = np.load(folder / "input.npz")["a_image"]
    found = predict(model, CalibratedImage.from_array(colours[..., 0].copy()), SETTINGS)
    wanted = np.load(folder / "output.npz")["a_prob"][0]
    np.testing.assert_allclose(found.scores, wanted, atol=PROBABILITIES)


def test_probabilities_of_a_tomogram_are_written_as_the_authors_do(tmp_path: Path) -> None:
    """3D-DCNN: NRRD in, one NRRD of float32 out, the same axes; inverted is one minus it."""
    from napari_defectseg.batch.analyse import AnalyseSettings, analyse, recipe_for

    path = ref.rebuilt("dcnn3d", tmp_path / "net.h5")
    raw = ref.arrays("dcnn3d/input.npz")["x0"].transpose(2, 1, 0)
    wanted = ref.arrays("dcnn3d/output.npz")["prob0"]
    volume = CalibratedImage.from_array(raw, axes="zyx")
    ds.save_image(volume, tmp_path / "pillar.nrrd")
    for word, inverted in (("plain", "no"), ("inverted", "yes")):
        fields = {"inverted": inverted}
        model = open_model(path, settings=fields)
        recipe = recipe_for(model, path, settings=fields, predict=SETTINGS)
        also = AnalyseSettings(also=("probabilities-nrrd",))
        analyse(tmp_path / "pillar.nrrd", recipe, tmp_path / word, also)
        (file,) = (tmp_path / word / "pillar" / "probabilities").iterdir()
        assert file.name == "precipitate_or_pore.nrrd"
        found = ds.open_image(file).read().transpose(2, 1, 0)
        found = 1 - found if word == "inverted" else found
        assert ref.largest(found, wanted) < ref.PROBABILITY
        header = file.read_bytes().split(b"\n\n")[0].decode()
        assert f"sizes: {' '.join(map(str, wanted.shape))}" in header


@pytest.mark.parametrize("count", [2, 3])
def test_defectsegnet_calibrated_on_its_own_images_against_the_reference(
    tmp_path: Path, count: int
) -> None:
    """All squares of several images in one batch: the published numbers of that batch."""
    from napari_defectseg.inference.calibrate import calibrate

    model = open_model(ref.rebuilt("defectsegnet", tmp_path).parent / tmp_path.name)
    x = ref.arrays("defectsegnet/input.npz")["x"][:count]
    model = model.with_card(model.card.replaced(segment=64))
    images = [CalibratedImage.from_array(one, name=f"square {n}") for n, one in enumerate(x)]
    fixed = torch_model(calibrate(model, images, SETTINGS))
    found = ref.run(fixed, x, "l20.norm")["l20.norm"][..., 0]
    wanted = ref.run(model, x, "l20.norm")["l20.norm"][..., 0]
    assert ref.largest(found, wanted) < 1e-4
    if len(x) == 2:
        exact = ref.arrays("defectsegnet/output_f64.npz")["out_batch"]
        assert ref.largest(found, exact) < 1e-4
