"""Exports come back with the same card and the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import AlreadyExists, ModelError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.models.export.compare import logits_of, prepared, raw_image
from napari_defectseg.models.export.description import description
from napari_defectseg.models.export.model import export_model
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.open import open_model
from napari_defectseg.models.preprocess import EachChannel, Normalise, Preprocessing
from napari_defectseg.models.windows import Windows

ROUND_TRIP = 1e-5


def model(dims: int = 2, *, multilabel: bool = False) -> TorchModel:
    names = ["void", "loop", "line"] if multilabel else ["void", "loop"]
    fields: dict[str, Any] = {"classes": ClassMap.of(names, exclusive=not multilabel)}
    if multilabel:
        fields |= {"task": "multilabel", "activation": "sigmoid", "has_background": False}
        fields |= {"preprocessing": (Normalise(method="zscore", scope="slice"),)}
    card = design(
        "small",
        settings={"dims": dims, "widths": (3, 4), "in_channels": 1},
        pixel_size=(0.2, 0.4),
        pixel_unit="nm",
        licence="CC-BY-4.0",
        **fields,
    )
    return TorchModel.new(card, seed=2)


def scores(opened: Any, block: np.ndarray) -> np.ndarray:
    if not isinstance(opened, ArrayModel):
        return logits_of(opened.network(), block)
    try:
        return opened.start(1).run(block)
    finally:
        opened.close()


def told(card: Any) -> dict[str, Any]:
    """Return a card's fields without those that say in which file it lies."""
    own = ("architecture", "architecture_settings", "parameters", "sources", "scores")
    return {name: value for name, value in card.as_dict().items() if name not in own}


@pytest.mark.parametrize("name", ["one.safetensors", "folder"])
def test_safetensors_bring_everything_back(tmp_path: Path, name: str) -> None:
    original = model()
    done = export_model(original, "safetensors", tmp_path / name)
    again = open_model(done.path)
    assert again.card == original.card
    assert done.difference == 0.0


@pytest.mark.long
@pytest.mark.parametrize(("dims", "multilabel"), [(2, False), (3, False), (2, True)])
def test_onnx_brings_card_and_numbers_back(tmp_path: Path, dims: int, multilabel: bool) -> None:
    """Within 1e-5 at another size than the traced one."""
    pytest.importorskip("onnxscript")
    original = model(dims, multilabel=multilabel)
    done = export_model(original, "onnx", tmp_path / "m.onnx")
    assert done.difference < ROUND_TRIP
    again = open_model(done.path)
    assert told(again.card) == told(original.card)
    shape = (24, 18, 20)[-dims:]
    block = prepared(original.card, raw_image(original.card, shape, seed=4))
    np.testing.assert_allclose(
        scores(again, block), logits_of(original.network(), block), atol=ROUND_TRIP
    )


@pytest.mark.long
def test_a_package_of_bioimageio_comes_back_whole(tmp_path: Path) -> None:
    """Its own test is computed on opening; the official check is in `official_check.py`."""
    pytest.importorskip("onnxscript")
    original = model(multilabel=True)
    done = export_model(original, "bioimageio", tmp_path / "m.zip")
    again = open_model(done.path)
    assert isinstance(again, TorchModel)
    assert told(again.card) == told(original.card)
    assert again.card.scores["test_tensor_difference"] < ROUND_TRIP
    assert "model.onnx" in done.files


@pytest.mark.long
def test_a_model_that_sees_patches_sees_them_in_onnx_too(tmp_path: Path) -> None:
    """Blended patches of a file computed elsewhere are those of the network itself."""
    pytest.importorskip("onnxscript")
    plain = model()
    original = plain.with_card(plain.card.replaced(windows=Windows(size=(16, 24), mirror=(0,))))
    done = export_model(original, "onnx", tmp_path / "m.onnx")
    again = open_model(done.path)
    assert isinstance(again, ArrayModel)
    assert again.card.windows == original.card.windows
    values = raw_image(original.card, (40, 50), seed=3)[0]
    image = CalibratedImage.from_array(values, axes="yx")
    theirs = predict(again, image).scores
    again.close()
    np.testing.assert_allclose(theirs, predict(original, image).scores, atol=1e-4)


def rdf(*steps: Preprocessing, windows: Windows | None = None) -> dict[str, Any]:
    """Return the description of a card with these steps."""
    card = model().card.replaced(preprocessing=steps, windows=windows)
    hashes = dict.fromkeys(
        ("README.md", "cover.png", "weights.safetensors", "test_input.npy", "test_output.npy"), ""
    )
    extra = {"author": "A", "timestamp": "", "card": {}, "opset": 18}
    return description(card, {**hashes, "model.onnx": ""}, 64, extra)


def test_limits_and_steps_of_each_channel_have_words_in_a_description() -> None:
    first = Normalise(method="zscore", scope="constant", low=1.0, high=2.0, limits=(0.0, 9.0))
    second = first.model_copy(update={"low": 3.0, "high": 4.0})
    _, clip, line, _ = rdf(EachChannel(steps=(first, second)))["inputs"][0]["preprocessing"]
    assert clip == {"id": "clip", "kwargs": {"min": 0.0, "max": 9.0}}
    assert line["kwargs"] == {"axis": "channel", "mean": [1.0, 3.0], "std": [2.0, 4.0]}
    measured = Normalise(method="zscore", scope="slice")
    found = rdf(EachChannel(steps=(measured, measured)))["inputs"][0]["preprocessing"]
    assert found[1]["kwargs"] == {"axes": ["y", "x"]}
    with pytest.raises(ModelError, match="channels in different ways"):
        rdf(EachChannel(steps=(first, measured)))


def test_what_patches_need_and_a_description_cannot_say_is_refused() -> None:
    assert rdf(Normalise(), windows=Windows(size=(16, 16)))["name"]
    for windows in (
        Windows(size=(16, 16), crop=True),
        Windows(size=(16, 16), spacing=(1.0, 1.0)),
        Windows(size=(16, 16), order=(1, 0)),
    ):
        with pytest.raises(ModelError, match="which a package of bioimage"):
            rdf(Normalise(), windows=windows)


def test_what_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_text("mine")
    with pytest.raises(AlreadyExists):
        export_model(model(), "onnx", tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_text() == "mine"


def test_statistics_of_each_image_cannot_be_exported(tmp_path: Path) -> None:
    original = model()
    own = original.with_card(original.card.model_copy(update={"batch_norm": "image"}))
    with pytest.raises(ModelError, match="Calibrate"):
        export_model(own, "onnx", tmp_path / "m.onnx")


def test_without_the_writer_the_sentence_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "napari_defectseg.models.export.traced.find_spec"
    monkeypatch.setattr(module, lambda name: None)
    with pytest.raises(ModelError, match=r"napari-defectseg\[onnx\]"):
        export_model(model(), "onnx", tmp_path / "m.onnx")


def test_an_unknown_kind_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="safetensors, onnx, bioimageio"):
        export_model(model(), "tflite", tmp_path / "m")
