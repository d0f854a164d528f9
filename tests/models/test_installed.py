"""Networks that an installed library builds: with stand-ins, and with the libraries themselves.

The libraries are not among the packages of the tests. Where they are installed, their numbers
are compared; else those tests are skipped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.models.foreign_packages import FILES, write_packages
from tests.models.published import reference, run
from tests.models.test_monai import _bundle

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models import installed as module
from napari_defectseg.models.architectures import (
    monai_package,
    smp_package,
    transformers_package,
)
from napari_defectseg.models.installed import InstalledKind, check_plain
from napari_defectseg.models.open import open_model
from napari_defectseg.models.save import save_model
from napari_defectseg.models.weights import write_safetensors
from napari_defectseg.testing.architecture import ArchitectureContract

ROOTS = {name.split("/")[0] for name in FILES}


@contextmanager
def standing_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put stand-ins on the path, in the place of libraries that may be installed."""
    kept = {n: m for n, m in sys.modules.items() if n.split(".")[0] in ROOTS}
    for name in kept:
        del sys.modules[name]
    monkeypatch.syspath_prepend(str(write_packages(folder)))
    yield
    for name in [n for n in sys.modules if n.split(".")[0] in ROOTS]:
        del sys.modules[name]
    sys.modules.update(kept)


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand-ins for all of them."""
    with standing_in(tmp_path / "libraries", monkeypatch):
        yield


class InstalledContract(ArchitectureContract):
    """The contract of networks; a stand-in takes the place of a library that is not there."""

    @pytest.fixture(autouse=True)
    def _library(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        if self.architecture.there:
            yield
            return
        with standing_in(tmp_path / "libraries", monkeypatch):
            yield

    def test_it_knows_its_own_tensors(self) -> None:
        """Tensors alone do not say with which arguments a network was made."""
        assert self.architecture.recognise({"network.a.weight": (1, 1, 3, 3)}) is None

    def test_the_nearest_network_of_its_own_tensors_is_itself(self) -> None:
        """Without a definition there is no nearest one."""
        assert self.architecture.nearest({"network.a.weight": (1, 1, 3, 3)}) == {}


ATTENTION = {
    "spatial_dims": 2, "in_channels": 1, "out_channels": 2, "channels": [4, 8, 16],
    "strides": [2, 2],
}  # fmt: skip


class TestMonaiPackage(InstalledContract):
    architecture = monai_package.KIND
    examples = ({"network": "AttentionUnet", "arguments": ATTENTION},)


class TestSmpPackage(InstalledContract):
    architecture = smp_package.KIND
    examples = (
        {
            "network": "Linknet",
            "arguments": {"encoder_name": "resnet18", "in_channels": 1, "classes": 2},
        },
    )


class TestTransformersPackage(InstalledContract):
    architecture = transformers_package.KIND
    examples = (
        {
            "network": "SegformerForSemanticSegmentation",
            "arguments": {
                "num_channels": 1, "num_labels": 2, "hidden_sizes": [8, 8, 8, 8],
                "depths": [1, 1, 1, 1], "num_attention_heads": [1, 1, 2, 2],
                "decoder_hidden_size": 8,
            },
        },
    )  # fmt: skip


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)


def network_of(kind: InstalledKind, name: str, **arguments: Any) -> Any:
    torch.manual_seed(0)
    return kind.build({"network": name, "arguments": arguments}).network.eval()


def bundle(folder: Path, name: str, state: dict[str, Any], **arguments: Any) -> Path:
    definition = {"_target_": f"monai.networks.nets.{name}", **arguments}
    return _bundle(folder, {"network_def": definition}, state)


def noise(channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(1, channels, 64, 64)).astype(np.float32)


def test_a_bundle_of_a_network_that_is_not_built_in_gives_the_library_s_numbers(
    libraries: None, tmp_path: Path
) -> None:
    network = network_of(monai_package.KIND, "AttentionUnet", **ATTENTION)
    model = open_model(bundle(tmp_path / "b", "AttentionUnet", network.state_dict(), **ATTENTION))
    card = model.card
    assert (card.architecture, card.grid, card.halo) == ("monai_package", 4, None)
    assert card.classes.names == ("void",)
    assert any("AttentionUnet is that of MONAI" in quirk for quirk in card.quirks)
    np.testing.assert_array_equal(run(model.network(), noise()), run(network, noise()))
    again = open_model(save_model(model, tmp_path / "kept"))
    np.testing.assert_array_equal(run(again.network(), noise()), run(network, noise()))


def test_weights_are_never_fetched_and_the_first_of_several_maps_is_taken(
    libraries: None, tmp_path: Path
) -> None:
    arguments = {"in_channels": 1, "out_channels": 2, "backbone": "efficientnet-b0"}
    network = network_of(monai_package.KIND, "FlexibleUNet", **arguments)
    path = bundle(
        tmp_path / "b", "FlexibleUNet", network.state_dict(), **arguments, pretrained=True
    )
    model = open_model(path)
    assert run(model.network(), noise()).shape == (1, 2, 64, 64)


def test_a_network_of_one_size_has_that_tile(libraries: None, tmp_path: Path) -> None:
    arguments = {"in_channels": 1, "out_channels": 2, "img_size": 32, "spatial_dims": 2}
    network = network_of(monai_package.KIND, "UNETR", **arguments)
    card = open_model(bundle(tmp_path / "b", "UNETR", network.state_dict(), **arguments)).card
    assert card.tile == (32, 32)


def test_a_folder_of_smp_with_another_encoder_opens(libraries: None, tmp_path: Path) -> None:
    network = network_of(
        smp_package.KIND, "Linknet", encoder_name="efficientnet-b0", in_channels=1, classes=2
    )
    folder = tmp_path / "model"
    folder.mkdir()
    write_safetensors(network.state_dict(), folder / "model.safetensors")
    config = {
        "_model_class": "Linknet", "encoder_name": "efficientnet-b0", "in_channels": 1,
        "encoder_weights": "imagenet", "classes": 2, "activation": "softmax2d",
        "aux_params": {"classes": 2},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    model = open_model(folder)
    assert (model.card.architecture, model.card.activation) == ("smp_package", "softmax")
    np.testing.assert_array_equal(run(model.network(), noise()), run(network, noise()))


def former(folder: Path, **config: Any) -> Path:
    """A folder of a Mask2Former whose tensors have names of an older library."""
    network = network_of(
        transformers_package.KIND, "Mask2FormerForUniversalSegmentation",
        num_queries=5, num_labels=3,
    ).network  # fmt: skip
    folder.mkdir()
    state = {n.replace("queries.", "old."): t for n, t in network.state_dict().items()}
    write_safetensors(state, folder / "model.safetensors")
    values = {
        "architectures": ["Mask2FormerForUniversalSegmentation"], "model_type": "mask2former",
        "num_queries": 5, "id2label": {"0": "matrix", "1": "void", "2": "carbide"},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps({**values, **config}))
    return folder


def test_a_mask2former_becomes_a_map_of_classes(libraries: None, tmp_path: Path) -> None:
    model = open_model(former(tmp_path / "model", auto_map={"AutoModel": "evil.Model"}))
    assert (model.card.classes.names, model.card.has_background) == (("void", "carbide"), True)
    found = model.network().network.network(pixel_values=torch.from_numpy(noise(3)))
    classes = found.class_queries_logits.softmax(-1)[..., :-1]
    scores = torch.einsum("nqc,nqyx->ncyx", classes, found.masks_queries_logits.sigmoid())
    logits = torch.from_numpy(run(model.network(), noise(3)))
    assert logits.shape == (1, 3, 64, 64)
    # In the middle of its own coarse pixels the map is theirs.
    fine = torch.nn.functional.interpolate(
        scores.log(), (64, 64), mode="bilinear", align_corners=False
    )
    torch.testing.assert_close(logits, fine)


def test_tensors_of_another_network_are_refused_by_name(libraries: None, tmp_path: Path) -> None:
    folder = former(tmp_path / "model")
    write_safetensors({"strange": torch.zeros(2)}, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"missing names.*unknown strange"):
        open_model(folder).network()


def test_a_backbone_that_would_be_fetched_is_refused(libraries: None, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="would have to be fetched") as caught:
        open_model(former(tmp_path / "model", backbone="microsoft/resnet-50"))
    assert "ONNX" in caught.value.hint


@pytest.mark.parametrize(
    "value",
    ["hf-hub:a/b", "https://x.y", "../x", "a b", 1 << 40, float("inf"), b"x", [0] * 300,
     [[[[[[[[1]]]]]]]]],
)  # fmt: skip
def test_arguments_are_numbers_and_short_words(value: Any) -> None:
    with pytest.raises(ModelError):
        check_plain({"encoder_name": value}, "The network Unet")
    check_plain(
        {"a": ["resnet18", 1, 0.5, None, True, {"b": "tu-regnetx_002"}]}, "The network Unet"
    )


def test_a_definition_that_never_ends_is_ended(
    libraries: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_CALLS", 1000)
    with pytest.raises(ModelError, match="more layers than any network"):
        monai_package.KIND.facts({"network": "VNet", "arguments": {}})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "no name of a network"),
        ({"network": "AttentionUnet", "x": 1}, "setting 'x'"),
        ({"network": "os.system"}, "not among the networks of MONAI"),
        ({"network": "AttentionUnet", "arguments": {"strides": "no"}}, "strange value"),
        ({"network": "AttentionUnet", "arguments": {**ATTENTION, "out_channels": 0}}, "strange"),
        ({"network": "AttentionUnet", "arguments": {**ATTENTION, "y": 1}}, "no argument 'y'"),
    ],
)
def test_definitions_that_cannot_be_built_are_sentences(
    libraries: None, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        monai_package.KIND.build(settings)


def test_without_the_library_the_extra_is_named(nothing: None, tmp_path: Path) -> None:
    """Of all three, and for a model that was saved where the library was."""
    for kind, extra in (
        (monai_package.KIND, "monai"), (smp_package.KIND, "smp"),
        (transformers_package.KIND, "transformers"),
    ):  # fmt: skip
        name = kind.known.split(", ")[0]
        assert f"napari-defectseg[{extra}]" in kind.way_out(name)
        assert "ONNX" in kind.way_out("something else")
    state = {"a.weight": torch.zeros(1, 1, 3, 3)}
    path = bundle(tmp_path / "b", "AttentionUnet", state, **ATTENTION)
    with pytest.raises(ModelError, match="AttentionUnet of MONAI is not built here") as caught:
        open_model(path)
    assert "napari-defectseg[monai]" in caught.value.hint
    with pytest.raises(ModelError, match="which is not installed here") as caught:
        monai_package.KIND.build({"network": "AttentionUnet", "arguments": ATTENTION})
    assert "napari-defectseg[monai]" in caught.value.hint


# --- the libraries themselves -----------------------------------------------------------------


def test_the_stored_mask2former_gives_the_scores_of_transformers() -> None:
    pytest.importorskip("transformers")
    place = reference("formats") / "mask2former"
    model = open_model(place)
    assert model.card.classes.names == ("void", "carbide")
    with np.load(place / "input.npz") as x, np.load(place / "output.npz") as y:
        image, semantic = x["x"], torch.from_numpy(y["semantic"])
    wanted = torch.nn.functional.interpolate(semantic.log(), image.shape[2:], mode="bilinear")
    np.testing.assert_allclose(run(model.network(), image), wanted.numpy(), atol=1e-4)


def test_a_genuine_bundle_of_monai_gives_its_numbers(tmp_path: Path) -> None:
    nets = pytest.importorskip("monai.networks.nets")
    arguments = {"in_channels": 1, "out_channels": 2, "feature_size": 12, "spatial_dims": 2}
    torch.manual_seed(0)
    network = nets.SwinUNETR(**arguments).eval()
    path = bundle(tmp_path / "b", "SwinUNETR", network.state_dict(), **arguments)
    np.testing.assert_array_equal(run(open_model(path).network(), noise()), run(network, noise()))


@pytest.mark.parametrize(
    ("name", "encoder"), [("Unet", "efficientnet-b0"), ("DeepLabV3Plus", "resnet18")]
)
def test_a_genuine_folder_of_smp_gives_its_numbers(tmp_path: Path, name: str, encoder: str) -> None:
    smp = pytest.importorskip("segmentation_models_pytorch")
    torch.manual_seed(0)
    network = getattr(smp, name)(encoder, encoder_weights=None, in_channels=1, classes=3).eval()
    network.save_pretrained(str(tmp_path / "model"))
    model = open_model(tmp_path / "model")
    np.testing.assert_array_equal(run(model.network(), noise()), run(network, noise()))
