"""A network as a graph of ONNX: traced by torch, free in size where the network is."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.card import ModelCard

if TYPE_CHECKING:
    import torch

NEEDED = ("onnx", "onnxscript", "onnxruntime")
OPSET = 18
INPUT, OUTPUT = "image", "scores"
AXES = ("z", "y", "x")
FIXED = {2: 256, 3: 64}
"""Length of an axis where the size has to be fixed, made a multiple of the grid."""
MOST_CELLS = 1 << 16


class NotTraced(ModelError):
    """A network that torch cannot turn into a graph of free size."""


def check_installed() -> None:
    """Refuse where a package for writing or checking ONNX is missing.

    Raises
    ------
    ModelError
        Naming what to install.
    """
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        raise ModelError(
            f"Exporting to ONNX needs {', '.join(lacking)}, which is not installed.",
            hint="Install it: pip install 'napari-defectseg[onnx]'.",
        )


def fixed_size(card: ModelCard) -> tuple[int, ...]:
    """Return the size of a graph that takes one size alone."""
    if card.tile is not None:
        return card.tile
    if card.windows is not None:
        return card.windows.size
    edge = max(1, FIXED[card.dims] // card.grid) * card.grid
    return (edge,) * card.dims


def write_graph(
    network: torch.nn.Module, card: ModelCard, shape: tuple[int, ...], path: Path, *, free: bool
) -> None:
    """Trace a network and write its graph.

    Parameters
    ----------
    network : torch.nn.Module
    card : ModelCard
    shape : tuple of int
        Spatial lengths of the image that it is traced on.
    path : Path
    free : bool
        Whether other multiples of the grid, and several samples at once, are taken too.

    Raises
    ------
    NotTraced
        If torch cannot do it.
    """
    import torch

    sizes: Any = None
    if free:
        names = AXES[-card.dims :]
        dims = {
            axis + 2: card.grid * torch.export.Dim(name, min=1, max=MOST_CELLS)
            for axis, name in enumerate(names)
        }
        sizes = ({0: torch.export.Dim("batch", min=1, max=MOST_CELLS), **dims},)
    # Of one sample torch would take it for granted that there is always one.
    count = 2 if free else 1
    block = torch.zeros((count, card.in_channels, *shape))
    try:
        with _quiet():
            program = torch.onnx.export(
                _plain(network),
                (block,),
                dynamo=True,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=sizes,
                opset_version=OPSET,
                verbose=False,
            )
            assert program is not None
            program.save(str(path))
    # torch raises errors of many kinds, its own and those of the packages that it uses.
    except Exception as error:
        if isinstance(error, OSError):
            raise
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = (lines or [type(error).__name__])[-1][:200]
        raise NotTraced(f"torch cannot export {card.name}: {reason}.") from error


def _plain(network: torch.nn.Module) -> torch.nn.Module:
    """Return a copy whose group normalisations are written as sums along one axis at a time.

    onnxruntime adds long lists one by one in float32: over a volume of 48³ that alone moves the
    logits by 7e-4; in short lists by less than 1e-5.
    """
    found = copy.deepcopy(network).eval()
    _replace(found)
    return found


def _replace(module: torch.nn.Module) -> None:
    from torch import nn

    for name, child in list(module.named_children()):
        if isinstance(child, nn.GroupNorm):
            setattr(module, name, _careful(child, child.num_groups))
        elif isinstance(child, nn.InstanceNorm1d | nn.InstanceNorm2d | nn.InstanceNorm3d):
            if not child.track_running_stats:
                setattr(module, name, _careful(child, child.num_features))
        else:
            _replace(child)


def _careful(norm: Any, groups: int) -> torch.nn.Module:
    """Return a group normalisation that adds along one axis at a time."""
    import torch
    from torch import nn

    class Careful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            space = x.shape[2:]
            parts = x.reshape(x.shape[0], groups, x.shape[1] // groups, *space)
            axes = range(parts.dim() - 1, 1, -1)
            centred = parts - _means(parts, axes)
            spread = torch.sqrt(_means(centred * centred, axes) + self.eps)
            found = (centred / spread).reshape(x.shape)
            if self.weight is None:
                return found
            line = (1, -1) + (1,) * len(space)
            scaled: torch.Tensor = found * self.weight.reshape(line) + self.bias.reshape(line)
            return scaled

    return Careful()


def _means(values: torch.Tensor, axes: range) -> torch.Tensor:
    found = values
    for axis in axes:
        found = found.mean(axis, keepdim=True)
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks about other packages from the terminal."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
