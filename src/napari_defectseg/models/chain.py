"""A whole pickled ``nn.Sequential`` as a list of layers: read from stubs, nothing imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_defectseg.models.inert_values import Stub

CONTAINER = ("torch.nn.modules.container", "Sequential")
LAYERS = "torch.nn.modules."
DEEPEST = 20


def chain_of(root: Any) -> dict[str, Any] | None:
    """Return the settings of the network that a stub is, None if it is no chain of torch's layers.

    Parameters
    ----------
    root : object
        What a pickle holds: a stub, or a table with one stub of a module in it.
    """
    if isinstance(root, dict):
        modules = [v for v in root.values() if isinstance(v, Stub) and _is_chain(v)]
        root = modules[0] if len(modules) == 1 else None
    if not isinstance(root, Stub) or not _is_chain(root):
        return None
    from napari_defectseg.models.architectures.torch_layers import ARGUMENTS, ENDS

    found: list[list[Any]] = []
    if not _walk(root, "", found, ARGUMENTS, 0) or not found:
        return None
    end = ENDS.get(found[-1][1], "")
    if end and (end == "sigmoid" or found[-1][2].get("dim") in (1, -3, None)):
        return {"layers": found[:-1], "activation": end}
    return {"layers": found, "activation": ""}


def _is_chain(stub: Stub) -> bool:
    return (stub.name.module, stub.name.name) == CONTAINER


def _walk(
    stub: Stub,
    prefix: str,
    found: list[list[Any]],
    known: Mapping[str, tuple[str, ...]],
    depth: int,
) -> bool:
    """Add the layers inside a container in their order; false where one is of another kind."""
    state = stub.state if isinstance(stub.state, dict) else {}
    inner = state.get("_modules")
    entries = inner.items if isinstance(inner, Stub) else inner
    if not isinstance(entries, dict) or depth > DEEPEST:
        return False
    for name, part in entries.items():
        if not isinstance(name, str) or not isinstance(part, Stub):
            return False
        if _is_chain(part):
            if not _walk(part, f"{prefix}{name}.", found, known, depth + 1):
                return False
            continue
        if not part.name.module.startswith(LAYERS) or part.name.name not in known:
            return False
        arguments = _arguments(part, known[part.name.name])
        if arguments is None:
            return False
        found.append([f"{prefix}{name}", part.name.name, arguments])
    return True


def _arguments(part: Stub, names: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the arguments of a layer from its attributes, None where one is strange."""
    state = part.state if isinstance(part.state, dict) else {}
    parameters = state.get("_parameters")
    held = parameters.items if isinstance(parameters, Stub) else parameters
    found: dict[str, Any] = {}
    for name in names:
        if name == "bias":
            found[name] = isinstance(held, dict) and held.get("bias") is not None
        elif name in state:
            value = _plain(state[name])
            if value is _STRANGE:
                return None
            found[name] = value
    return found


_STRANGE = object()


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        parts = [_plain(v) for v in value]
        return _STRANGE if any(p is _STRANGE for p in parts) else parts
    return value if value is None or isinstance(value, bool | int | float | str) else _STRANGE
