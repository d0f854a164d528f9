"""Stand-ins for libraries of networks: as much of each as is called, as packages on a path."""

from __future__ import annotations

from pathlib import Path

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.steps = [one.item() for one in torch.linspace(0, 1, 3)]  # as plans of numbers are read
        self.first = nn.Conv2d(inputs, 4, 3, padding=1)
        self.last = nn.Conv2d(4, outputs, 1)

    def forward(self, x):
        return self.last(self.first(x).relu())
"""
MONAI = f'''{NET}

class AttentionUnet(Net):
    def __init__(self, spatial_dims, in_channels, out_channels, channels, strides, **more):
        if more:
            raise TypeError(f"no argument {{sorted(more)[0]!r}}")
        super().__init__(in_channels, out_channels)


class FlexibleUNet(Net):
    def __init__(self, in_channels, out_channels, backbone, pretrained=False):
        if pretrained:
            raise RuntimeError("the network was asked for weights")
        super().__init__(in_channels, out_channels)

    def forward(self, x):
        return [super().forward(x), x]


class UNETR(Net):
    def __init__(self, in_channels, out_channels, img_size, spatial_dims=3):
        super().__init__(in_channels, out_channels)


class VNet(Net):
    """One that never ends to be built."""

    def __init__(self, **given):
        super().__init__(1, 1)
        while True:
            torch.empty(1)
'''
SMP = f"""{NET}

class Linknet(Net):
    def __init__(self, encoder_name, encoder_weights="imagenet", in_channels=3, classes=1,
                 activation="sigmoid", aux_params=1):
        if (encoder_weights, activation, aux_params) != (None, None, None):
            raise RuntimeError("weights of others, or an activation")
        super().__init__(in_channels, classes)
"""
TRANSFORMERS = f"""{NET}
from types import SimpleNamespace

from transformers import logging


class Config:
    def __init__(self, values):
        self.values = values

    @classmethod
    def from_dict(cls, values):
        return cls(values)


class Mask2FormerForUniversalSegmentation(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.queries = Net(3, config.values["num_queries"])
        self.names = nn.Parameter(torch.rand(config.values["num_queries"],
                                             config.values["num_labels"] + 1))
        self.criterion = nn.BatchNorm2d(1)

    def forward(self, pixel_values):
        masks = self.queries(pixel_values)[:, :, ::4, ::4]
        names = self.names.expand(len(masks), -1, -1)
        return SimpleNamespace(class_queries_logits=names, masks_queries_logits=masks)

    @classmethod
    def from_pretrained(cls, path, *, config, state_dict, output_loading_info, local_files_only):
        assert path is None and local_files_only and output_loading_info
        network = cls(config)
        own = network.state_dict()
        here = {{name.replace("old.", "queries."): tensor for name, tensor in state_dict.items()}}
        network.load_state_dict(here, strict=False)
        return network, {{
            "missing_keys": set(own) - set(here), "unexpected_keys": set(here) - set(own),
            "mismatched_keys": set(),
        }}


class SegformerForSemanticSegmentation(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.inside = Net(config.values["num_channels"], config.values["num_labels"])

    def forward(self, pixel_values):
        return SimpleNamespace(logits=self.inside(pixel_values)[:, :, ::4, ::4])


CONFIG_MAPPING = {{"mask2former": Config, "segformer": Config}}
"""
LOGGING = """
def is_progress_bar_enabled(): return True
def disable_progress_bar(): pass
def enable_progress_bar(): pass
def get_verbosity(): return 30
def set_verbosity(level): pass
def set_verbosity_error(): pass
"""
FILES = {
    "monai/__init__.py": "from monai import networks",
    "monai/networks/__init__.py": "from monai.networks import nets",
    "monai/networks/nets.py": MONAI,
    "einops/__init__.py": "",
    "segmentation_models_pytorch/__init__.py": SMP,
    "transformers/__init__.py": TRANSFORMERS,
    "transformers/logging.py": LOGGING,
}


def write_packages(folder: Path) -> Path:
    """Write them all into a folder that can be put on the path."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
