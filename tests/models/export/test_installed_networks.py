"""Networks that installed libraries build: opened as a file of theirs, exported, opened again.

MONAI, segmentation_models_pytorch and transformers are not among the packages of the tests; where
one is missing, its networks are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.models.export.there_and_back import ROUND_TRIP, differs, model_of
from tests.models.published import run
from tests.models.test_monai import _bundle

from napari_defectseg.models.architectures import (
    monai_package,
    smp_package,
    transformers_package,
)
from napari_defectseg.models.installed import installed
from napari_defectseg.models.open import open_model
from napari_defectseg.models.weights import write_safetensors

SAME = 1e-6
PLANE: dict[str, Any] = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}
NARROW = [4, 4, 4, 8, 8, 4]
MONAI: dict[str, dict[str, Any]] = {
    "AttentionUnet": {**PLANE, "channels": [4, 8, 16], "strides": [2, 2]},
    "BasicUNet": {**PLANE, "features": NARROW, "norm": ["group", {"num_groups": 2}]},
    "BasicUNetPlusPlus": {**PLANE, "features": NARROW},
    "FlexibleUNet": {"in_channels": 1, "out_channels": 2, "backbone": "efficientnet-b0"},
    "HighResNet": PLANE,
    "MedNeXt": {**PLANE, "init_filters": 4},
    "SegResNet": {**PLANE, "init_filters": 8, "upsample_mode": "pixelshuffle"},
    "SegResNetDS": {**PLANE, "init_filters": 8},
    "SwinUNETR": {**PLANE, "feature_size": 12},
    "UNETR": {**PLANE, "img_size": 32, "hidden_size": 48, "mlp_dim": 32, "num_heads": 4},
    "UNet": {**PLANE, "channels": [4, 8], "strides": [2], "norm": ["group", {"num_groups": 2}]},
    "VNet": PLANE,
}
ENCODER = {"encoder_name": "resnet18", "in_channels": 1, "classes": 2}
SMP = dict.fromkeys((*smp_package.NAMES, "PAN"), ENCODER)
# With a ResNet these are built in.
OTHER = {**ENCODER, "encoder_name": "efficientnet-b0"}
SMP |= dict.fromkeys(("Unet", "UnetPlusPlus", "FPN"), OTHER)
SMALL = {
    "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 32,
    "image_size": 64,
}  # fmt: skip
LABELS = {"id2label": {"0": "matrix", "1": "void", "2": "carbide"}}
OUT = {"out_indices": [1, 2, 3, 4], "pool_scales": [1, 2]}
SWIN = {"model_type": "swin", "embed_dim": 12, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 2, 2],
        "window_size": 4, "image_size": 64,
        "out_features": ["stage1", "stage2", "stage3", "stage4"]}  # fmt: skip
DECODER = {"model_type": "detr", "d_model": 16, "decoder_layers": 1, "encoder_layers": 1,
           "decoder_attention_heads": 2, "encoder_attention_heads": 2, "decoder_ffn_dim": 16,
           "encoder_ffn_dim": 16, "num_queries": 5}  # fmt: skip
TRANSFORMERS: dict[str, dict[str, Any]] = {
    "BeitForSemanticSegmentation": {**SMALL, **OUT},
    "Data2VecVisionForSemanticSegmentation": {**SMALL, **OUT},
    "DPTForSemanticSegmentation": {
        **SMALL, "backbone_out_indices": [0, 1, 2, 3], "neck_hidden_sizes": [8, 8, 8, 8],
        "fusion_hidden_size": 8,
    },
    "EomtForUniversalSegmentation": {**SMALL, "num_queries": 5, "num_blocks": 1},
    "Mask2FormerForUniversalSegmentation": {
        "backbone_config": SWIN, "num_queries": 5, "hidden_dim": 32, "feature_size": 32,
        "mask_feature_size": 32, "encoder_layers": 1, "decoder_layers": 2,
        "num_attention_heads": 2, "dim_feedforward": 16, "encoder_feedforward_dim": 16,
    },
    "MaskFormerForInstanceSegmentation": {
        "backbone_config": SWIN, "decoder_config": DECODER, "fpn_feature_size": 32,
        "mask_feature_size": 32,
    },
    "MobileNetV2ForSemanticSegmentation": {"depth_multiplier": 0.35, "image_size": 64},
    "MobileViTForSemanticSegmentation": {"hidden_sizes": [16, 24, 32], "image_size": 64},
    "MobileViTV2ForSemanticSegmentation": {"width_multiplier": 0.5, "image_size": 64},
    "SegformerForSemanticSegmentation": {
        "hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 1, 2, 2],
        "decoder_hidden_size": 8, "reshape_last_stage": False,
    },
    "UperNetForSemanticSegmentation": {
        "backbone_config": {**SWIN, "image_size": 64}, "hidden_size": 16,
        "use_auxiliary_head": False,
    },
}  # fmt: skip
PACKAGES = (
    ("monai_package", MONAI), ("smp_package", SMP), ("transformers_package", TRANSFORMERS),
)  # fmt: skip
CASES = [
    pytest.param(package, name, values, id=name + "-" + package.partition("_")[0])
    for package, table in PACKAGES
    for name, values in table.items()
]


def settings_of(package: str, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the network is built from; a test whose library is missing is skipped."""
    for needed in installed(package).packages:
        pytest.importorskip(needed)
    plain = package == "transformers_package"
    arguments = transformers_package.plain({**values, **LABELS}) if plain else dict(values)
    return {"network": name, "arguments": arguments}


