"""The exact engine: float32, folded normalisation, channels last, one tile at a time.

What it gives differs from the plain network by rounding alone (below 1e-5 in a probability).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch

from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.inference.allocator import Keeper, kept_memory
from napari_defectseg.inference.engine import Pass
from napari_defectseg.inference.folding import fold_normalisation
from napari_defectseg.inference.layers import Layers
from napari_defectseg.inference.passing import Passing
from napari_defectseg.inference.recover import MemoryFull, is_memory, watching_memory
from napari_defectseg.inference.reduce import probabilities
from napari_defectseg.inference.waiting import line_for
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.model import TorchModel


class ExactEngine:
    """A network ready to run on one device.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, on `device`, in channels-last layout.
    card : ModelCard
    device : str
    keeper : Keeper
        Of the memory kept between tiles.
    layered : bool
        Whether its modules run one by one, so that a pass can be ended between two of them.
    """

    name = "torch float32"
    dtype = torch.float32
    """What the network computes in; scores are always float32."""

    def __init__(
        self,
        network: torch.nn.Module,
        card: ModelCard,
        device: str,
        keeper: Keeper,
        *,
        layered: bool = True,
    ) -> None:
        self._network = network
        self._card = card
        self._device = torch.device(device)
        self._keeper = keeper
        self._layout = torch.channels_last if card.dims == 2 else torch.channels_last_3d
        layers = network if layered else network.forward
        self._passing = Passing(layers, line_for(device), torch.get_num_threads())

    @property
    def layers(self) -> Layers:
        """When the layers of a pass begin."""
        return self._passing.layers

    @property
    def threads(self) -> int:
        """Threads of the processor that it uses."""
        return torch.get_num_threads()

    @property
    def network(self) -> torch.nn.Module:
        """The network as it runs."""
        return self._network

    def run(self, block: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the probabilities of one tile.

        Parameters
        ----------
        block : ndarray of float32, shape (in_channels, *spatial)

        Returns
        -------
        ndarray of float32, shape (score_channels, *spatial)

        Raises
        ------
        MemoryFull, ModelError
            As `run_batch` does.
        """
        scores: np.ndarray[Any, Any] = self.run_batch(block[None])[0]
        return scores

    def begin(self, block: np.ndarray[Any, Any]) -> Pass:
        """Compute one tile; closing it ends the pass at its next layer."""
        return self._passing.begin(lambda: self.run(block))

    def close(self) -> None:
        """Let go of the thread of the passes."""
        self._passing.close()

    def run_batch(self, blocks: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the probabilities of several tiles that go through together.

        Parameters
        ----------
        blocks : ndarray of float32, shape (n, in_channels, *spatial)

        Returns
        -------
        ndarray of float32, shape (n, score_channels, *spatial)

        Raises
        ------
        MemoryFull
            If the device has no room for it.
        ModelError
            If the network refuses the block, or gives another number of channels.
        """
        return self._run(blocks, lambda logits: probabilities(logits, self._card))

    @property
    def members(self) -> int:
        """Networks of an ensemble, 1 for a single one."""
        return len(self._networks)

    @property
    def _networks(self) -> list[torch.nn.Module]:
        folds = getattr(self._network, "folds", None)
        return list(folds) if isinstance(folds, torch.nn.ModuleList) else [self._network]

    def logits(
        self, blocks: np.ndarray[Any, Any], member: int | None = None
    ) -> np.ndarray[Any, Any]:
        """Return the logits of several tiles, see `run_batch`.

        Parameters
        ----------
        blocks : ndarray of float32, shape (n, in_channels, *spatial)
        member : int or None
            Of an ensemble; None: the mean of all.

        Returns
        -------
        ndarray of float32, shape (n, out_channels, *spatial)
        """
        network = self._network if member is None else self._networks[member]
        return self._run(blocks, torch.Tensor.float, network)

    def activated(self, logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the probabilities of logits.

        Parameters
        ----------
        logits : ndarray of float32, shape (out_channels, *spatial)

        Returns
        -------
        ndarray of float32, shape (score_channels, *spatial)
        """
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(logits))[None]
            scores: np.ndarray[Any, Any] = probabilities(x, self._card)[0].numpy()
        return scores

    def _run(
        self,
        blocks: np.ndarray[Any, Any],
        finish: Callable[[torch.Tensor], torch.Tensor],
        network: torch.nn.Module | None = None,
    ) -> np.ndarray[Any, Any]:
        try:
            with torch.inference_mode():
                x = torch.from_numpy(np.ascontiguousarray(blocks)).to(self._device, self.dtype)
                logits = (network or self._network)(x.contiguous(memory_format=self._layout))
                self._check(logits, blocks.shape)
                found: np.ndarray[Any, Any] = finish(logits).cpu().numpy()
            self._keeper.tidy()
            return found
        except (RuntimeError, MemoryError) as error:
            if is_memory(error):
                raise MemoryFull(
                    f"{self._device} has no memory left for a tile of "
                    f"{' × '.join(str(n) for n in blocks.shape[2:])} pixels."
                ) from error
            if isinstance(error, DeviceError):
                raise
            raise ModelError(
                f"The network of {self._card.name} failed on a block of shape {blocks.shape[1:]}: "
                f"{str(error).splitlines()[0]}."
            ) from error

    def _check(self, logits: Any, shape: tuple[int, ...]) -> None:
        wanted = (shape[0], self._card.out_channels, *shape[2:])
        seen = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        if seen != wanted:
            raise ModelError(
                f"The network of {self._card.name} gave {seen} where its card promises {wanted}.",
                hint="The number of classes in the card may be wrong.",
            )


