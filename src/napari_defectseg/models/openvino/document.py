"""The XML of an OpenVINO model: its layers and the edges between them, read without entities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from napari_defectseg.core.errors import ModelError

LARGEST = 64 << 20
DEEPEST = 64
MOST_LAYERS = 100_000
AGAIN = "It may have been cut off while it was copied; fetch it again."


@dataclass
class Place:
    """One input or output of a layer.

    Parameters
    ----------
    id : str
    shape : list of int
        -1: free.
    precision, names : str
        As the file writes them; `names` between commas.
    """

    id: str
    shape: list[int] = field(default_factory=list)
    precision: str = ""
    names: str = ""


@dataclass
class Layer:
    """One operation.

    Parameters
    ----------
    id, name, type, version : str
    data : mapping of str to str
        Its attributes as the file writes them.
    inputs, outputs : list of Place
    """

    id: str
    name: str
    type: str
    version: str
    data: Mapping[str, str] = field(default_factory=dict)
    inputs: list[Place] = field(default_factory=list)
    outputs: list[Place] = field(default_factory=list)


@dataclass
class Document:
    """A model as its file has it.

    Parameters
    ----------
    layers : list of Layer
        Those of the model itself; in an order in which they can be computed.
    edges : dict of tuple to tuple
        (layer, input) → (layer, output), by their ids.
    inner : set of str
        Versions of the layers in bodies of loops and conditions.
    info : dict of str to str
        What the model says about itself (``model_info``).
    """

    layers: list[Layer] = field(default_factory=list)
    edges: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    inner: set[str] = field(default_factory=set)
    info: dict[str, str] = field(default_factory=dict)


def read_document(path: Path) -> Document:
    """Return the layers and edges in a file.

    Raises
    ------
    ModelError
        If it is damaged, defines entities, or is too large.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise ModelError(f"{path} has {size} bytes, too many for the layers of a model.")
    reader = _Reader(str(path))
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.buffer_text = True
    try:
        parser.Parse(path.read_bytes(), True)
    except expat.ExpatError as error:
        raise ModelError(f"{path} is not whole XML: {error}.", hint=AGAIN) from error
    except (ValueError, LookupError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{path} has {error} where a number was expected.") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    return reader.document


class _Reader:
    """Follows the XML; what stands in the body of a loop is only looked at.

    Parameters
    ----------
    where : str
        The file, for messages.
    """

    def __init__(self, where: str) -> None:
        self.document = Document()
        self._where = where
        self._open: list[str] = []
        self._places: list[Place] | None = None
        self._text = ""

    def begin(self, tag: str, given: dict[str, str]) -> None:
        """Take in an element that begins."""
        self._open.append(tag)
        if len(self._open) > DEEPEST:
            raise ModelError(f"{self._where} is nested too deeply for the layers of a model.")
        if "body" in self._open or "then_body" in self._open or "else_body" in self._open:
            if tag == "layer":
                self.document.inner.add(given.get("version", ""))
            return
        self._text = ""
        if tag == "layer" and self._open[1:2] == ["layers"]:
            self._layer(given)
        elif tag == "edge" and self._open[1:2] == ["edges"]:
            end = given.get("to-layer", ""), given.get("to-port", "")
            self.document.edges[end] = given.get("from-layer", ""), given.get("from-port", "")
        elif "model_info" in self._open[:-1] and "value" in given:
            self.document.info[tag] = given["value"]
        elif self.document.layers and self._open[1:2] == ["layers"]:
            self._inside(tag, given)

    def _layer(self, given: dict[str, str]) -> None:
        id_, name, kind, version = (given.get(k, "") for k in ("id", "name", "type", "version"))
        self.document.layers.append(Layer(id_, name, kind, version))
        self._places = None
        if len(self.document.layers) > MOST_LAYERS:
            raise ModelError(f"{self._where} has more layers than any network.")

    def _inside(self, tag: str, given: dict[str, str]) -> None:
        layer = self.document.layers[-1]
        if tag == "data":
            layer.data = given
        elif tag in ("input", "output"):
            self._places = layer.inputs if tag == "input" else layer.outputs
        elif tag == "port" and self._places is not None:
            words = (given.get("precision", ""), given.get("names", ""))
            self._places.append(Place(given.get("id", ""), [], *words))

    def text(self, text: str) -> None:
        """Take in the text of an element."""
        self._text = (self._text + text)[:40]

    def end(self, tag: str) -> None:
        """Take in the end of an element."""
        if tag == "dim" and self._places and self._open[1:2] == ["layers"]:
            self._places[-1].shape.append(int(self._text))
            self._text = ""
        self._open.pop()

    def refuse(self, *_: object) -> NoReturn:
        """Refuse definitions: they can name other files, and grow without limit."""
        raise ModelError(f"{self._where} defines entities, which models of OpenVINO do not need.")
