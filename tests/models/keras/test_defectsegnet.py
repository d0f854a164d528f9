"""DefectSegNet gives the numbers of its published code, in each of its three ways."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.models import reference as ref

from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.core.progress import drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.calibrate import calibrate
from napari_defectseg.inference.predict import go_on_steps, predict, predict_steps
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.joined import join_models
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.open import open_model
from napari_defectseg.models.save import save_model

PARTS = {"out": "l20.norm", "sigmoid": "l20.act", "logits": "l20.conv"}


@pytest.fixture
def checkpoint(tmp_path: Path) -> TorchModel:
    """The rebuilt checkpoint, with the text files that say its target and segments."""
    genuine = ref.folder() / "defectsegnet" / "genuine"
    ref.rebuilt("defectsegnet", tmp_path)
    for name in ("architecture.txt", "config.txt", "targets.txt"):
        shutil.copyfile(genuine / name, tmp_path / name)
    return open_model(tmp_path)


def test_the_card_says_what_the_published_files_say(checkpoint: TorchModel) -> None:
    card = checkpoint.card
    assert card.architecture == "defectsegnet"
    assert card.classes.names == ("precipitate",)
    assert (card.segment, card.batch_norm, card.rescale) == (64, "image", "image")
    assert (card.activation, card.task, card.parameters) == ("none", "binary", 350_430)
    assert card.sources["pixel_size"] == "guess"
    assert "pixel_size" in card.missing


@pytest.mark.parametrize("way", ["batch", "moving"])
def test_outputs_with_batch_and_with_moving_statistics(checkpoint: TorchModel, way: str) -> None:
    """Against float64 within the stated tolerances, and against TensorFlow 1.14 within its own."""
    mode = "image" if way == "batch" else "moving"
    model = checkpoint.with_card(checkpoint.card.replaced(batch_norm=mode))
    x = ref.arrays("defectsegnet/input.npz")["x"]
    exact, published = (ref.arrays(f"defectsegnet/output{n}.npz") for n in ("_f64", ""))
    found = ref.run(model, x, *PARTS.values())
    for part, node in PARTS.items():
        seen, name = found[node][..., 0], f"{part}_{way}"
        if part == "logits":
            close, far = (2e-4, 1e-3) if way == "batch" else (1e-3, 1e-3)
        else:
            close, far = (5e-5, 1e-3) if way == "batch" else (1e-4, 1e-4)
        assert ref.largest(seen, exact[name]) < close
        assert ref.largest(seen, published[name]) < far


def test_activations_inside(checkpoint: TorchModel) -> None:
    """After the normalisations of lines 3, 11 and 18, within what TensorFlow's sums allow."""
    x = ref.arrays("defectsegnet/input.npz")["x"]
    wanted = ref.arrays("defectsegnet/output.npz")
    found = ref.run(checkpoint, x, "l3.norm", "l11.norm", "l18.norm")
    assert ref.largest(found["l3.norm"][0], wanted["act_bn_2"]) < 1e-3
    assert ref.largest(found["l11.norm"], wanted["act_bn_10"]) < 1e-3
    assert ref.largest(found["l18.norm"][0, ::2, ::2], wanted["act_bn_17"]) < 1e-3


@pytest.mark.parametrize("name", ["whole", "full"])
def test_whole_images_as_published(checkpoint: TorchModel, name: str) -> None:
    """Cut, one batch, put together, scaled from smallest to largest: through `predict`."""
    segment = {"whole": 64, "full": 512}[name]
    model = checkpoint.with_card(checkpoint.card.replaced(segment=segment))
    image = CalibratedImage.from_array(ref.arrays("defectsegnet/input.npz")[name], name=name)
    scores = np.asarray(predict(model, image).scores)[0]
    key, step = ("whole_scaled", 1) if name == "whole" else ("full_scaled_sub8", 8)
    seen = scores[::step, ::step]
    assert ref.largest(seen, ref.arrays("defectsegnet/output_f64.npz")[key]) < 5e-5
    assert ref.largest(seen, ref.arrays("defectsegnet/output.npz")[key]) < 5e-3
    assert (scores.min(), scores.max()) == (0, 1)


def test_the_genuine_checkpoint() -> None:
    """Written by TensorFlow 1.14 after 50 steps of the published training."""
    model = open_model(ref.folder() / "defectsegnet" / "genuine")
    io = ref.arrays("defectsegnet/genuine/io.npz")
    found = ref.run(model, io["x"], *PARTS.values())
    assert ref.largest(found["l20.norm"][..., 0], io["out_batch"]) < 1e-3
    assert ref.largest(found["l20.act"][..., 0], io["sigmoid_batch"]) < 1e-3
    moving = model.with_card(model.card.replaced(batch_norm="moving"))
    found = ref.run(moving, io["x"], *PARTS.values())
    assert ref.largest(found["l20.norm"][..., 0], io["out_moving"]) < 1e-4


def test_a_constant_output_is_said_not_shown() -> None:
    """The moving averages of the published training: 0/0 becomes a sentence, not NaN."""
    model = open_model(ref.folder() / "defectsegnet" / "genuine")
    moving = model.with_card(model.card.replaced(batch_norm="moving"))
    image = CalibratedImage.from_array(ref.arrays("defectsegnet/genuine/io.npz")["x"][0])
    with pytest.raises(ModelError, match=r"for every pixel.*calibrate"):
        predict(moving, image)