def file_of(package: str, name: str, values: Mapping[str, Any], network: Any, at: Path) -> Path:
    """Write a network as its library does: a bundle, or a folder with its configuration."""
    if package == "monai_package":
        definition = {"_target_": f"monai.networks.nets.{name}", **values}
        return _bundle(at, {"network_def": definition}, network.state_dict())
    at.mkdir()
    if package == "smp_package":
        network.save_pretrained(str(at))
        return at
    network = network.network
    write_safetensors(network.state_dict(), at / "model.safetensors")
    kind = transformers_package.KNOWN[name][0]
    config = {**values, **LABELS, "architectures": [name], "model_type": kind}
    (at / "config.json").write_text(json.dumps(config))
    return at


@pytest.mark.long
@pytest.mark.parametrize(("package", "name", "values"), CASES)
def test_a_file_of_theirs_gives_the_numbers_of_the_library(
    package: str, name: str, values: Mapping[str, Any], tmp_path: Path
) -> None:
    settings = settings_of(package, name, values)
    torch.manual_seed(0)
    network = installed(package).build(settings).eval()
    facts = installed(package).facts(settings)
    model = open_model(file_of(package, name, values, network.network, tmp_path / "theirs"))
    assert model.card.architecture == package
    shape = facts["tile"] or [2 * max(facts["grid"], 32)] * facts["dims"]
    dice = np.random.default_rng(0)
    noise = dice.normal(size=(1, facts["in_channels"], *shape)).astype(np.float32)
    theirs = run(network, noise)
    assert theirs.shape == (1, facts["out_channels"], *shape)
    # The same operations; where tensors lie in memory may turn the last bit.
    np.testing.assert_allclose(run(model.network(), noise), theirs, rtol=0, atol=SAME)


@pytest.mark.long
@pytest.mark.parametrize("to", ["safetensors", "onnx", "bioimageio"])
@pytest.mark.parametrize(("package", "name", "values"), CASES)
def test_it_is_exported_and_comes_back(
    package: str, name: str, values: Mapping[str, Any], to: str, tmp_path: Path
) -> None:
    model = model_of(package, settings_of(package, name, values))
    assert differs(model, to, tmp_path) < ROUND_TRIP


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        (monai_package.KIND, MONAI),
        (smp_package.KIND, SMP),
        (transformers_package.KIND, TRANSFORMERS),
    ],
)
def test_no_network_on_a_list_is_left_out(kind: Any, table: Mapping[str, Any]) -> None:
    assert set(table) == set(kind.known.split(", "))
