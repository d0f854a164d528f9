"""Layers that hold code: never run, described, and replaced by what a person says they do."""

from __future__ import annotations

import base64
import json
import marshal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models import reference as ref
from tests.models.keras.writing import functional, layer, seeded, write_h5

from napari_defectseg.batch.analyse import open_recipe_model, recipe_for
from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.graphs.code import HoldsCode
from napari_defectseg.models.keras.bytecode import Seen, seen_in
from napari_defectseg.models.keras.configuration import network_in
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.open import open_model
from napari_defectseg.models.save import save_model
from napari_defectseg.models.settings import spoken

IO = "formats/keras2_lambda"


def code_of(function: Callable[..., Any]) -> list[Any]:
    """Return a function as Keras 2 keeps it."""
    return [base64.b64encode(marshal.dumps(function.__code__)).decode(), None, None]


def saved(function: Any, path: Path, name: str = "scale") -> Path:
    config = functional(
        [
            layer("Lambda", name, "image", function=function),
            layer("Conv2D", "c", name, filters=1, kernel_size=[3, 3], padding="same"),
        ]
    )
    graph = network_in(config, "small").graph
    return write_h5(graph, seeded(graph), path, config=config)


def test_a_genuine_model_is_exact_once_a_person_says_what_its_lambda_does(tmp_path: Path) -> None:
    x, y = ref.arrays(f"{IO}/input.npz")["x"], ref.arrays(f"{IO}/output.npz")["y"]
    path = ref.folder() / IO / "unet_lambda_benign.h5"
    model = open_model(path, settings={"lambda.lambda": "divide255"})
    assert isinstance(model, TorchModel)
    assert ref.largest(ref.probabilities(model, x), y) < 5e-6
    assert model.card.preprocessing == ()  # what scales is inside now
    again = open_model(save_model(model, tmp_path / "kept"))
    assert isinstance(again, TorchModel)
    np.testing.assert_array_equal(ref.probabilities(again, x), ref.probabilities(model, x))


@pytest.mark.parametrize(
    ("word", "made"),
    [("divide255", 100 / 255), ("divide127.5", 100 / 127.5 - 1), ("nothing", 100.0)],
)
def test_each_replacement_does_what_it_says(word: str, made: float, tmp_path: Path) -> None:
    path = saved(code_of(lambda x: x), tmp_path / "a.h5")
    network: Any = open_model(path, settings={"lambda.scale": word}).network()
    given_ = network.between(torch.full((1, 1, 4, 4), 100.0), ["scale"])["scale"]
    assert float(given_[0, 0, 0, 0]) == pytest.approx(made, rel=1e-6)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: x / 255.0, r"numbers in it 255; names none\. It seems to be x / 255\."),
        (lambda x: x / 127.5 - 1.0, r"127\.5, 1; names none\. It seems to be x / 127\.5 - 1\."),
        (lambda x: x.resize((64, 64)), r"names resize\. Say what"),
    ],
)
def test_what_is_in_it_is_said_without_running_it(
    function: Any, words: str, tmp_path: Path
) -> None:
    path = saved(code_of(function), tmp_path / "a.h5")
    with pytest.raises(ModelError, match=words) as caught:
        open_model(path)
    assert "not run" in caught.value.sentence
    assert "--set lambda.scale=" in (caught.value.hint or "")


def test_wrong_words_for_a_lambda_are_named(tmp_path: Path) -> None:
    path = saved(code_of(lambda x: x), tmp_path / "a.h5")
    with pytest.raises(ModelError, match=r"no Lambda layer 'other'.*It has scale"):
        open_model(path, settings={"lambda.other": "divide255"})
    with pytest.raises(ModelError, match=r"'exec' is not known.*divide127\.5"):
        open_model(path, settings={"lambda.scale": "exec"})


def test_older_pythons_and_keras_3_are_read_too() -> None:
    """The code of x / 255 as Python 3.7 and 3.9 marshal it, and in the words of Keras 3."""
    tail = (
        b"s\x08\x00\x00\x00|\x00d\x01\x1b\x00S\x00)\x02Ng\x00\x00\x00\x00\x00\xe0o@)\x00)\x01z\x01x"
    )
    tail += b")\x00)\x00z\x01fz\x01g\x01\x00\x00\x00s\x00\x00\x00\x00"
    for numbers in (5, 6):
        text = base64.b64encode(b"\xe3" + bytes(4 * numbers) + tail).decode()
        assert seen_in([text, None, None]) == Seen((255.0,), ())
    new = {"class_name": "__lambda__", "config": {"code": text}}
    assert seen_in(new) == Seen((255.0,), ())
    assert seen_in("preprocess") == Seen((), ("preprocess",))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 60), st.integers(0, 255))
def test_any_bytes_are_read_or_not_and_nothing_else(raw: bytes, at: int, byte: int) -> None:
    genuine = bytearray(marshal.dumps((lambda x: x / 255.0).__code__))
    genuine[at] = byte
    for data in (raw, bytes(genuine)):
        found = seen_in([base64.b64encode(data).decode()])
        assert found is None or isinstance(found, Seen)


def test_a_saved_model_of_the_authors_own_class_is_refused_by_name(tmp_path: Path) -> None:
    """Its layers stand in program code alone."""
    text = json.dumps({"class_name": "MyUNet", "config": {}}).encode()
    node = b"\x1a\x04root" + b"\x2a" + bytes([len(text)]) + text
    (tmp_path / "variables").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    (tmp_path / "variables" / "variables.index").write_bytes(b"")
    (tmp_path / "keras_metadata.pb").write_bytes(b"\x0a" + bytes([len(node)]) + node)
    with pytest.raises(ModelError, match=r"class 'MyUNet', which is the author's own.*to_json"):
        open_model(tmp_path)


def test_what_was_said_is_in_the_card_and_can_be_said_again(tmp_path: Path) -> None:
    """So a recipe opens the file as it was opened, and a saved folder takes another answer."""
    path = saved(code_of(lambda x: x / 255.0), tmp_path / "a.h5")
    with pytest.raises(HoldsCode) as caught:
        open_model(path)
    (code,) = caught.value.layers
    assert (code.field, code.seems) == ("lambda.scale", "divide255")
    model = open_model(path, settings={"lambda.scale": "divide255"})
    assert caught.value.sha256 == model.sha256
    again = open_model(path, settings=spoken(model.card))
    assert again.card == model.card
    folder = save_model(model, tmp_path / "kept")
    assert spoken(open_model(folder).card)["lambda.scale"] == "divide255"
    other = open_model(folder, settings={"lambda.scale": "nothing"})
    assert spoken(other.card)["lambda.scale"] == "nothing"


def test_a_recipe_of_a_model_with_code_opens_it_again(tmp_path: Path) -> None:
    path = saved(code_of(lambda x: x / 255.0), tmp_path / "a.h5")
    model = open_model(path, settings={"lambda.scale": "divide255"})
    recipe = recipe_for(model, str(path), settings=spoken(model.card))
    assert open_recipe_model(recipe).card == model.card