def test_any_size_of_image(checkpoint: TorchModel) -> None:
    """Sizes at which the published code fails or leaves borders give scores everywhere."""
    whole = ref.arrays("defectsegnet/input.npz")["whole"]
    for shape in ((40, 70), (100, 100), (64, 100)):
        image = CalibratedImage.from_array(whole[: shape[0], : shape[1]])
        scores = np.asarray(predict(checkpoint, image).scores)
        assert scores.shape == (1, *shape)
        assert np.isfinite(scores).all()


def test_calibrated_on_an_image_it_works_in_tiles(checkpoint: TorchModel, tmp_path: Path) -> None:
    """Tiles give what the whole gives; a saved model folder gives the same."""
    whole = ref.arrays("defectsegnet/input.npz")["whole"]
    image = CalibratedImage.from_array(whole, name="chosen")
    model = calibrate(checkpoint, image)
    assert model.card.batch_norm == "calibrated"
    assert model.card.training["calibrated_on"] == "chosen"
    once = np.asarray(predict(model, image).scores)
    tiled = predict(model, image, PredictSettings(tile=112))
    assert tiled.plan["tiles"] > 1
    assert ref.largest(np.asarray(tiled.scores), once) < 1e-5
    # What differs from the published way lies along the edges of its squares.
    published = np.asarray(predict(checkpoint, image).scores)
    assert np.median(abs(once - published)) < 0.02
    stored = open_model(save_model(model, tmp_path / "calibrated"))
    assert ref.largest(np.asarray(predict(stored, image).scores), once) < 1e-6


def test_one_square_calibrated_is_the_published_result(checkpoint: TorchModel) -> None:
    """Without edges between squares the calibrated network gives the published numbers."""
    x = ref.arrays("defectsegnet/input.npz")["x"][0]
    image = CalibratedImage.from_array(x)
    wanted = np.asarray(predict(checkpoint, image).scores)
    found = np.asarray(predict(calibrate(checkpoint, image), image).scores)
    assert ref.largest(found, wanted) < 1e-4


def test_a_stopped_run_goes_on_with_whole_planes(checkpoint: TorchModel) -> None:
    """Of a stack, planes that were scaled are kept; the rest is computed afterwards."""
    planes = ref.arrays("defectsegnet/input.npz")["whole"]
    stack = CalibratedImage.from_array(np.stack([planes, planes[::-1]]), axes=("z", "y", "x"))
    wanted = np.asarray(predict(checkpoint, stack).scores)
    begun, seen = None, 0
    for step in (steps := predict_steps(checkpoint, stack)):
        if step.partial is not None:
            begun, seen = step.partial.begun, seen + 1
            if seen == 6:
                steps.close()
                break
    assert begun is not None
    assert begun.done == 6
    found = np.asarray(drive(go_on_steps(begun)).scores)
    assert ref.largest(found, wanted) < 1e-6


def test_what_does_not_fit_into_memory_is_said(checkpoint: TorchModel) -> None:
    image = CalibratedImage.from_array(ref.arrays("defectsegnet/input.npz")["whole"])
    with pytest.raises(DeviceError, match=r"measures each image as a whole.*calibrate"):
        predict(checkpoint, image, PredictSettings(memory=1_000_000))
    with pytest.raises(ModelError, match="tiles cannot be chosen"):
        predict(checkpoint, image, PredictSettings(tile=64))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("data cut", "bytes; its index asks for"),
        ("data gone", "data-00000-of-00001 is missing"),
        ("data changed", "the checksum differs"),
        ("index cut", "not a model this program knows"),
        ("index changed", "a checksum does not fit"),
        ("other table", "do not fit DefectSegNet|do not precede"),
    ],
)
def test_damaged_checkpoints_are_named(damage: str, words: str, tmp_path: Path) -> None:
    genuine = ref.folder() / "defectsegnet" / "genuine"
    for file in genuine.glob("*"):
        if file.suffix != ".npz":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    data = tmp_path / "checkpoint.ckpt.data-00000-of-00001"
    index = tmp_path / "checkpoint.ckpt.index"
    content = {data: bytearray(data.read_bytes()), index: bytearray(index.read_bytes())}
    if damage == "data cut":
        data.write_bytes(content[data][:1000])
    elif damage == "data gone":
        data.unlink()
    elif damage == "other table":
        table = tmp_path / "architecture.txt"
        table.write_text(table.read_text().replace("filters:16", "filters:12"))
    else:
        changed = index if "index" in damage else data
        if "cut" in damage:
            index.write_bytes(content[index][:-9])
        else:
            content[changed][len(content[changed]) // 2] ^= 0x10
            for at in range(100, len(content[data]), 4000):
                if changed == data:
                    content[data][at] ^= 0x40
            changed.write_bytes(content[changed])
    with pytest.raises(ModelError, match=words):
        open_model(index if damage == "index cut" else tmp_path).network()


def test_three_checkpoints_become_one_model_with_three_classes(tmp_path: Path) -> None:
    """Each gives what it gives alone, scaled by itself; pixels may belong to several."""
    genuine = ref.folder() / "defectsegnet" / "genuine"
    models = []
    for target in ("disloc", "prec", "void"):
        place = tmp_path / target
        shutil.copytree(genuine, place)
        place.chmod(0o755)
        (place / "targets.txt").unlink()
        (place / "targets.txt").write_text(f"{target} 20\n")
        models.append(open_model(place))
    joined = join_models(models)
    assert joined.card.classes.names == ("dislocation", "precipitate", "void")
    assert joined.card.task == "multilabel"
    image = CalibratedImage.from_array(ref.arrays("defectsegnet/input.npz")["whole"])
    scores = np.asarray(predict(joined, image).scores)
    for number, model in enumerate(models):
        alone = np.asarray(predict(model, image).scores)[0]
        np.testing.assert_array_equal(scores[number], alone)
