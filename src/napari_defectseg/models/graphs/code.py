"""Layers that hold code (Lambda of Keras): never run; a person says what they do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_defectseg.core.errors import ModelError

CODE = "code"
"""What a node with code does in a graph, until it is replaced."""
SAID = "said"
"""Attribute of a node in its place: the word by which a person replaced it."""
FIELD = "lambda."
"""How the field of such a layer begins: ``lambda.NAME=divide255``."""


@dataclass(frozen=True)
class Replacement:
    """A layer of ours that does what a Lambda often does.

    Parameters
    ----------
    words : str
    scale, offset : float
        What it makes of x: ``x * scale + offset``.
    numbers : frozenset of float
        Those in the code of a Lambda that seems to do this.
    """

    words: str
    scale: float = 1.0
    offset: float = 0.0
    numbers: frozenset[float] = frozenset()


REPLACEMENTS = {
    "divide255": Replacement("x / 255", 1 / 255, 0.0, frozenset({255.0})),
    "divide127.5": Replacement("x / 127.5 - 1", 1 / 127.5, -1.0, frozenset({127.5, 1.0})),
    "nothing": Replacement("x as it is"),
}


@dataclass(frozen=True)
class CodeLayer:
    """A layer whose code is not run.

    Parameters
    ----------
    name : str
    says : str
        What was read in it without running it, sentences.
    seems : str
        The replacement that it seems to be, empty where that cannot be told.
    """

    name: str
    says: str
    seems: str

    @property
    def field(self) -> str:
        """What ``--set`` calls it."""
        return f"{FIELD}{self.name}"


class HoldsCode(ModelError):
    """A network with layers of code; it opens when a person has said what they do.

    Parameters
    ----------
    sentence, hint : str
    layers : tuple of CodeLayer
        Those about which nothing is said yet.
    sha256 : str
        Hash of the file that they are in.
    """

    def __init__(
        self, sentence: str, layers: tuple[CodeLayer, ...], sha256: str = "", *, hint: str = ""
    ) -> None:
        super().__init__(sentence, hint=hint)
        self.layers = layers
        self.sha256 = sha256


def seems(numbers: tuple[float, ...], words: tuple[str, ...]) -> str:
    """Return the replacement that a function with these parts seems to be, or nothing."""
    if not numbers or set(words) - {"K", "tf", "cast", "float32", "dtype", "x"}:
        return ""
    found = (n for n, r in REPLACEMENTS.items() if r.numbers == {abs(float(v)) for v in numbers})
    return next(found, "")


def unknown_in(settings: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return name and attributes of the nodes with code in the plain form of a graph."""
    nodes = settings.get("nodes")
    if not isinstance(nodes, list | tuple):
        return []
    return [(str(n[0]), n[3]) for n in nodes if len(n) > 3 and n[1] == CODE]


def check_code(settings: Mapping[str, Any], where: str, sha256: str = "") -> None:
    """Refuse a network that holds code.

    Parameters
    ----------
    settings : mapping
        The plain form of a graph, or settings of another network.
    where : str
        The file.
    sha256 : str
        Its hash, by which an answer is remembered.

    Raises
    ------
    HoldsCode
        Naming the layer, what is in it, and how to say what it does.
    """
    found = unknown_in(settings)
    if not found:
        return
    layers = tuple(
        CodeLayer(name, str(attrs.get("says", "")), _known(attrs.get("seems", "")))
        for name, attrs in found
    )
    first = layers[0]
    others = f" ({len(layers) - 1} more like it)" if len(layers) > 1 else ""
    like = f" It seems to be {REPLACEMENTS[first.seems].words}." if first.seems else ""
    known = ", ".join(f"{word} ({r.words})" for word, r in REPLACEMENTS.items())
    raise HoldsCode(
        f"{where}: the layer {first.name[:60]!r} is a Lambda{others}: it holds program code of "
        f"the model's author, which is not run. {first.says}{like}",
        layers,
        sha256,
        hint=f"Say what it does: --set {first.field}={first.seems or next(iter(REPLACEMENTS))}; "
        f"known are {known}. Else replace it by a layer of Keras (Rescaling, UpSampling2D, …) "
        "and save the model again, or export it to ONNX.",
    )


def said_in(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return what a person said about layers of code, as `with_replaced` takes it."""
    nodes = settings.get("nodes")
    if not isinstance(nodes, list | tuple):
        return {}
    said = {str(n[0]): _known(n[3].get(SAID, "")) for n in nodes if len(n) > 3}
    return {f"{FIELD}{name}": word for name, word in said.items() if word}


def _known(word: Any) -> str:
    return word if isinstance(word, str) and word in REPLACEMENTS else ""


def with_replaced(settings: Mapping[str, Any], field: str, word: str) -> dict[str, Any]:
    """Return the plain form of a graph with one layer of code replaced.

    Parameters
    ----------
    settings : mapping
    field : str
        ``lambda.NAME``.
    word : str
        Which of the replacements.

    Raises
    ------
    ModelError
        If there is no such layer, or no such replacement.
    """
    name = field.removeprefix(FIELD)
    before = [said.removeprefix(FIELD) for said in said_in(settings)]
    unknown = [*(n for n, _ in unknown_in(settings)), *before]
    if name not in unknown:
        known = f"It has {', '.join(unknown)}." if unknown else "It has none."
        raise ModelError(f"The model has no Lambda layer {name!r}.", hint=known)
    replacement = REPLACEMENTS.get(word.strip())
    if replacement is None:
        words = ", ".join(f"{key} ({r.words})" for key, r in REPLACEMENTS.items())
        raise ModelError(f"{field}={word!r} is not known.", hint=f"Known are {words}.")
    attrs = {"scale": replacement.scale, "offset": replacement.offset, SAID: word.strip()}
    nodes = [
        [node[0], "rescale", node[2], attrs, *node[4:]] if node[0] == name else node
        for node in settings["nodes"]
    ]
    return {**settings, "nodes": nodes}


def goes_first(settings: Mapping[str, Any], field: str) -> bool:
    """Return whether a layer works on the image itself."""
    from napari_defectseg.models.graphs.graph import INPUT

    name = field.removeprefix(FIELD)
    return any(node[0] == name and INPUT in node[2] for node in settings["nodes"])
