"""Our own networks keep the contract that strangers' networks must keep."""

from __future__ import annotations

from tests.models import (  # noqa: F401 - they hold the contracts of further networks
    test_installed,
    test_monai,
    test_nnunet,
    test_plain_networks,
    test_smp,
    test_transformers,
)

from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.testing import ArchitectureContract


class TestUNet(ArchitectureContract):
    architecture = ARCHITECTURES.get("unet")
    examples = (
        {"dims": 2, "in_channels": 1, "out_channels": 3, "widths": (4, 6, 8)},
        {"dims": 2, "in_channels": 3, "out_channels": 1, "widths": (4, 6), "norm": "instance"},
        {"dims": 3, "in_channels": 1, "out_channels": 2, "widths": (2, 4), "norm": "none"},
    )


class TestMFFMetal(ArchitectureContract):
    architecture = ARCHITECTURES.get("mff_metal")
    examples = (
        {"widths": (6, 12, 18, 24)},
        {"widths": (4, 13, 12, 18), "in_channels": 1, "out_channels": 2, "blocks": (1, 2, 3)},
    )


class TestUNetPBF(ArchitectureContract):
    architecture = ARCHITECTURES.get("unet_pbf")
    examples = ({"width": 2}, {"width": 3, "in_channels": 3, "out_channels": 1})


class TestLMFFNet(ArchitectureContract):
    architecture = ARCHITECTURES.get("lmffnet")
    examples = ({"width": 6, "blocks": (1, 2)}, {"width": 4, "in_channels": 1, "out_channels": 2})


class TestBilinearUNet(ArchitectureContract):
    architecture = ARCHITECTURES.get("bilinear_unet")
    examples = ({"width": 2}, {"width": 3, "in_channels": 1, "out_channels": 2})


class TestNestedUNet(ArchitectureContract):
    architecture = ARCHITECTURES.get("nested_unet")
    examples = ({"width": 2}, {"width": 1, "deep_supervision": True, "out_channels": 2})


class TestAttentionUNet(ArchitectureContract):
    architecture = ARCHITECTURES.get("attention_unet")
    examples = ({"width": 2}, {"width": 4, "gates": False, "in_channels": 1})


class TestTransUNet(ArchitectureContract):
    architecture = ARCHITECTURES.get("transunet")
    examples = (
        {"width": 8, "inner": 16, "blocks": 2, "side": 32},
        {"width": 8, "inner": 8, "blocks": 1, "side": 48, "in_channels": 1},
    )


class TestMilesialUNet(ArchitectureContract):
    architecture = ARCHITECTURES.get("milesial_unet")
    examples = (
        {"width": 2, "poolings": 3},
        {"width": 4, "poolings": 2, "bilinear": True, "bias": True, "in_channels": 1},
    )


class TestGroupUNet(ArchitectureContract):
    architecture = ARCHITECTURES.get("group_unet")
    examples = (
        {"widths": (4, 8, 12), "groups": 4},
        {"dims": 2, "widths": (8, 16), "out_channels": 3},
    )


class TestFilterBank(ArchitectureContract):
    architecture = ARCHITECTURES.get("filter_bank")
    examples = (
        {"levels": 2, "out_channels": 3},
        {"levels": 4, "in_channels": 3, "hidden": 8},
        {"dims": 3, "levels": 1},
    )


class TestDCNN3D(ArchitectureContract):
    architecture = ARCHITECTURES.get("dcnn3d")
    examples = (
        {"base": 1, "levels": 2},
        {"base": 2, "levels": 3, "out_channels": 3},
    )


class TestAMSegNet(ArchitectureContract):
    architecture = ARCHITECTURES.get("am_segnet")
    examples = ({"base": 1}, {"base": 2, "in_channels": 3, "out_channels": 2})


class TestAMUNet(ArchitectureContract):
    architecture = ARCHITECTURES.get("am_unet")
    examples = ({"base": 2},)


class TestAMResUNet(ArchitectureContract):
    architecture = ARCHITECTURES.get("am_res_unet")
    examples = ({"base": 2, "out_channels": 3},)


class TestAMSqueezeUNet(ArchitectureContract):
    architecture = ARCHITECTURES.get("am_squeeze_unet")
    examples = ({"base": 2},)


class TestDefectSegNet(ArchitectureContract):
    architecture = ARCHITECTURES.get("defectsegnet")
    examples = ({"base": 2}, {"filters": [3] * 16 + [2]})


class TestKerasGraph(ArchitectureContract):
    """Any graph of a file of Keras; its layers are its settings."""

    architecture = ARCHITECTURES.get("keras")
    examples = (
        ARCHITECTURES.get("dcnn3d").graph({"base": 1, "levels": 2}).as_plain(),
        ARCHITECTURES.get("defectsegnet").graph({"base": 2}).as_plain(),
    )

    def test_it_knows_its_own_tensors(self):
        """Tensors alone do not say how layers are connected, so it claims none."""
        for settings in self.examples:
            state = self.build(settings).state_dict()
            assert (
                self.architecture.recognise({n: tuple(t.shape) for n, t in state.items()}) is None
            )

    def test_the_nearest_network_of_its_own_tensors_is_itself(self):
        """Without a description there is no nearest one."""
        assert self.architecture.nearest({"layers.a.weight": (1, 1, 3, 3)}) == {}


def _kinds(contract):
    return {kind for one in contract.__subclasses__() for kind in (one, *_kinds(one))}


def test_every_network_is_put_to_the_test():
    tested = {getattr(item, "architecture", None) for item in _kinds(ArchitectureContract)}
    assert {ARCHITECTURES.get(name) for name in ARCHITECTURES.names()} <= tested
