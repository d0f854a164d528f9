"""Faster engines of torch: the same network in fewer bits, or with kernels made for it.

How far they lie from the exact engine is measured on the user's image, see `choice`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import torch

from napari_defectseg.inference.allocator import Keeper
from napari_defectseg.inference.engines.exact import ExactEngine, prepared, tuned
from napari_defectseg.inference.recover import watching_memory
from napari_defectseg.inference.ways import Way
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.model import TorchModel

DTYPES = {
    "float32": torch.float32,
    "tf32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


class FastEngine(ExactEngine):
    """A network ready to run in fewer bits.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, on `device`, in channels-last layout, its tensors of the way's type.
    card : ModelCard
    device : str
    keeper : Keeper
        Of the memory kept between tiles.
    way : Way
    """

    def __init__(
        self, network: torch.nn.Module, card: ModelCard, device: str, keeper: Keeper, way: Way
    ) -> None:
        # What is compiled is one piece: hooks inside would be compiled into it.
        super().__init__(network, card, device, keeper, layered=way.runtime != "compiled")
        self.name = way.title
        self.dtype = DTYPES[way.dtype]


@contextmanager
def fast_engine(
    model: TorchModel, device: str, threads: int | None, *, way: Way, kept: int = 0
) -> Iterator[FastEngine]:
    """Give the engine; settings of torch are put back afterwards.

    Parameters
    ----------
    model : TorchModel
    device : str
        As `devices.choose` names it.
    threads : int or None
        Threads of the processor; None: as torch has them.
    way : Way
        Of the runtimes ``"torch"`` and ``"compiled"``.
    kept : int
        Bytes that the process may keep between layers and tiles, 0: none.
    """
    with tuned(device, threads, kept, rounded=way.dtype == "tf32") as keeper:
        with watching_memory(f"the network on {device}"):
            network = model.form(f"{way.name} {device}", lambda: _network(model, device, way))
        with closing(FastEngine(network, model.card, device, keeper, way)) as engine:
            yield engine


def _network(model: TorchModel, device: str, way: Way) -> torch.nn.Module:
    network = prepared(model, device).to(DTYPES[way.dtype])
    if way.runtime != "compiled":
        return network
    if device.startswith("cuda"):  # kernels of one tile are started together, as one graph
        return torch.compile(network, mode="reduce-overhead")  # type: ignore[return-value]
    return torch.compile(network, dynamic=True)  # type: ignore[return-value]