@contextmanager
def exact_engine(
    model: TorchModel, device: str, threads: int | None, *, kept: int = 0
) -> Iterator[ExactEngine]:
    """Give the engine; settings of torch are put back afterwards.

    Parameters
    ----------
    model : TorchModel
    device : str
        As `devices.choose` names it.
    threads : int or None
        Threads of the processor; None: as torch has them.
    kept : int
        Bytes that the process may keep between layers and tiles, 0: none.
    """
    with tuned(device, threads, kept) as keeper:
        with watching_memory(f"the network on {device}"):
            network = prepared(model, device)
        with closing(ExactEngine(network, model.card, device, keeper)) as engine:
            yield engine


@contextmanager
def tuned(
    device: str, threads: int | None, kept: int, *, rounded: bool = False
) -> Iterator[Keeper]:
    """Set torch up for a run; in the end its settings are as before.

    Parameters
    ----------
    device, threads, kept
        See `exact_engine`.
    rounded : bool
        Whether a graphics card may round the factors of products to 10 bits (TF32).
    """
    before = torch.get_num_threads()
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    precise = cudnn.allow_tf32, cudnn.benchmark, matmul.allow_tf32
    keeping: AbstractContextManager[Keeper] = nullcontext(Keeper())
    if device == "cpu":
        keeping = kept_memory(kept) if kept else nullcontext(Keeper.of_nothing())
    try:
        if threads is not None:
            torch.set_num_threads(threads)
        cudnn.allow_tf32, cudnn.benchmark, matmul.allow_tf32 = rounded, False, rounded
        with keeping as keeper:
            yield keeper
    finally:
        torch.set_num_threads(before)
        cudnn.allow_tf32, cudnn.benchmark, matmul.allow_tf32 = precise


def prepared(model: TorchModel, device: str) -> torch.nn.Module:
    """Return the model's network as it runs fastest with the same results up to rounding."""
    layout = torch.channels_last if model.card.dims == 2 else torch.channels_last_3d
    # A copy: the model's own network stays as it was loaded, for training and for other engines.
    network = fold_normalisation(copy.deepcopy(model.network()))
    return network.to(device=device).to(memory_format=layout)  # type: ignore[call-overload, no-any-return]
