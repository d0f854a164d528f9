"""`Way`: what runs a network and in which numbers; which ways there are for a model here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from napari_defectseg.core.errors import DeviceError
from napari_defectseg.inference.devices import DeviceChoice
from napari_defectseg.models.arraymodel import ArrayModel, OpenedModel

OPENVINO_READS = ("onnxruntime", "openvino")
"""Runtimes of models whose files OpenVINO computes, too."""


@dataclass(frozen=True)
class Way:
    """What computes, and in which numbers.

    Parameters
    ----------
    runtime : str
        ``"torch"``, ``"compiled"`` (torch with kernels made for this network), ``"openvino"``,
        or the runtime of a model that runs in a process of its own.
    dtype : str
        ``"float32"``, ``"tf32"`` (float32 whose products are rounded to 10 bits), ``"bfloat16"``
        or ``"float16"``.
    """

    runtime: str
    dtype: str = "float32"

    @property
    def name(self) -> str:
        """Name in settings and on the command line: ``"torch-bfloat16"``."""
        return f"{self.runtime}-{self.dtype}"

    @property
    def title(self) -> str:
        """Name in a plan and in sentences: ``"torch bfloat16"``."""
        return f"{self.runtime} {self.dtype}"


EXACT = Way("torch")
ENGINES = (
    ("auto", "choose for me"),
    ("torch-float32", "torch, float32"),
    ("torch-bfloat16", "torch, bfloat16"),
    ("torch-float16", "torch, float16"),
    ("torch-tf32", "torch, TF32"),
    ("compiled-float32", "torch, compiled"),
    ("compiled-bfloat16", "torch, compiled, bfloat16"),
    ("compiled-float16", "torch, compiled, float16"),
    ("openvino-float32", "OpenVINO, float32"),
    ("openvino-bfloat16", "OpenVINO, bfloat16"),
)
"""Names of all ways that can be asked for, and what they are called."""


def is_exact(name: str) -> bool:
    """Return whether an engine of this name computes float32 where the model is at home."""
    runtime, _, dtype = name.replace(" ", "-").partition("-")
    return name == "auto" or (dtype == "float32" and runtime != "compiled")


def exact_way(model: OpenedModel) -> Way:
    """Return the way that the others are held against: float32 where the model is at home."""
    return Way(model.program.runtime) if isinstance(model, ArrayModel) else EXACT


def ways_for(model: OpenedModel, device: DeviceChoice) -> tuple[Way, ...]:
    """Return the ways to run a model on a device of this machine, the exact one first.

    Which of them is the fastest, and how far its results lie from the exact ones, only a trial
    tells: see `choice`.

    Parameters
    ----------
    model : TorchModel or ArrayModel
    device : DeviceChoice
    """
    exact = exact_way(model)
    if model.card.batch_norm == "image":  # it measures an image in float32, all of it together
        return (exact,)
    if isinstance(model, ArrayModel):
        return (exact, *(way for way in _openvino(model) if way != exact))
    if device.name.startswith("cuda"):
        halves = ["bfloat16", "float16"] if _card_has_bfloat16(device.name) else ["float16"]
        return (exact, *(Way("torch", dtype) for dtype in ("tf32", *halves)))
    if device.name == "mps":
        return (exact, Way("torch", "float16"))
    halves = ["bfloat16"] if has_bfloat16() else []
    return (exact, *(Way("torch", dtype) for dtype in halves), *_openvino(model))


def way_called(name: str, model: OpenedModel, device: DeviceChoice) -> Way:
    """Return the way that was asked for by name.

    Parameters
    ----------
    name : str
        ``"torch-bfloat16"``; with a space, as plans write it, it is the same.
    model : TorchModel or ArrayModel
    device : DeviceChoice

    Raises
    ------
    DeviceError
        If this model cannot be run that way here; says which ways there are.
    """
    known = {way.name: way for way in compiled_too(ways_for(model, device), model)}
    wanted = name.replace(" ", "-")
    if wanted not in known:
        raise DeviceError(
            f"{model.card.name} cannot be computed by {wanted} on {device.title}.",
            hint=f"Here there are {', '.join(known)}.",
        )
    return known[wanted]


def compiled_too(ways: tuple[Way, ...], model: OpenedModel) -> tuple[Way, ...]:
    """Return the ways, with those of torch's compiler where it can work."""
    if isinstance(model, ArrayModel) or not has_compiler():
        return ways
    made = (Way("compiled", w.dtype) for w in ways if w.runtime == "torch" and w.dtype != "tf32")
    return (*ways, *made)


def has_bfloat16() -> bool:
    """Return whether the processor computes bfloat16 by itself, and not by detours."""
    import torch

    found = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    names = ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16")
    return any(bool(found.get(name)) for name in names)


def has_openvino() -> bool:
    """Return whether OpenVINO is installed."""
    return find_spec("openvino") is not None


def has_compiler() -> bool:
    """Return whether torch can compile here: it needs a compiler of C++."""
    import shutil

    return any(shutil.which(name) for name in ("c++", "g++", "clang++", "cl"))


def _openvino(model: OpenedModel) -> tuple[Way, ...]:
    """Return the ways of OpenVINO, none where it is not there or does not know the model."""
    if not has_openvino():
        return ()
    if isinstance(model, ArrayModel) and model.program.runtime not in OPENVINO_READS:
        return ()
    halves = ("bfloat16",) if has_bfloat16() else ()
    return tuple(Way("openvino", dtype) for dtype in ("float32", *halves))


def _card_has_bfloat16(device: str) -> bool:
    import torch

    return bool(torch.cuda.get_device_capability(device) >= (8, 0))
