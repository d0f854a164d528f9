"""`ModelCard`: what a model expects and means, every field with its source.

The file ``card.json`` has one flat object. Where bioimage.io 0.5 has a word for a thing its
word is used (``name``, ``description``, ``license``, ``cite``); everything else carries the
field's name here. ``format_version`` counts our own changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    model_validator,
)

from napari_defectseg.core.atomic import write_text
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ModelError, ModelMissing
from napari_defectseg.core.units import LENGTHS, PIXEL
from napari_defectseg.models.cardsizes import check_sizes
from napari_defectseg.models.preprocess import Normalise, Preprocessing, scope_of
from napari_defectseg.models.windows import Windows

FORMAT_VERSION = 1
LARGEST_CARD = 4 << 20
"""Bytes; a longer file is not a card."""

Task: TypeAlias = Literal["exclusive", "binary", "multilabel"]
Activation: TypeAlias = Literal["softmax", "sigmoid", "none"]
PixelPolicy: TypeAlias = Literal["resample", "warn", "go-on"]
BatchNorm: TypeAlias = Literal["moving", "calibrated", "image"]
Source: TypeAlias = Literal["file", "card", "guess", "you"]
Symmetry: TypeAlias = Literal["flip_z", "flip_y", "flip_x", "rot90_yx", "transpose_yx"]

_WORDS = {"licence": "license", "citation": "cite"}


def _classes(value: Any) -> ClassMap:
    if isinstance(value, ClassMap):
        return value
    if isinstance(value, dict):
        return ClassMap.from_dict(value)
    raise ValueError("classes must be a list of classes with value, name and colour")


Classes: TypeAlias = Annotated[
    ClassMap,
    PlainValidator(_classes),
    PlainSerializer(lambda classes: classes.as_dict(), return_type=dict),
]


class ModelCard(BaseModel):
    """What a model expects, what its outputs mean, and how each of these is known.

    Parameters
    ----------
    name, description : str
    architecture : str
        Name in the registry of networks, for example ``"unet"``.
    architecture_settings : dict
        What that network is built from.
    dims : int
        2 or 3: spatial axes the network sees at once.
    in_channels : int
    slices : int
        For planes: how many neighbouring slices of a volume it sees at once as channels, an odd
        number, the first slice's channels first; 1: the slice alone.
    task : str
        ``"exclusive"``: one class a pixel; ``"binary"``: one class or not;
        ``"multilabel"``: classes may overlap.
    activation : str
        What turns the network's output into probabilities; ``"none"``: they are already.
    has_background : bool
        Exclusive classes: whether output channel 0 is the background.
    classes : ClassMap
        In the order of the output channels, without the background.
    preprocessing : tuple of Preprocessing
    pixel_size : tuple of float or None
        Smallest and largest pixel size that it was made for, in `pixel_unit`.
    pixel_unit : str
    pixel_policy : str
        What happens to an image outside that range: ``"resample"``: the network sees it at the
        nearest size inside it; ``"warn"``: it is taken as it is, with a sentence; ``"go-on"``:
        without one. Objects are always measured on the image itself.
    input_size : tuple of int or None
        The size in px, slowest axis first, that whole images were resized to in training,
        bilinear without smoothing.
    resize : str
        Which images are resized to `input_size`: ``"never"``, ``"always"``, or ``"large"``:
        those at least four times as long along every axis; smaller ones count as cut from an
        image at that scale.
    thresholds : dict of str to float
        Class name to probability; empty: 0.5, or the best class.
    min_size : float
        Objects with fewer pixels are not counted by default.
    symmetries : tuple of str
        Flips and turns under which the meaning of an image stays the same.
    grid : int
        Tiles begin on, and images are padded to, multiples of this many pixels.
    halo : int or None
        Pixels around a tile that its result depends on, a multiple of `grid`;
        None: the network looks at the whole image, so it cannot be tiled.
    tile : tuple of int or None
        The only lengths that it takes, in the order of the axes; None: any.
    windows : Windows or None
        Overlapping patches that the network sees one after the other, as the program it comes
        from does it; None: tiles that give what the whole image gives.
    batch_norm : str
        What batch normalisation uses: ``"moving"``: statistics of the training;
        ``"calibrated"``: those of one chosen image, stored with the weights; ``"image"``:
        those of each image, measured over all its segments together.
    segment : int
        Edge of the squares that an image is cut into where `batch_norm` is ``"image"``;
        0: it stays whole.
    fast_agreement : float or None
        Part of the pixels that must get the same class from a faster engine as from the exact
        one. Stated, such an engine may be chosen without being asked for, where it was measured
        to reach this on the image; None: only when a person asks for speed.
    rescale : str
        ``"image"``: scores are scaled from the smallest to the largest of each image.
    inverted : bool
        The network finds what is *not* the class: probabilities are taken from 1.
    parameters : int
        Number of learnt values.
    scores, training : dict
        What it reached on which images, and how it was made.
    citation, licence : str
    quirks : tuple of str
        What is unusual, as sentences.
    sources : dict of str to str
        Field to ``"file"`` (read from the weights), ``"card"``, ``"guess"`` or ``"you"``.
    missing : tuple of str
        Fields that nobody stated and a person should confirm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    description: str = ""
    architecture: str
    architecture_settings: dict[str, Any] = {}
    dims: Literal[2, 3]
    in_channels: int = Field(1, ge=1)
    slices: int = Field(1, ge=1)
    task: Task = "exclusive"
    activation: Activation = "softmax"
    has_background: bool = True
    classes: Classes
    preprocessing: tuple[Preprocessing, ...] = (Normalise(),)
    pixel_size: tuple[float, float] | None = None
    pixel_unit: str = PIXEL
    pixel_policy: PixelPolicy = "warn"
    input_size: tuple[Annotated[int, Field(ge=1)], ...] | None = None
    resize: Literal["never", "large", "always"] = "never"
    thresholds: dict[str, float] = {}
    min_size: float = Field(0.0, ge=0)
    symmetries: tuple[Symmetry, ...] = ()
    grid: int = Field(1, ge=1)
    halo: int | None = Field(0, ge=0)
    tile: tuple[Annotated[int, Field(ge=1)], ...] | None = None
    windows: Windows | None = None
    batch_norm: BatchNorm = "moving"
    segment: int = Field(0, ge=0)
    fast_agreement: float | None = Field(None, ge=0, le=1)
    rescale: Literal["none", "image"] = "none"
    inverted: bool = False
    parameters: int = Field(0, ge=0)
    scores: dict[str, Any] = {}
    training: dict[str, Any] = {}
    citation: str = ""
    licence: str = ""
    quirks: tuple[str, ...] = ()
    sources: dict[str, Source] = {}
    missing: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _name_sources(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        said = values.get("sources") or {}
        if not isinstance(said, dict):
            raise ValueError("sources must say of each field where it comes from")
        stated = dict(said)
        for name in cls.model_fields:
            if name not in ("sources", "missing"):
                stated.setdefault(name, "card" if name in values else "guess")
        return {**values, "sources": stated}

    @model_validator(mode="after")
    def _fits_together(self) -> ModelCard:
        wanted = {"exclusive": "softmax", "binary": "sigmoid", "multilabel": "sigmoid"}[self.task]
        if self.activation not in (wanted, "none"):
            raise ValueError(f"task {self.task!r} goes with activation {wanted!r} or 'none'")
        if self.task == "binary" and len(self.classes) != 1:
            raise ValueError(f"task 'binary' has one class, not {len(self.classes)}")
        if self.classes.exclusive != (self.task != "multilabel"):
            raise ValueError("classes.exclusive does not agree with task")
        for name, value in self.thresholds.items():
            if name not in self.classes.names:
                raise ValueError(f"there is a threshold for {name!r}, which is no class")
            if not 0 <= value <= 1:
                raise ValueError(f"the threshold of {name!r} is {value}, not between 0 and 1")
        if self.segment % self.grid:
            raise ValueError(f"segment {self.segment} is not a multiple of grid {self.grid}")
        if self.inverted and self.task != "binary":
            raise ValueError("only a network with one class can be inverted")
        if self.halo is not None and self.halo % self.grid:
            raise ValueError(f"halo {self.halo} is not a multiple of grid {self.grid}")
        check_sizes(self)
        if {"image", "slice"} <= {step.scope for step in self.preprocessing}:
            raise ValueError("preprocessing mixes the scopes 'image' and 'slice'")
        return self._pixel_size_is_a_range()

    def _pixel_size_is_a_range(self) -> ModelCard:
        if self.pixel_size is not None:
            if not 0 < self.pixel_size[0] <= self.pixel_size[1] < float("inf"):
                raise ValueError(f"pixel_size {self.pixel_size} is not a range of sizes")
            if self.pixel_unit not in LENGTHS:
                raise ValueError(f"pixel_unit {self.pixel_unit!r} is not a unit of length")
        return self

    @property
    def out_channels(self) -> int:
        """Number of channels of the network's output."""
        return len(self.classes) + (self.task == "exclusive" and self.has_background)

    @property
    def score_channels(self) -> int:
        """Number of channels of a prediction: exclusive classes always have a background."""
        return len(self.classes) + (self.task == "exclusive")

    @property
    def scope(self) -> str:
        """What its preprocessing measures: ``"image"``, ``"slice"`` or ``"constant"``."""
        return scope_of(self.preprocessing)

    @classmethod
    def of(cls, values: Mapping[str, Any], where: str = "The model card") -> ModelCard:
        """Return a card from plain values.

        Parameters
        ----------
        values : mapping
            Field names to values.
        where : str
            What is being read, for messages.

        Raises
        ------
        ModelError
            If a field is missing, unknown or wrong.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise ModelError(f"{where} {_reason(error)}.", hint=_advice(error)) from error

    def replaced(self, *, source: Source = "you", **fields: Any) -> ModelCard:
        """Return the card with other values, each noted as coming from `source`.

        Raises
        ------
        ModelError
            If a value is wrong or a field unknown.
        """
        values = {name: getattr(self, name) for name in type(self).model_fields}
        sources = {**self.sources, **dict.fromkeys(fields, source)}
        missing = tuple(name for name in self.missing if name not in fields)
        return self.of({**values, "sources": sources, "missing": missing, **fields})

    def with_classes(self, classes: ClassMap) -> ModelCard:
        """Return the card with other names, values or colours for the same channels.

        Raises
        ------
        ModelError
            If the number of classes differs.
        """
        if len(classes) != len(self.classes):
            raise ModelError(
                f"{self.name} has {len(self.classes)} classes ({', '.join(self.classes.names)}); "
                f"{len(classes)} names were given."
            )
        renamed = dict(zip(self.classes.names, classes.names, strict=True))
        thresholds = {renamed[name]: value for name, value in self.thresholds.items()}
        kept = ClassMap(classes.classes, self.classes.exclusive)
        sources: dict[str, Source] = {**self.sources, "classes": "you"}
        return self.replaced(classes=kept, thresholds=thresholds).model_copy(
            update={"sources": {**sources, "thresholds": self.sources["thresholds"]}}
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values as they stand in ``card.json``."""
        values = self.model_dump(mode="json")
        named = {_WORDS.get(name, name): value for name, value in values.items()}
        return {"format_version": FORMAT_VERSION, **named}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "The model card") -> ModelCard:
        """Return the card written by `as_dict`.

        Raises
        ------
        ModelError
            If it was written by a newer version, or a field is missing, unknown or wrong.
        """
        version = values.get("format_version")
        if not isinstance(version, int) or version < 1:
            raise ModelError(f"{where} has no format_version, so it is not a card of ours.")
        if version > FORMAT_VERSION:
            raise ModelError(
                f"{where} has format_version {version}; this program knows up to {FORMAT_VERSION}.",
                hint="Update napari-defectseg to open it.",
            )
        ours = {word: name for name, word in _WORDS.items()}
        fields = {ours.get(k, k): v for k, v in values.items() if k != "format_version"}
        return cls.of(fields, where)

    @classmethod
    def read(cls, path: str | Path) -> ModelCard:
        """Return the card in a file.

        Raises
        ------
        ModelMissing
            If there is no such file.
        ModelError
            If it is not a card.
        """
        path = Path(path)
        if not path.is_file():
            raise ModelMissing(f"{path} does not exist.")
        if path.stat().st_size > LARGEST_CARD:
            raise ModelError(f"{path} is {path.stat().st_size} bytes long, too long for a card.")
        try:
            return card_in(path.read_text(encoding="utf-8"), str(path))
        except UnicodeDecodeError as error:
            raise ModelError(f"{path} is not JSON: {error}.") from error
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}.") from error

    def write(self, path: str | Path) -> None:
        """Write the card as JSON, whole or not at all."""
        write_text(path, json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n")


def card_in(text: str, where: str) -> ModelCard:
    """Return the card in a JSON text, as `ModelCard.as_dict` gives it.

    Parameters
    ----------
    text : str
    where : str
        What is being read, for messages.

    Raises
    ------
    ModelError
        If it is not a card.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{where} is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise ModelError(f"{where} holds a JSON {type(values).__name__}, not a model card.")
    return ModelCard.from_dict(values, where)


def _reason(error: ValidationError) -> str:
    parts = []
    for item in error.errors()[:3]:
        field = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            parts.append(f"has the field {field!r}, which this version does not know")
        elif item["type"] == "missing":
            parts.append(f"has no {field!r}")
        else:
            parts.append(f"has a wrong {field!r} ({message})" if field else f"is wrong: {message}")
    more = error.error_count() - 3
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")


def _advice(error: ValidationError) -> str:
    kinds = {item["type"] for item in error.errors()}
    if "extra_forbidden" in kinds:
        return "It may come from a newer version, or the name is misspelt."
    return ""
