"""Our own networks keep the contract that strangers' networks must keep."""

from __future__ import annotations

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


def test_every_network_is_put_to_the_test():
    tested = {item.architecture for item in ArchitectureContract.__subclasses__()}
    assert {ARCHITECTURES.get(name) for name in ARCHITECTURES.names()} <= tested
