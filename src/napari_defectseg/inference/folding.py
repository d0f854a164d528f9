"""Batch normalisation folded into the convolution before it: the same function, one pass less."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from napari_defectseg.models.blocks import ConvNormAct

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)
NORMALISATIONS = (nn.BatchNorm2d, nn.BatchNorm3d)


def fold_normalisation(network: nn.Module) -> nn.Module:
    """Fold every batch normalisation that directly follows a convolution, in place.

    Only where it is certain that one follows the other: in our own blocks, and in
    `nn.Sequential`. What cannot be folded stays as it is.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode; changed.

    Returns
    -------
    nn.Module
        The same object.
    """
    with torch.no_grad():
        for module in list(network.modules()):
            if isinstance(module, ConvNormAct):
                _fold(module, "conv", "norm")
            elif isinstance(module, nn.Sequential):
                for first, second in pairwise(list(module._modules)):
                    _fold(module, first, second)
    return network


def _fold(module: nn.Module, first: str, second: str) -> None:
    convolution, norm = getattr(module, first), getattr(module, second)
    if not isinstance(convolution, CONVOLUTIONS) or not isinstance(norm, NORMALISATIONS):
        return
    if norm.running_mean is None or norm.training:  # it measures each image; nothing to fold
        return
    setattr(module, first, fuse_conv_bn_eval(convolution, norm))
    setattr(module, second, nn.Identity())
