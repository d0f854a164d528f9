"""Descriptions and files that are wrong or made to harm: sentences, no code, no large memory."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from tests.models.keras.writing import (
    functional,
    layer,
    seeded,
    small_config,
    write_h5,
    write_keras,
)

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.keras.configuration import network_in, parsed
from napari_defectseg.models.open import open_model

CONV = {"filters": 2, "kernel_size": [3, 3], "padding": "same"}


def changed(**config: Any) -> dict[str, Any]:
    """Return a network of one convolution with some settings of it changed."""
    return functional([layer("Conv2D", "c", "image", **{**CONV, **config})])


def two_outputs() -> dict[str, Any]:
    values = small_config()
    values["config"]["output_layers"].append(["first", 0, 0])
    return values


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (functional([layer("MyBlock", "b", "image")]), "class 'MyBlock', which this program"),
        (functional([{**layer("Conv2D", "c", "image"), "module": "os"}]), r"'os\.Conv2D'"),
        (
            functional([{**layer("Conv2D", "c", "image"), "registered_name": "mine>Conv2D"}]),
            "'mine>Conv2D', which is no layer of Keras",
        ),
        ({"class_name": "CLIP", "config": {}}, "of the class 'CLIP'"),
        (two_outputs(), "network with 2 outputs"),
        (changed(data_format="channels_first"), "channels first"),
        (changed(filters=10**9), "filters 1000000000"),
        (changed(filters=-1), "filters -1"),
        (changed(filters="many"), "filters many"),
        (changed(kernel_size=[3, 3, 3]), "kernel"),
        (changed(kernel_size=[100000, 3]), "kernel"),
        (changed(padding="causal"), "padding 'causal'"),
        (changed(activation="my_relu"), "activation 'my_relu'"),
        (
            changed(activation={"class_name": "function", "config": "f", "module": "os"}),
            "'function",
        ),
        (changed(strides=[2, 2]), "not a map of it"),
        (functional([layer("Conv2D", "c", "nowhere", **CONV)]), "'nowhere', which is not there"),
        (
            functional([layer("Conv2D", "a", "b", **CONV), layer("Conv2D", "b", "a", **CONV)]),
            "circle",
        ),
        (functional([layer("Conv2D", "c", "image", **CONV)] * 2), "one name"),
        (functional([layer("Reshape", "r", "image", target_shape=[-1, 4])]), "not an image"),
        (functional([layer("Add", "s", "image")], channels=0), "0 channels"),
        ({"class_name": "Functional", "config": {"layers": 3}}, "missing or strange"),
        ({"class_name": "Sequential", "config": []}, "without layers"),
    ],
)
def test_descriptions_that_cannot_be_built_are_named(values: dict[str, Any], words: str) -> None:
    from napari_defectseg.models.graphs.architecture import facts_of

    with pytest.raises(ModelError, match=words):
        facts_of(network_in(values, "net.h5").graph)


def test_deep_and_long_descriptions_are_not_parsed() -> None:
    for text in ("[" * 100_000, "{" + " " * (17 << 20) + "}", "[1]", "nothing", b"\xff\xfe{"):
        with pytest.raises(ModelError):
            parsed(text, "net.h5")


def test_layers_that_do_nothing_when_predicting_are_left_out() -> None:
    """Dropout and noise, in front, inside and at the end; nested names in Keras 3 form."""
    values = functional(
        [
            layer("GaussianNoise", "noise", "image", stddev=0.1),
            layer("Conv2D", "c", "noise", **CONV, activation="sigmoid"),
            layer("Dropout", "d", "c", rate=0.5),
        ]
    )
    network = network_in(values, "net.h5")
    assert [node.op for node in network.graph.order] == ["conv"]
    assert network.activation == "sigmoid"


def test_a_layer_used_twice_keeps_one_set_of_weights(tmp_path: Path) -> None:
    values = functional(
        [
            layer("Conv2D", "c", "image", filters=1, kernel_size=[3, 3], padding="same"),
            layer("Add", "sum", ["c", "c"]),
        ]
    )
    values["config"]["layers"][1]["inbound_nodes"].append([["c", 0, 0, {}]])
    values["config"]["layers"][2]["inbound_nodes"] = [[["c", 0, 0, {}], ["c", 1, 0, {}]]]
    graph = network_in(values, "net.h5").graph
    assert len(graph.weighted) == 1
    path = write_h5(graph, seeded(graph), tmp_path / "net.h5", config=values)
    assert open_model(path).card.parameters == 10


def test_a_sequential_network_opens(tmp_path: Path) -> None:
    """With the size of the image in its first layer, as older files have it."""
    size = {"kernel_size": [3, 3], "padding": "same"}
    values = {
        "class_name": "Sequential",
        "config": [
            layer("Conv2D", "a", batch_input_shape=[None, 64, 64, 3], filters=4, **size),
            layer("LeakyReLU", "l", alpha=0.2),
            layer("Conv2D", "b", filters=1, activation="sigmoid", **size),
        ],
    }
    graph = network_in(values, "net.h5").graph
    path = write_h5(graph, seeded(graph), tmp_path / "net.h5", config=values)
    card = open_model(path).card
    assert (card.in_channels, card.task, card.activation) == (3, "binary", "sigmoid")


def write_with(path: Path, change: str, tmp_path: Path) -> Path:
    """Write the small network with one thing in its HDF5 file that must not be followed."""
    config = small_config()
    graph = network_in(config, "small").graph
    write_h5(graph, seeded(graph), path, config=config)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/first"]
        if change == "external link":
            with h5py.File(tmp_path / "other.h5", "w") as other:
                other["k"] = np.zeros((3, 3, 1, 4), np.float32)
            del group["first/kernel:0"]
            group["first/kernel:0"] = h5py.ExternalLink("other.h5", "/k")
        elif change == "soft link":
            del group["first/kernel:0"]
            group["first/kernel:0"] = h5py.SoftLink("/model_weights/second/second/kernel:0")
        elif change == "outside":
            (tmp_path / "raw").write_bytes(bytes(144))
            del group["first/kernel:0"]
            group.create_dataset(
                "first/kernel:0", (3, 3, 1, 4), "f4", external=[(str(tmp_path / "raw"), 0, 144)]
            )
        elif change == "bomb":
            del group["first/kernel:0"]
            group.create_dataset("first/kernel:0", (3, 3, 10**6, 10**6), "f4", chunks=(1, 1, 9, 9))
        elif change == "text":
            del group["first/kernel:0"]
            group["first/kernel:0"] = "exec"
        elif change == "long list":
            del file["model_weights"].attrs["layer_names"]
            for i in range(40):
                file["model_weights"].attrs[f"layer_names{i}"] = [f"l{i}_{j}" for j in range(600)]
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("external link", "links are not followed"),
        ("soft link", "links are not followed"),
        ("outside", "in another file, which is not opened"),
        ("bomb", r"states 3×3×1000000×1000000 values .* holds 0 bytes"),
        ("text", "not as numbers"),
        ("long list", "24000 names"),
    ],
)
def test_hdf5_is_read_with_care(change: str, words: str, tmp_path: Path) -> None:
    path = write_with(tmp_path / "net.h5", change, tmp_path)
    with pytest.raises(ModelError, match=words):
        open_model(path).network()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("twice", "two parts of one name"),
        ("outside", "would lie outside"),
        ("lacking", "not a model|without model.weights.h5"),
        ("bzip2", "in an unusual way"),
        ("garbage", "not a whole HDF5"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archives_are_read_with_care(change: str, words: str, tmp_path: Path) -> None:
    good = write_keras(tmp_path / "good.keras")
    with zipfile.ZipFile(good) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    path = tmp_path / "bad.keras"
    method = zipfile.ZIP_BZIP2 if change == "bzip2" else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in parts.items():
            weights = name.endswith(".h5")
            if change == "lacking" and weights:
                continue
            archive.writestr(name, b"x" * 500 if change == "garbage" and weights else content)
        if change == "twice":
            archive.writestr("config.json", b"{}")
        if change == "outside":
            archive.writestr("../../evil", b"")
    with pytest.raises(ModelError, match=words):
        open_model(path).network()


def test_the_weights_beside_a_description_are_found(tmp_path: Path) -> None:
    """JSON and weights apart, opened by either; alone the weights say what is needed."""
    config = small_config()
    graph = network_in(config, "small").graph
    weights = write_h5(graph, seeded(graph), tmp_path / "small_weights.h5")
    with pytest.raises(ModelError, match=r"first first 3×3×1×4.*to_json"):
        open_model(weights)
    description = tmp_path / "small.json"
    description.write_text(json.dumps(config))
    one, two = open_model(weights), open_model(description)
    assert one.card.parameters == two.card.parameters
    assert set(one.files) == set(two.files) == {"small.json", "small_weights.h5"}
    weights.unlink()
    with pytest.raises(ModelError, match="no weights that fit it lie beside it"):
        open_model(description)


FUZZ = """
import random, sys
from pathlib import Path
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.models.open import open_model
source, folder = Path(sys.argv[1]), Path(sys.argv[2])
seed, count = int(sys.argv[3]), int(sys.argv[4])
content, rng = source.read_bytes(), random.Random(seed)
for _ in range(count):
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        at = rng.randrange(len(changed))
        changed[at] = rng.choice([changed[at] ^ 1 << rng.randrange(8), 0, 255, rng.randrange(256)])
    path = folder / source.name
    path.write_bytes(changed)
    try:
        open_model(path).network()
    except DefectSegError as error:
        assert error.sentence.endswith("."), error.sentence
print("alive")
"""


@pytest.mark.parametrize("kind", ["h5", "keras", "json"])
def test_changed_bytes_never_end_the_program(kind: str, tmp_path: Path) -> None:
    """Sixty seeded changes of each container, in a process of their own: models or sentences."""
    config = small_config()
    graph = network_in(config, "small").graph
    source, folder = tmp_path / "source", tmp_path / "changed"
    source.mkdir()
    folder.mkdir()
    if kind == "keras":
        path = write_keras(source / "net.keras")
    elif kind == "h5":
        path = write_h5(graph, seeded(graph), source / "net.h5", config=config)
    else:
        path = source / "net.json"
        path.write_text(json.dumps(config))
        write_h5(graph, seeded(graph), folder / "net_weights.h5")
    seed = random.Random(kind).randrange(1000)
    result = subprocess.run(
        [sys.executable, "-c", FUZZ, str(path), str(folder), str(seed), "60"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.stdout.strip() == "alive", result.stderr[-2000:]
