"""The published Keras networks give the numbers of their published code."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.models import reference as ref

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import ModelError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.architecture import ARCHITECTURES, published
from napari_defectseg.models.open import open_model

COMPARISONS = {
    "am_unet": "am_segnet/unet",
    "am_res_unet": "am_segnet/res_unet",
    "am_squeeze_unet": "am_segnet/squeeze_unet",
}
NETWORKS = {"am_segnet": "am_segnet", **COMPARISONS}
ACTIVATIONS = {
    "am_segnet": {"concatenate": "e1", "add_1": "z", "up_sampling2d_3": "u4.scale"},
    **{
        name: {
            "max_pooling2d": "pool1",
            "up_sampling2d": "up3.scale",
            "up_sampling2d_3": "up0.scale",
        }
        for name in COMPARISONS
    },
}


@pytest.mark.parametrize(
    "name", ["am_segnet", *(pytest.param(n, marks=pytest.mark.long) for n in COMPARISONS)]
)
def test_full_networks_of_radiographs_give_the_published_numbers(name: str, tmp_path: Path) -> None:
    """Full width, rebuilt file: probabilities, logits, labels, activations, 256 × 512 too."""
    place = NETWORKS[name]
    path = ref.rebuilt(place, tmp_path / "net.h5")
    images, wanted = ref.arrays(f"{place}/input.npz"), ref.arrays(f"{place}/output.npz")
    model = open_model(path)
    assert model.card.architecture == name
    nodes = ACTIVATIONS[name]
    found = ref.run(model, images["x"], *nodes.values())
    assert ref.largest(found["logits"], wanted["logits"]) < ref.LOGITS
    assert ref.largest(ref.softmax(found["logits"]), wanted["prob"]) < ref.PROBABILITY
    ref.check_labels(ref.softmax(found["logits"]), wanted["label"])
    for layer, node in nodes.items():
        stated = wanted[f"act_{layer}"]
        assert ref.largest(found[node][0, ::4, ::4], stated) < ref.ACTIVATION * abs(stated).max()
    whole = ref.probabilities(model, images["x_full"][None])[0]
    assert ref.largest(whole[::8, ::8], wanted["prob_full_sub8"]) < ref.PROBABILITY
    ref.check_labels(whole, wanted["label_full"])
    model.close()
    path.unlink()
    gc.collect()


def test_am_segnet_through_predict_whole_and_in_tiles(tmp_path: Path) -> None:
    """The 8-bit frame as it is opened, whole and in tiles; values of masks are index + 1."""
    path = ref.rebuilt("am_segnet", tmp_path / "net.hdf5", weights_only=True)
    images, wanted = ref.arrays("am_segnet/input.npz"), ref.arrays("am_segnet/output.npz")
    model = open_model(path)
    assert model.card.parameters == 17_526_064
    image = CalibratedImage.from_array(images["x_full"], name="frame")
    whole = np.moveaxis(np.asarray(predict(model, image).scores), 0, -1)
    assert (whole[..., 0] == 0).all()  # no channel of background
    assert ref.largest(whole[::8, ::8, 1:], wanted["prob_full_sub8"]) < ref.PROBABILITY
    ref.check_labels(whole, wanted["label_full"] + 1)
    tiled = predict(model, image, PredictSettings(tile=320))
    assert tiled.plan["tiles"] > 1
    # These weights are random: rounding alone moves the published code by 0.7e-5.
    assert ref.largest(np.moveaxis(np.asarray(tiled.scores), 0, -1), whole) < 3e-5
    path.unlink()


@pytest.mark.parametrize(
    ("file", "key", "name"),
    [
        ("am_f1_full_model.h5", "prob", "am_segnet"),
        ("am_f1_weights.hdf5", "prob", "am_segnet"),
        ("am_f1_weights_offset_names.hdf5", "prob", "am_segnet"),
        ("am_f1_keras2.15.keras", "prob", "am_segnet"),
        ("am_f1_keras2.15.weights.h5", "prob", "am_segnet"),
        ("am_f1_keras3.keras", "prob", "am_segnet"),
        ("am_f1_keras3.weights.h5", "prob", "am_segnet"),
        ("am_f1_tf2ckpt", "prob", "am_segnet"),
        ("am_f1_tf2ckpt/weights.index", "prob", "am_segnet"),
        ("unet_f2_full_model.h5", "prob_unet", "am_unet"),
        ("res_unet_f2_full_model.h5", "prob_res_unet", "am_res_unet"),
        ("res_unet_f2_keras2.12.keras", "prob_res_unet", "am_res_unet"),
        ("res_unet_f2_keras2.13.keras", "prob_res_unet", "am_res_unet"),
        ("res_unet_f2_keras2.14.keras", "prob_res_unet", "am_res_unet"),
        ("res_unet_f2_keras2.15.keras", "prob_res_unet", "am_res_unet"),
        ("squeeze_unet_f2_full_model.h5", "prob_squeeze_unet", "am_squeeze_unet"),
    ],
)
@pytest.mark.parametrize("alone", [False, True], ids=["among others", "alone"])
def test_genuine_files_of_keras(
    file: str, key: str, name: str, alone: bool, tmp_path: Path
) -> None:
    """Narrow networks that Keras itself trained and wrote, in all of its containers.

    Alone: without the other files beside it, which could have told the network.
    """
    path = ref.folder() / "am_segnet" / "genuine" / file
    if alone:
        if path.is_dir() or path.suffix == ".index":
            pytest.skip("A checkpoint is a folder of its own already.")
        path = Path(str(tmp_path / path.name))
        path.write_bytes((ref.folder() / "am_segnet" / "genuine" / file).read_bytes())
    io = ref.arrays("am_segnet/genuine/io.npz")
    model = open_model(path)
    assert model.card.architecture == name
    assert model.card.activation == "softmax"
    assert ref.largest(ref.probabilities(model, io["x"]), io[key]) < 5e-6


def test_the_3d_network_gives_the_published_numbers(tmp_path: Path) -> None:
    """Raw volume (x, y, z) to probabilities: z-score, logits, activations; two shapes."""
    path = ref.rebuilt("dcnn3d", tmp_path / "net.h5")
    images, wanted = ref.arrays("dcnn3d/input.npz"), ref.arrays("dcnn3d/output.npz")
    model = open_model(path)
    assert model.card.architecture == "dcnn3d"
    assert model.card.parameters == 365_889
    nodes = {"max_pooling3d": "pool1", "up_sampling3d": "up2.scale", "concatenate_2": "up0.join"}
    for number in "01":
        zyx = images[f"z{number}"].transpose(2, 1, 0)
        found = ref.run(model, zyx[None], *nodes.values())
        logits = found["logits"][0, ..., 0].transpose(2, 1, 0)
        assert ref.largest(logits, wanted[f"logits{number}"]) < ref.LOGITS
        assert ref.largest(ref.sigmoid(logits), wanted[f"prob{number}"]) < ref.PROBABILITY
        if number == "0":
            for layer, node in nodes.items():
                stated = wanted[f"act_{layer}"]
                seen = found[node][0].transpose(2, 1, 0, 3)[::2, ::2, ::2]
                assert ref.largest(seen, stated) < ref.ACTIVATION * abs(stated).max()
        raw = images[f"x{number}"].transpose(2, 1, 0)
        image = CalibratedImage.from_array(
            raw, axes=("z", "y", "x"), calibration=Calibration.of((1.0, 1.0, 1.0), "µm")
        )
        scores = np.asarray(predict(model, image).scores)[0].transpose(2, 1, 0)
        assert ref.largest(scores, wanted[f"prob{number}"]) < ref.PROBABILITY
    inverted = model.with_card(model.card.replaced(inverted=True))
    other = np.asarray(predict(inverted, image).scores)[0].transpose(2, 1, 0)
    assert ref.largest(1 - other, wanted["prob1"]) < ref.PROBABILITY


def test_the_z_score_is_the_published_one() -> None:
    """Population standard deviation of the region, within 1e-6."""
    from napari_defectseg.models.preprocess import fit_chain

    images = ref.arrays("dcnn3d/input.npz")
    about = published("dcnn3d", {})
    assert about is not None
    steps = about.fields["preprocessing"]
    for number in "01":
        raw = images[f"x{number}"][None]
        assert ref.largest(fit_chain(steps, raw).apply(raw)[0], images[f"z{number}"]) < 1e-6


@pytest.mark.parametrize("file", ["d3_b2_full_model", "d3_b2_best_val_loss", "d3_b2_weights"])
def test_genuine_files_of_the_3d_network(file: str) -> None:
    """What model.save, the callback and save_weights wrote, on two volumes."""
    io = ref.arrays("dcnn3d/genuine/io.npz")
    model = open_model(ref.folder() / "dcnn3d" / "genuine" / f"{file}.h5")
    assert model.card.architecture_settings["base"] == 2
    key = file if f"prob0_{file}" in io else "d3_b2_full_model"
    for number in "01":
        raw = io[f"x{number}"].astype(np.float64)
        z = ((raw - raw.mean()) / raw.std()).transpose(2, 1, 0)
        found = ref.probabilities(model, z[None])[0, ..., 0].transpose(2, 1, 0)
        assert ref.largest(found, io[f"prob{number}_{key}"]) < 5e-6


@pytest.mark.parametrize(
    ("name", "parameters", "moving"),
    [
        ("am_segnet", 17_526_064, 8_314),
        ("am_unet", 31_389_839, 11_786),
        ("am_res_unet", 33_139_535, 17_674),
        ("am_squeeze_unet", 35_769_807, 15_754),
        ("dcnn3d", 365_889, 704),
        ("defectsegnet", 350_430, 1_088),
    ],
)
def test_parameters_are_those_of_the_published_code(
    name: str, parameters: int, moving: int
) -> None:
    """Learnt values, and the moving statistics beside them."""
    network = ARCHITECTURES.get(name)
    assert network.facts({})["parameters"] == parameters
    shapes = network.nearest({})
    counted = sum(int(np.prod(s)) for n, s in shapes.items() if "running_" in n)
    assert counted == moving


def test_renamed_layers_load_by_their_order(tmp_path: Path) -> None:
    """A notebook that built other models before counts its layers on: conv2d_60, …"""
    source = ref.folder() / "dcnn3d" / "genuine" / "d3_b2_weights.h5"
    path = tmp_path / "renamed.h5"
    with h5py.File(source) as old, h5py.File(path, "w") as new:
        names = [_text(n) for n in old.attrs["layer_names"]]
        new.attrs["layer_names"] = [f"zz_{1000 - i}_{n}" for i, n in enumerate(names)]
        for name, renamed in zip(names, new.attrs["layer_names"], strict=True):
            group = new.create_group(renamed)
            weights = [_text(n) for n in old[name].attrs["weight_names"]]
            group.attrs["weight_names"] = weights
            for weight in weights:
                group.create_dataset(weight, data=old[name][weight][()])
    io = ref.arrays("dcnn3d/genuine/io.npz")
    model, other = open_model(path), open_model(source)
    x = io["x0"].transpose(2, 1, 0)[None] / 1000
    np.testing.assert_array_equal(ref.probabilities(model, x), ref.probabilities(other, x))


@pytest.mark.parametrize("damage", ["shape", "missing", "description", "values"])
def test_weights_that_do_not_fit_are_named(damage: str, tmp_path: Path) -> None:
    """A tensor of another shape, none at all, another network, no numbers: sentences."""
    path = tmp_path / "net.h5"
    path.write_bytes((ref.folder() / "dcnn3d" / "genuine" / "d3_b2_full_model.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        weights = file["model_weights"]
        if damage == "shape":
            del weights["conv3d_4/conv3d_4/kernel:0"]
            weights["conv3d_4/conv3d_4/kernel:0"] = np.zeros((3, 3, 3, 8, 7), np.float32)
        elif damage == "missing":
            del weights["conv3d_4/conv3d_4/bias:0"]
        elif damage == "values":
            weights["conv3d_4/conv3d_4/bias:0"][:] = np.nan
        else:
            config = json.loads(file.attrs["model_config"])
            for layer in config["config"]["layers"]:
                if layer["class_name"] == "Conv3D":
                    layer["config"]["filters"] += 1
            file.attrs["model_config"] = json.dumps(config)
    words = {
        "shape": r"conv3d_4 holds 3×3×3×8×7.*needs kernel 3×3×3×4×8",
        "missing": "bias:0.*does not hold it",
        "values": "not numbers in 1 of",
        "description": "do not fit the network",
    }
    with pytest.raises(ModelError, match=words[damage]):
        open_model(path).network()


def test_truncated_files_get_a_sentence(tmp_path: Path) -> None:
    """Cut at many places, each container."""
    genuine = ref.folder() / "am_segnet" / "genuine"
    for name in ("am_f1_weights.hdf5", "am_f1_keras3.keras", "am_f1_keras3.weights.h5"):
        content = (genuine / name).read_bytes()
        for length in [9, 100, 3000, len(content) // 3, len(content) * 9 // 10]:
            path = tmp_path / name
            path.write_bytes(content[:length])
            with pytest.raises(ModelError, match=name):
                open_model(path).network()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
