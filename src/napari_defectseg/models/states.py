"""Where in a checkpoint the weights are, and what their names are without wrappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from napari_defectseg.core.errors import ModelError

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
State: TypeAlias = "dict[str, torch.Tensor]"

WRAPPERS = (
    "model_ema",
    "ema",
    "ema_state_dict",
    "state_dict_ema",
    "model_ema_state_dict",
    "averaged_model",
    "state_dict",
    "model_state_dict",
    "model_state",
    "network_weights",
    "model",
    "net",
    "network",
    "weights",
    "params",
    "module",
    "student",
    "teacher",
    "generator",
)
"""Names under which checkpoints keep weights; averaged ones come first, for they predict best."""
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "ema_model.", "ema.")
BESIDE = (
    "criterion.",
    "loss.",
    "loss_fn.",
    "metric.",
    "metrics.",
    "classification_head.",
    "auxiliary_head.",
)
COUNTERS = ("total_ops", "total_params", "n_averaged")
DEEPEST = 4
MOST_SHARED = 4
"""Tensors may share memory, so what they hold in all may exceed the file this many times."""


@dataclass(frozen=True)
class FoundState:
    """Tensors under their bare names, and what was done to find them.

    Parameters
    ----------
    state : dict of str to Tensor
    where : str
        Under which keys they lay, ``"checkpoint['model_ema']"``; empty: at the top.
    aside : tuple of str
        Other sets of weights in the file.
    prefixes : tuple of str
        What was taken off every name.
    """

    state: State
    where: str = ""
    aside: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, as sentences."""
        notes = []
        if self.aside:
            notes.append(
                f"The file holds several sets of weights: {self.where} was taken, "
                f"{', '.join(self.aside)} left aside."
            )
        return tuple(notes)


def find_state(tree: Any, where: str, size: int) -> FoundState:
    """Return the weights in what a checkpoint holds.

    Parameters
    ----------
    tree : object
        As `read_torch` gives it.
    where : str
        The file, for messages.
    size : int
        Bytes of the file; tensors that claim much more are refused.

    Raises
    ------
    ModelError
        If there are no tensors, or strange ones.
    """
    found = list(_candidates(tree, (), set()))
    if not found:
        raise ModelError(
            f"{where} holds {_words(tree)}, but no weights.",
            hint="Save the weights of the model: torch.save(model.state_dict(), 'weights.pth').",
        )
    found.sort(key=lambda item: _rank(item[0]))
    keys, tensors = found[0]
    state, prefixes = bare(tensors)
    _check(state, where, size)
    others = tuple(_name(other) for other, _ in found[1:])
    return FoundState(state, _name(keys) if keys else "", others, prefixes)


def bare(tensors: Mapping[str, T]) -> tuple[dict[str, T], tuple[str, ...]]:
    """Return the weights (or their shapes) alone, under names without what all of them share.

    Returns
    -------
    dict
        Bare name to tensor or shape.
    tuple of str
        The prefixes taken off, outermost first.
    """
    state = {
        name: tensor
        for name, tensor in tensors.items()
        if not name.startswith(BESIDE) and name.rpartition(".")[2] not in COUNTERS
    }
    taken: list[str] = []
    while state and (prefix := _shared_prefix(state)):
        state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
        taken.append(prefix)
    return _once(state), tuple(taken)


def _once(state: dict[str, T]) -> dict[str, T]:
    """Return the state without the second names that nnU-Net and MONAI give to their tensors."""
    if any(name.startswith("input_block.") for name in state):  # DynUNet's second way
        state = {n: t for n, t in state.items() if not n.startswith("skip_layers.")}

    def first(name: str) -> str:
        if name.startswith("decoder.encoder."):
            return name.removeprefix("decoder.")
        block, found, rest = name.partition(".all_modules.")
        number, _, leaf = rest.partition(".")
        return f"{block}.{'conv' if number == '0' else 'norm'}.{leaf}" if found else name

    return {n: t for n, t in state.items() if (other := first(n)) == n or first(other) not in state}


def _shared_prefix(state: Mapping[str, Any]) -> str:
    return next((p for p in PREFIXES if all(n.startswith(p) and n != p for n in state)), "")


def _candidates(
    tree: Any, keys: tuple[str, ...], seen: set[int]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    import torch

    if not isinstance(tree, Mapping) or id(tree) in seen or len(keys) > DEEPEST:
        return
    seen.add(id(tree))
    tensors = {n: t for n, t in tree.items() if isinstance(n, str) and isinstance(t, torch.Tensor)}
    if 2 * len(tensors) > len(tree):
        yield keys, tensors
        return
    for name in WRAPPERS:
        if name in tree:
            yield from _candidates(tree[name], (*keys, name), seen)


def _rank(keys: tuple[str, ...]) -> int:
    return WRAPPERS.index(keys[0]) if keys else -1


def _name(keys: tuple[str, ...]) -> str:
    return " → ".join(repr(key) for key in keys)


def _check(state: State, where: str, size: int) -> None:
    import torch

    total = 0
    for name, tensor in state.items():
        plain = type(tensor) in (torch.Tensor, torch.nn.Parameter)
        if not plain or tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
            raise ModelError(
                f"{where} holds {name} as a tensor that is sparse, quantised or empty; such "
                f"weights cannot be used.",
                hint="Save the model with ordinary float weights.",
            )
        total += tensor.numel() * tensor.element_size()
    if total > MOST_SHARED * size:
        raise ModelError(
            f"{where} ({size} bytes) claims to hold {total:.3g} bytes of weights.",
            hint="It is damaged, or made to harm; do not use it.",
        )


def _words(tree: Any) -> str:
    if isinstance(tree, Mapping):
        names = [repr(name) for name in list(tree)[:4] if isinstance(name, str)]
        more = f" and {len(tree) - 4} more" if len(tree) > 4 else ""
        return f"a table with {', '.join(names)}{more}" if names else "an empty table"
    if isinstance(tree, list | tuple | set):
        return f"a list of {len(tree)}"
    return f"one {type(tree).__name__}"
