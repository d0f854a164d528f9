"""Activations of Keras by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_defectseg.core.errors import ModelError

_PLAIN: dict[str, dict[str, Any]] = {
    "relu": {"kind": "relu"},
    "relu6": {"kind": "clipped_relu", "alpha": 0.0, "most": 6.0, "threshold": 0.0},
    "leaky_relu": {"kind": "leaky_relu", "alpha": 0.2},
    "elu": {"kind": "elu", "alpha": 1.0},
    "selu": {"kind": "selu"},
    "gelu": {"kind": "gelu"},
    "swish": {"kind": "silu"},
    "silu": {"kind": "silu"},
    "sigmoid": {"kind": "sigmoid"},
    "softmax": {"kind": "softmax"},
    "tanh": {"kind": "tanh"},
    "softplus": {"kind": "softplus"},
    "softsign": {"kind": "softsign"},
    "exponential": {"kind": "exponential"},
    "mish": {"kind": "mish"},
}


def activation_of(value: Any, where: str, version: str) -> dict[str, Any] | None:
    """Return the settings of an activation, None for ``linear``.

    Parameters
    ----------
    value : object
        A name, or what Keras writes for an activation that is a layer or a function.
    where : str
        The layer, for messages.
    version : str
        Of Keras: ``hard_sigmoid`` is another function from version 3 on.

    Raises
    ------
    ModelError
        If it is not on the list.
    """
    if isinstance(value, Mapping):
        inside = value.get("config")
        origin = str(value.get("module") or "keras")
        plain = isinstance(inside, str) and origin.startswith(("keras", "builtins"))
        if plain and ">" not in str(value.get("registered_name") or ""):
            value = inside
    if value is None or value == "linear":
        return None
    if value == "hard_sigmoid":
        return {"kind": "hard_sigmoid_3" if version.startswith("3") else "hard_sigmoid_2"}
    if isinstance(value, str) and value in _PLAIN:
        return dict(_PLAIN[value])
    shown = value.get("class_name", value) if isinstance(value, Mapping) else value
    raise ModelError(
        f"{where} has the activation {str(shown)[:60]!r}, which this program does not build.",
        hint="Export the model to ONNX in the program that made it, and open that file.",
    )
