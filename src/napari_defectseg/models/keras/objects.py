"""Weights in object checkpoints of TensorFlow 2, as layers in the order of the network."""

from __future__ import annotations

import re
from collections.abc import Sequence

from napari_defectseg.models.keras.checkpoint import Array, Checkpoint
from napari_defectseg.models.keras.stored import Stored, StoredLayer

_KEY = re.compile(
    r"(?:[A-Za-z_]+/)?layer_with_weights-(\d{1,6})/([a-z_]+)/\.ATTRIBUTES/VARIABLE_VALUE"
)
_ORDER = [
    "kernel",
    "depthwise_kernel",
    "pointwise_kernel",
    "bias",
    "gamma",
    "beta",
    "moving_mean",
    "moving_variance",
    "alpha",
]


def has_objects(checkpoint: Checkpoint) -> bool:
    """Return whether the names are those of the layers of a Keras model."""
    return any(_KEY.fullmatch(name) for name in checkpoint.tensors)


def objects_in(checkpoint: Checkpoint) -> Stored:
    """Return the layers with weights; slots of optimisers and counters are left out."""
    layers: dict[int, list[str]] = {}
    for name in checkpoint.tensors:
        found = _KEY.fullmatch(name)
        if found is not None:
            layers.setdefault(int(found[1]), []).append(name)
    names = [sorted(layers[number], key=_rank) for number in sorted(layers)]
    stored = [
        StoredLayer(f"layer {number}", tuple(checkpoint.tensors[name].shape for name in names_of))
        for number, names_of in zip(sorted(layers), names, strict=True)
    ]

    def read() -> Sequence[Sequence[Array]]:
        return [[checkpoint.read(name) for name in one] for one in names]

    return Stored(str(checkpoint.prefix), tuple(stored), read)


def _rank(name: str) -> tuple[int, str]:
    found = _KEY.fullmatch(name)
    word = found[2] if found else ""
    return (_ORDER.index(word) if word in _ORDER else len(_ORDER)), word
