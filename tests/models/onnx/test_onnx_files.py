"""Files of ONNX and OpenVINO: what is read, what is refused, and the numbers that come out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from published import REFERENCE, reference
from tests.models.onnx.writing import small_onnx

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.models.onnx.card import labels_in
from napari_defectseg.models.onnx.opened import checked, open_onnx
from napari_defectseg.models.onnx.reach import reach_of
from napari_defectseg.models.onnx.read import read_graph
from napari_defectseg.models.open import open_model

TABLE = REFERENCE / "formats" / "expected.json"
ROWS: dict[str, dict[str, Any]] = (
    {row["file"]: row for row in json.loads(TABLE.read_text())} if TABLE.is_file() else {}
)
FILES = {
    "torch3d/unet3d_opset17.onnx": (4, None),
    "onnx/unet_opset17_dynamic.onnx": (8, 56),
    "onnx/unet_opset20_softmax_fixed.onnx": (8, None),
    "onnx/external/unet_external.onnx": (8, 56),
    "onnx_from_tf/unet_keras_nhwc.onnx": (4, 20),
    "onnx_from_tf/tf1_unet_nhwc.onnx": (2, 8),
    "openvino/unet.xml": (8, 56),
}


@pytest.mark.parametrize("file", FILES)
def test_files_of_others_give_the_numbers_they_had(file: str) -> None:
    """Dims, channels, classes, layout, activation and output are those of the writer."""
    pytest.importorskip("openvino" if file.startswith("openvino") else "onnxruntime")
    folder = reference("formats")
    wanted = ROWS[file]["expect"]
    model = open_model(folder / file)
    assert isinstance(model, ArrayModel)
    card, options = model.card, model.program.options
    assert (card.dims, card.in_channels) == (wanted["dims"], wanted["in_channels"])
    assert card.out_channels == wanted["classes"]
    assert options["layout"] == wanted.get("layout", {2: "NCHW", 3: "NCDHW"}[card.dims])
    assert (card.grid, card.halo) == FILES[file]
    assert (card.activation == "none") == ("inside" in wanted["activation"])
    assert card.tile == ((64, 64) if "64x64" in wanted.get("dynamic", "") else None)
    x, y = (np.load(folder / wanted[n])[v] for n, v in (("input", "x"), ("output", "y")))
    last = options["layout"][-1] == "C"
    blocks, scores = (np.moveaxis(a, -1, 1) if last else a for a in (x, y))
    try:
        found = np.stack([model.start(1).run(np.float32(block)) for block in blocks])
    finally:
        model.close()
    np.testing.assert_allclose(found, scores, atol=1e-4, rtol=1e-4)


def test_labels_beside_external_numbers_name_the_classes() -> None:
    pytest.importorskip("onnxruntime")
    model = open_onnx(reference("formats") / "onnx" / "external" / "unet_external.onnx")
    assert model.card.classes.names == ("pore", "crack", "precipitate")
    assert model.card.sources["classes"] == "file"
    assert model.files == ("unet_external.onnx", "unet_external.onnx.data")


def test_without_the_runtime_the_sentence_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("napari_defectseg.models.onnx.opened.has_runtime", lambda: False)
    with pytest.raises(ModelError, match=r"napari-defectseg\[onnx\]"):
        open_onnx(tmp_path / "any.onnx")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('["a", "b"]', ("a", "b")),
        ("{1: 'b', 0: 'a'}", ("a", "b")),
        ('{"0": "a", "1": "b"}', ("a", "b")),
        ("a, b", ("a", "b")),
        ("[" * 5000, ()),
        ("{__import__('os'): 1}", ()),
        ("[1, 2]", ()),
    ],
)
def test_labels_are_read_as_data(text: str, names: tuple[str, ...]) -> None:
    assert labels_in({"labels": text}) == names


def test_labels_of_the_best_class_become_one_channel_a_class(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    model = open_onnx(small_onnx(tmp_path / "m.onnx", end="ArgMax"))
    assert (model.card.activation, model.card.out_channels, model.card.task) == (
        "none",
        4,
        "exclusive",
    )
    try:
        found = model.start(1).run(np.random.default_rng(1).random((3, 9, 8), np.float32))
    finally:
        model.close()
    assert found.shape == (4, 9, 8)
    np.testing.assert_array_equal(found.sum(axis=0), 1)


@pytest.mark.parametrize(("dtype", "name"), [(2, "uint8"), (10, "float16")])
def test_inputs_of_other_types_are_cast(tmp_path: Path, dtype: int, name: str) -> None:
    pytest.importorskip("onnxruntime")
    model = open_onnx(small_onnx(tmp_path / "m.onnx", dtype=dtype))
    assert model.program.options["dtype"] == name
    try:
        given = np.full((3, 5, 6), 255.4 if name == "uint8" else 0.1, np.float32)
        found = model.start(1).run(given)
    finally:
        model.close()
    assert found.shape == (4, 5, 6)
    assert np.isfinite(found).all()


def test_a_file_of_one_size_has_that_tile(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    card = open_onnx(small_onnx(tmp_path / "m.onnx", size=(32, 48))).card
    assert (card.tile, card.halo, card.grid) == ((32, 48), 1, 1)


def test_operators_of_others_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"evil\.ops"):
        checked(small_onnx(tmp_path / "m.onnx", end="X"))


@pytest.mark.parametrize("name", ["../out.bin", "/etc/passwd", "a/b", "..", "c:d", "", "x\\y"])
def test_numbers_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(small_onnx(tmp_path / "m.onnx")))
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    for key, value in (("location", name), ("offset", "0"), ("length", "432")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError):
        checked(tmp_path / "m.onnx")


def test_links_beside_are_not_followed(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(small_onnx(tmp_path / "m.onnx")))
    onnx.save_model(
        model,
        str(tmp_path / "n.onnx"),
        save_as_external_data=True,
        location="n.data",
        size_threshold=0,
    )
    checked(tmp_path / "n.onnx")
    (tmp_path / "n.data").rename(tmp_path / "real.data")
    (tmp_path / "n.data").symlink_to(tmp_path / "real.data")
    with pytest.raises(ModelError, match="link"):
        checked(tmp_path / "n.onnx")
    (tmp_path / "n.data").unlink()
    (tmp_path / "n.data").hardlink_to(tmp_path / "real.data")
    with pytest.raises(ModelError, match="hard link"):
        checked(tmp_path / "n.onnx")


def test_no_changed_byte_and_no_cut_ends_in_anything_but_a_sentence(tmp_path: Path) -> None:
    """300 seeded changes of a small file: read, or refused with a `ModelError`."""
    content = bytearray(small_onnx(tmp_path / "m.onnx").read_bytes())
    rng, path = np.random.default_rng(5), tmp_path / "changed.onnx"
    for _ in range(300):
        changed = bytearray(content)
        for place in rng.integers(0, len(changed), rng.integers(1, 6)):
            changed[place] = rng.integers(0, 256)
        path.write_bytes(
            changed[: rng.integers(1, len(changed) + 1)] if rng.random() < 0.3 else changed
        )
        try:
            checked(path)
        except ModelError:
            continue


def test_tensors_that_declare_what_they_do_not_hold_are_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(small_onnx(tmp_path / "m.onnx")))
    model.graph.initializer[0].dims[0] = 10**9
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="bytes"):
        read_graph(tmp_path / "m.onnx")


def test_what_lies_beyond_the_halo_changes_nothing() -> None:
    """A tile with its halo gives the inside of the whole image's scores."""
    pytest.importorskip("onnxruntime")
    path = reference("formats") / "onnx" / "unet_opset17_dynamic.onnx"
    graph, facts, _ = checked(path)
    reach = reach_of(graph, facts.input.name, facts.output.name, 2)
    assert reach.halo
    model = open_onnx(path)
    whole = np.random.default_rng(3).random((1, 192, 192), np.float32)
    inner = slice(reach.halo, 192 - reach.halo)
    try:
        runner = model.start(1)
        one = runner.run(whole)
        padded = np.pad(whole, ((0, 0), (64, 64), (64, 64)), mode="wrap")
        other = runner.run(padded)[:, 64:-64, 64:-64]
    finally:
        model.close()
    np.testing.assert_allclose(one[:, inner, inner], other[:, inner, inner], atol=1e-4)


def test_a_path_relative_to_the_working_folder_is_found_by_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_onnx(tmp_path / "model.onnx")
    monkeypatch.chdir(tmp_path)
    model = open_model("model.onnx")
    try:
        assert model.start(1).run(np.zeros((3, 8, 8), np.float32)).shape == (4, 8, 8)
    finally:
        model.close()
