"""The engine that computes our networks by OpenVINO: converted in memory, nothing is written."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, cast

import numpy as np
import torch

from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.inference.folding import fold_normalisation
from napari_defectseg.inference.layers import Layers
from napari_defectseg.inference.recover import MemoryFull
from napari_defectseg.inference.reduce import probabilities
from napari_defectseg.inference.ways import Way
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.model import TorchModel

Array = np.ndarray[Any, Any]
LOOKS = 100
"""Milliseconds between two looks whether a pass is done: so long does stopping wait at most."""
MOST_SHAPES = 32
"""Sizes of tiles for which a compiled model is kept."""
EXAMPLE = 4
"""Cells of the grid along each axis of the block that is followed through the network."""
TELEMETRY = "openvino_telemetry"
FORM = "openvino"
"""Under this name a model keeps what its network was converted to."""


class OpenVinoEngine:
    """A network converted for OpenVINO; each size of tile is compiled when it first comes.

    Parameters
    ----------
    core : openvino.Core
    model : openvino.Model
        With lengths that are open.
    card : ModelCard
    way : Way
    threads : int
    """

    def __init__(self, core: Any, model: Any, card: ModelCard, way: Way, threads: int) -> None:
        self.name = way.title
        self._core, self._model, self._card, self._threads = core, model, card, threads
        self._settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if way.dtype == "bfloat16" else "f32",
            "INFERENCE_NUM_THREADS": str(threads),
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": "NO",
        }
        self._requests: dict[tuple[int, ...], Any] = {}
        self.layers = Layers()

    @property
    def threads(self) -> int:
        """Threads of the processor that it uses."""
        return self._threads

    @property
    def members(self) -> int:
        """The networks of an ensemble were put together when it was converted."""
        return 1

    def run(self, block: Array) -> Array:
        """Return the probabilities of one tile, see `ExactEngine.run`."""
        return self.activated(self._found(block))

    def run_batch(self, blocks: Array) -> Array:
        """Return the probabilities of several tiles, one after the other."""
        return np.stack([self.run(block) for block in blocks])

    def logits(self, blocks: Array, member: int | None = None) -> Array:
        """Return the logits of several tiles, see `ExactEngine.logits`."""
        return np.stack([self._found(block) for block in blocks])

    def activated(self, logits: Array) -> Array:
        """Return the probabilities of logits, see `ExactEngine.activated`."""
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(logits, np.float32))[None]
            scores: Array = probabilities(x, self._card)[0].numpy()
        return scores

    def begin(self, block: Array) -> Generator[None, None, Array]:
        """Compute one tile; closing it ends the pass at its next operation."""
        return self.activated((yield from self._pass(block)))

    def _found(self, block: Array) -> Array:
        passing = self._pass(block)
        while True:
            try:
                next(passing)
            except StopIteration as end:
                found: Array = end.value
                return found

    def _pass(self, block: Array) -> Generator[None, None, Array]:
        x = np.ascontiguousarray(block[None], np.float32)
        try:
            request = self._request(x.shape)
            request.start_async([x], share_inputs=True)
        except RuntimeError as error:
            raise self._refused(error, block.shape) from error
        ended = False
        try:
            while not (ended := self._waited(request, block.shape)):
                yield
        finally:
            if not ended:
                request.cancel()
                self._let_end(request)
        found = np.array(request.get_output_tensor(0).data[0], np.float32)
        wanted = (self._card.out_channels, *block.shape[1:])
        if found.shape != wanted:
            raise ModelError(
                f"The network of {self._card.name} gave {found.shape} where its card promises "
                f"{wanted}.",
                hint="The number of classes in the card may be wrong.",
            )
        return found

    def _waited(self, request: Any, shape: tuple[int, ...]) -> bool:
        try:
            return bool(request.wait_for(LOOKS))
        except RuntimeError as error:
            raise self._refused(error, shape) from error

    @staticmethod
    def _let_end(request: Any) -> None:
        """Wait for a pass that was cancelled; that it was is told as an error."""
        try:
            request.wait()
        except RuntimeError:
            return

    def _request(self, shape: tuple[int, ...]) -> Any:
        if shape not in self._requests:
            while len(self._requests) >= MOST_SHAPES:
                self._requests.pop(next(iter(self._requests)))
            sized = self._model.clone()
            sized.reshape(list(shape))
            compiled = self._core.compile_model(sized, "CPU", self._settings)
            self._requests[shape] = compiled.create_infer_request()
        return self._requests[shape]

    def _refused(self, error: RuntimeError, shape: tuple[int, ...]) -> DeviceError | ModelError:
        text = str(error)
        edges = " × ".join(str(n) for n in shape[1:])
        if "alloc" in text.lower() or "memory" in text.lower():
            return MemoryFull(f"OpenVINO has no memory left for a tile of {edges} pixels.")
        line = next((line for line in text.splitlines() if line.strip()), "an unknown reason")
        return ModelError(
            f"OpenVINO failed on a tile of {edges} pixels of {self._card.name}: {line.strip()}."
        )


@contextmanager
def openvino_engine(model: TorchModel, threads: int | None, way: Way) -> Iterator[OpenVinoEngine]:
    """Give the engine.

    Parameters
    ----------
    model : TorchModel
    threads : int or None
        Threads of the processor; None: as torch would take.
    way : Way
        In float32 or bfloat16.

    Raises
    ------
    ModelError
        If OpenVINO cannot be loaded, or cannot convert the network.
    """
    openvino = _imported()
    card = model.card
    converted = model.form(FORM, lambda: _converted(model))
    yield OpenVinoEngine(openvino.Core(), converted, card, way, threads or torch.get_num_threads())


def _imported() -> Any:
    """Return OpenVINO, loaded without the statistics that report to its makers."""
    known = TELEMETRY in sys.modules
    if not known:
        # Its import looks for that package and takes a stand-in where there is none.
        sys.modules[TELEMETRY] = cast("ModuleType", None)
    try:
        import openvino
    except (ImportError, OSError) as error:
        raise ModelError(
            f"OpenVINO cannot be loaded: {error}.", hint="Install napari-defectseg[openvino]."
        ) from error
    finally:
        if not known:
            del sys.modules[TELEMETRY]
    return openvino


def _converted(model: TorchModel) -> Any:
    """Return the network as OpenVINO's, its lengths open."""
    import copy

    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    card = model.card
    # A copy: the model's own network stays as it was loaded.
    network = fold_normalisation(copy.deepcopy(model.network()))
    edge = card.tile or (EXAMPLE * card.grid,) * card.dims
    example = torch.zeros((1, card.in_channels, *edge))
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch wants others to trace another way
            decoder = TorchScriptPythonDecoder(network, example_input=(example,))
        front = FrontEndManager().load_by_framework("pytorch")
        converted = front.convert(front.load(decoder))
        converted.reshape([1, card.in_channels, *(-1,) * card.dims])
    # Its frontend raises what the layers it does not know make of it.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"OpenVINO cannot convert the network of {card.name}: {reason}."
        ) from error
    return converted
