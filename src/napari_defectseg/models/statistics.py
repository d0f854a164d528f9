"""Batch normalisation with the statistics of the image itself, or of one chosen image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - the usual name

Statistics: TypeAlias = "dict[str, torch.Tensor]"


class Measuring(nn.Module):
    """A batch normalisation that measures what goes through it, and remembers nothing.

    Mean and (biased) variance over all pixels of all images of a batch, summed in float64:
    float32 sums over an image of a megapixel are wrong in the fourth digit.

    Parameters
    ----------
    norm : BatchNorm2d or BatchNorm3d
        Whose scale, centre and epsilon are used.
    """

    def __init__(self, norm: Any) -> None:
        super().__init__()
        self.weight = norm.weight
        self.bias = norm.bias
        self.eps = float(norm.eps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the normalised batch."""
        mean, spread = mean_and_spread(x)
        return F.batch_norm(
            x, mean.to(x.dtype), spread.to(x.dtype), self.weight, self.bias, False, 0.0, self.eps
        )


def mean_and_spread(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and variance (divided by the number) of each channel, as float64.

    Parameters
    ----------
    x : Tensor, shape (n, c, *spatial)
    """
    axes = list(range(1, x.ndim - 1))
    count = x.shape[0] * x[0, 0].numel()
    mean = torch.stack([image.double().sum(dim=axes) for image in x]).sum(dim=0) / count
    centre = mean.reshape(-1, *(1,) * len(axes))
    squares = [(image.double() - centre).square_().sum(dim=axes) for image in x]
    return mean, torch.stack(squares).sum(dim=0) / count


def norms_of(network: nn.Module) -> dict[str, nn.Module]:
    """Return the batch normalisations of a network by name."""
    kinds = (nn.BatchNorm2d, nn.BatchNorm3d, Measuring)
    return {name: layer for name, layer in network.named_modules() if isinstance(layer, kinds)}


def measure_images(network: nn.Module) -> nn.Module:
    """Make every batch normalisation measure what goes through it, in place."""
    for name, layer in norms_of(network).items():
        network.set_submodule(name, Measuring(layer))
    return network


@contextmanager
def measured(network: nn.Module) -> Iterator[Statistics]:
    """Give the statistics of everything that goes through the network inside the block.

    They are complete when the block ends, under the names of the running statistics.
    """
    found: Statistics = {}
    hooks = [
        layer.register_forward_pre_hook(_Note(name, found))
        for name, layer in norms_of(network).items()
    ]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


class _Note:
    def __init__(self, name: str, found: Statistics) -> None:
        self._name = name
        self._found = found

    def __call__(self, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        mean, spread = mean_and_spread(inputs[0].detach())
        self._found[f"{self._name}.running_mean"] = mean.float().cpu()
        self._found[f"{self._name}.running_var"] = spread.float().cpu()


def with_statistics(
    state: Mapping[str, torch.Tensor], statistics: Statistics
) -> dict[str, torch.Tensor]:
    """Return weights with other running statistics."""
    return {**state, **statistics}
