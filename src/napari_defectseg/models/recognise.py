"""Which network a set of tensors belongs to: by names and shapes, never by a file's word."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import ARCHITECTURES, Shapes, learnt
from napari_defectseg.models.kin import TRAIN, kin_of, names_of

FIRST = 5
LONGEST = 400
"""Settings of more letters than this are a description of a network, not numbers to read."""


@dataclass(frozen=True)
class Recognised:
    """A network of ours that has exactly these tensors.

    Parameters
    ----------
    architecture : str
    settings : dict
        What it is built from.
    others : tuple of str
        Further networks with exactly these tensors; which one it is cannot be seen.
    """

    architecture: str
    settings: dict[str, Any]
    others: tuple[str, ...] = ()


def recognise(shapes: Shapes) -> Recognised | None:
    """Return the network with these tensors, None if none of those registered has them.

    Networks that go by shapes alone are asked where none knows the names.
    """
    for by_shape in (False, True):
        fitting = [
            (name, settings)
            for name, architecture in ARCHITECTURES.items()
            if getattr(architecture, "by_shape", False) == by_shape
            and (settings := architecture.recognise(shapes)) is not None
        ]
        if fitting:
            return Recognised(*fitting[0], tuple(name for name, _ in fitting[1:]))
    return None


def reasons(architecture: str, settings: Mapping[str, Any], shapes: Shapes) -> tuple[str, ...]:
    """Return why tensors are taken for those of a network, as sentences.

    Parameters
    ----------
    architecture : str
        What they were taken for.
    settings : mapping
        What it is built from.
    shapes : mapping of str to tuple of int
        The tensors.
    """
    found = learnt(shapes)
    values = sum(math.prod(shape) for shape in found.values())
    own = _tensors_of(architecture, settings)
    same = sum(found.get(name) == shape for name, shape in own.items())
    every = "All" if same == len(found) else f"{same} of"
    first = (
        f"{every} {len(found)} tensors ({values} values) have the names and shapes of the network "
        f"{architecture!r}, and {len(own) - same or 'none'} of its own is missing."
    )
    told = [first]
    read = {name: v for name, v in settings.items() if isinstance(v, int | str | list | tuple)}
    if read and len(json.dumps(read, default=str)) < LONGEST:
        words = ", ".join(f"{name} {_value(value)}" for name, value in read.items())
        told.append(f"Their shapes say: {words}.")
    known = recognise(shapes)
    every_one = (known.architecture, *known.others) if known else ()
    others = [name for name in every_one if name != architecture]
    if others:
        told.append(f"They would fit {', '.join(map(repr, others))}, too.")
    else:
        told.append(f"No other network has them. {_next(architecture, shapes)}")
    return tuple(told)


def _tensors_of(architecture: str, settings: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    import torch

    with torch.device("meta"):
        state = ARCHITECTURES.get(architecture).build(settings).state_dict()
    return learnt({name: tuple(tensor.shape) for name, tensor in state.items()})


def _next(architecture: str, shapes: Shapes) -> str:
    """Return the sentence about the other network that shares most names and shapes."""
    found = learnt(shapes)
    best, most, total = "", -1, 0
    for name, network in ARCHITECTURES.items():
        expected = {} if name == architecture else network.nearest(shapes)
        same = sum(found.get(tensor) == shape for tensor, shape in expected.items())
        if expected and same > most:
            best, most, total = name, same, len(expected)
    return f"The next is {best!r}, of whose {total} tensors {most} are here." if best else ""


def _value(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def unknown(
    shapes: Shapes, where: str, *, stated: tuple[str, ...] = (), classes: tuple[str, ...] = ()
) -> ModelError:
    """Return the error for tensors that fit no network: what they are and what comes nearest.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
    where : str
        The file.
    stated : tuple of str
        Names of classes that the file states.
    classes : tuple of str
        Classes of objects in the file.
    """
    values = sum(math.prod(shape) for shape in shapes.values())
    first = ", ".join(f"{name} {_shape(shape)}" for name, shape in list(shapes.items())[:FIRST])
    more = ", …" if len(shapes) > FIRST else ""
    kin = kin_of(shapes, classes)
    what = seen(shapes)
    looks = f" Its names are those of {kin.words}." if kin else ""
    looks += f" It states the classes {names_of(stated)}." if stated else ""
    return ModelError(
        f"{where} holds weights that fit no network this program builds: {len(shapes)} tensors "
        f"with {values} values in all, first {first}{more}.{what}{looks} {_nearest(shapes)}",
        hint=f"What to do: {kin.advice if kin else TRAIN}",
    )


def seen(shapes: Shapes) -> str:
    """Return the sentence about layers that tensors speak of, empty where there are none."""
    layers = {name: s for name, s in shapes.items() if len(s) in (4, 5) and "weight" in name}
    if not layers:
        return ""
    first, last = next(iter(layers.values())), list(layers.values())[-1]
    kernels = Counter("×".join(map(str, shape[2:])) for shape in layers.values())
    sizes = ", ".join(f"{count} of {size}" for size, count in kernels.most_common(4))
    widths = list(dict.fromkeys(shape[0] for shape in layers.values()))
    few = ", ".join(map(str, widths[:8])) + (", …" if len(widths) > 8 else "")
    moving = sum(name.endswith("running_mean") for name in shapes)
    norm = f", {moving} batch normalisations" if moving else ""
    return (
        f" Seen: {len(first) - 2}D, {first[1]} channels into its first convolution, "
        f"{len(layers)} convolutions ({sizes}) with {few} features{norm}, {last[0]} out of its "
        "last one."
    )


def _nearest(shapes: Shapes) -> str:
    """Return the sentence about the network that shares most names and shapes."""
    found = learnt(shapes)
    best, fitting, total, known = "", -1, 0, ""
    for name, architecture in ARCHITECTURES.items():
        expected = architecture.nearest(shapes)
        same = sum(found.get(tensor) == shape for tensor, shape in expected.items())
        if same > fitting:
            best, fitting, total = name, same, len(expected)
            lacking = [tensor for tensor, s in expected.items() if found.get(tensor) != s]
            known = f" ({lacking[0]} does not)" if same and lacking else ""
    if not best:
        return "No network is known."
    return f"The nearest is {best!r}: {fitting} of its {total} tensors fit{known}."


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(str(n) for n in shape) or "(one value)"
