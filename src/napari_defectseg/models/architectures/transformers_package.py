"""Networks of transformers that are not built in, where it is installed.

A configuration is made into a network without its hub: no name of a backbone, no kernel and no
code of others is followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as functional
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.installed import Arguments, InstalledKind, Sizes
from napari_defectseg.models.states import State

GRID = 32
USUAL_LABELS = 2
LEAST = 1e-12
"""Below it a score is nothing; the logarithm stays finite."""
_LEFT_OUT = ("auto_map", "architectures", "transformers_version", "quantization", "implementation",
             "dtype", "kernel_config", "peft", "label2id")  # fmt: skip
"""Parts of words in a configuration that say nothing about a network's layers."""
_PRETRAINED = ("use_pretrained_backbone",)


def plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a configuration says about layers.

    Labels become as many as there are: they are no argument of a layer.

    Raises
    ------
    ModelError
        If it names a backbone that would have to be fetched.
    """
    found: dict[str, Any] = {}
    for key, value in config.items():
        if key.startswith("_") or any(part in key for part in _LEFT_OUT):
            continue
        if key == "backbone" and value is not None:
            raise ModelError(
                f"Its configuration names the backbone {str(value)[:60]!r}, which would have to be "
                "fetched.",
                hint="Export it to ONNX where it was made.",
            )
        if key == "id2label":
            found["num_labels"] = len(value) if isinstance(value, Mapping) else USUAL_LABELS
        elif key in _PRETRAINED:
            found[key] = False
        else:
            found[key] = plain(value) if isinstance(value, Mapping) else value
    return found


def _channels(a: Arguments) -> int:
    inner = a.get("backbone_config")
    nested = inner.get("num_channels", 3) if isinstance(inner, Mapping) else 3
    found: int = a.get("num_channels") or nested
    return found


def _free(a: Arguments) -> Sizes:
    return Sizes(2, _channels(a), a.get("num_labels", USUAL_LABELS), GRID)


def _one_size(usual: int) -> Callable[[Arguments], Sizes]:
    def sizes(a: Arguments) -> Sizes:
        size, patch = a.get("image_size", usual), a.get("patch_size", 16)
        tile = tuple(size) if isinstance(size, list | tuple) else (size, size)
        return Sizes(2, _channels(a), a.get("num_labels", USUAL_LABELS), patch, tile)

    return sizes


KNOWN: dict[str, tuple[str, Callable[[Arguments], Sizes]]] = {
    "BeitForSemanticSegmentation": ("beit", _one_size(224)),
    "Data2VecVisionForSemanticSegmentation": ("data2vec-vision", _one_size(224)),
    "DPTForSemanticSegmentation": ("dpt", _one_size(384)),
    "EomtForUniversalSegmentation": ("eomt", _one_size(640)),
    "Mask2FormerForUniversalSegmentation": ("mask2former", _free),
    "MaskFormerForInstanceSegmentation": ("maskformer", _free),
    "MobileNetV2ForSemanticSegmentation": ("mobilenet_v2", _free),
    "MobileViTForSemanticSegmentation": ("mobilevit", _free),
    "MobileViTV2ForSemanticSegmentation": ("mobilevitv2", _free),
    "SegformerForSemanticSegmentation": ("segformer", _free),
    "UperNetForSemanticSegmentation": ("upernet", _free),
}
"""Classes that give a map of classes, their kind of configuration, and their sizes."""


class Maps(nn.Module):
    """A network of transformers, its answer as logits of the size of the image.

    Parameters
    ----------
    network : Module
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits ``(n, classes, y, x)`` of ``(n, channels, y, x)``."""
        found = self.network(pixel_values=x)
        logits = getattr(found, "logits", None)
        if logits is None:
            logits = _of_queries(found.class_queries_logits, found.masks_queries_logits)
        return functional.interpolate(logits, x.shape[2:], mode="bilinear", align_corners=False)


def _of_queries(classes: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Return logits of masks that are found one by one (Cheng et al. 2021, eq. 3).

    A class scores the sum over all queries of its probability there times the mask's; the
    logarithm makes softmax give these scores as parts of one.

    Parameters
    ----------
    classes : Tensor, shape (n, queries, classes + 1)
        The last class is "none".
    masks : Tensor, shape (n, queries, y, x)
    """
    scores = torch.einsum("nqc,nqyx->ncyx", classes.softmax(-1)[..., :-1], masks.sigmoid())
    return scores.clamp_min(LEAST).log()


def _make(transformers: Any, name: str, arguments: Arguments) -> nn.Module:
    return _maps(getattr(transformers, name)(_config(transformers, name, arguments)))


def _config(transformers: Any, name: str, arguments: Arguments) -> Any:
    given = {key: value for key, value in arguments.items() if key != "model_type"}
    return transformers.CONFIG_MAPPING[KNOWN[name][0]].from_dict(given)


def _maps(network: nn.Module) -> Maps:
    if isinstance(getattr(network, "criterion", None), nn.Module):
        del network.criterion  # the loss of its training has tensors of its own
    return Maps(network)


def _renamed(transformers: Any, name: str, arguments: Arguments, found: State) -> State:
    """Return tensors under their names of today: the library knows what it called them before.

    Raises
    ------
    ModelError
        If some are missing, unknown or of another shape.
    """
    with _silent(transformers):
        network, told = getattr(transformers, name).from_pretrained(
            None,
            config=_config(transformers, name, arguments),
            state_dict=dict(found),
            output_loading_info=True,
            local_files_only=True,
        )
    missing = sorted(key for key in told["missing_keys"] if not key.startswith("criterion."))
    wrong = {
        "missing": missing,
        "unknown": sorted(told["unexpected_keys"]),
        "of another shape": sorted(str(item) for item in told["mismatched_keys"]),
    }
    said = [f"{what} {', '.join(keys[:3])} ({len(keys)})" for what, keys in wrong.items() if keys]
    if said:
        raise ModelError(f"The weights are not those of this {name}: {'; '.join(said)}.")
    state: State = _maps(network).state_dict()
    return state


@contextmanager
def _silent(transformers: Any) -> Iterator[None]:
    """Keep the library from writing its progress and its report to the terminal."""
    logging = transformers.logging
    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()


KIND = InstalledKind(
    "transformers",
    ("transformers",),
    "transformers",
    {name: sizes for name, (_, sizes) in KNOWN.items()},
    _make,
    _renamed,
)
