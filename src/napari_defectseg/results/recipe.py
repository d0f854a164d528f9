"""`Recipe`: everything needed to do an analysis again, as one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from napari_defectseg.core.acquisition import Acquisition
from napari_defectseg.core.atomic import write_text
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import DefectSegError, FileMissing, RecipeError
from napari_defectseg.core.setting import Setting
from napari_defectseg.labels.decode import DecodeSettings
from napari_defectseg.measurement.settings import MeasureSettings

VERSION = 1
LARGEST = 4 << 20
"""Bytes; a longer file is no recipe."""
T = TypeVar("T")


def _reader(kind: type[T]) -> PlainValidator:
    """Return what reads one of our frozen settings from plain values, knowing every key."""

    def read(value: Any) -> T:
        if isinstance(value, kind):
            return value
        if not isinstance(value, Mapping):
            raise ValueError("must be an object with named values")
        known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
        strange = [str(name) for name in value if name not in known]
        if strange:
            raise ValueError(f"does not know {', '.join(strange)}")
        return TypeAdapter(kind).validate_python(dict(value))

    return PlainValidator(read)


def _plain(value: Any) -> Any:
    return asdict(value)


Decode: TypeAlias = Annotated[DecodeSettings, _reader(DecodeSettings), PlainSerializer(_plain)]
Measure: TypeAlias = Annotated[MeasureSettings, _reader(MeasureSettings), PlainSerializer(_plain)]


@dataclass(frozen=True)
class ReportSettings:
    """What a report says beyond what the results hold.

    Parameters
    ----------
    title : str
        Empty: the name of what was analysed.
    author : str
        Empty: nobody is named.
    pixel_size_error : float or None
        One standard deviation of the pixel size in percent; None: nobody measured it.
    largest : int
        How many of the largest objects of each class are listed.

    Raises
    ------
    RecipeError
        If a value is out of range.
    """

    title: Annotated[str, Setting("Title", none="of what was analysed")] = ""
    author: Annotated[str, Setting("Author", none="nobody")] = ""
    pixel_size_error: Annotated[
        float | None,
        Setting("Pixel size is uncertain by", unit="%", low=0, high=100, none="not known"),
    ] = None
    largest: Annotated[int, Setting("Largest objects listed", low=0, high=1000)] = 10

    def __post_init__(self) -> None:
        error = self.pixel_size_error
        if error is not None and not 0 <= error <= 100:
            raise RecipeError(
                f"A pixel size that is uncertain by {error} % means nothing.",
                hint="Give one standard deviation in percent, 0 to 100.",
            )
        if self.largest < 0:
            raise RecipeError(f"{self.largest} largest objects cannot be listed.")


class ModelReference(BaseModel):
    """Which model.

    Parameters
    ----------
    name : str
        Of its card.
    path : str
        Where it was, or the name of a model that comes with the program; empty where `members`
        were put together, or where it was never a file.
    sha256 : str
        Hash of its weights; empty: whatever is there will do.
    settings : dict of str to str
        Fields of its card that were set, as ``--set field=value``.
    members : tuple of ModelReference
        The models that were put together; none: it is one model.
    combine : {"join", "ensemble"}
        How they were.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    path: str
    sha256: str = ""
    settings: dict[str, str] = {}
    members: tuple[ModelReference, ...] = ()
    combine: Literal["join", "ensemble"] = "join"

    @model_validator(mode="after")
    def _one_level(self) -> ModelReference:
        if any(member.members for member in self.members):
            raise ValueError("puts models together that are several themselves")
        return self


class PixelSize(BaseModel):
    """A pixel size, and frame time, to use instead of the image's own.

    Parameters
    ----------
    spacing : tuple of float
        One entry a spatial axis, slowest first, in `unit`.
    unit : str
        Any spelling of a length unit.
    frame_time : float or None
        In `time_unit`.
    time_unit : str
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spacing: tuple[float, ...] = ()
    unit: str = "nm"
    frame_time: float | None = None
    time_unit: str = "s"

    def applied(self, calibration: Calibration) -> Calibration:
        """Return `calibration` with these values in place of its own.

        One number stands for all axes.

        Raises
        ------
        CalibrationError
            If a value makes no sense, or there is not one for each axis.
        """
        found = calibration
        if self.spacing:
            values = self.spacing * (calibration.ndim if len(self.spacing) == 1 else 1)
            if len(values) != calibration.ndim:
                raise RecipeError(
                    f"{len(values)} pixel sizes were given for {calibration.ndim} spatial axes.",
                    hint="Give one each, slowest axis first.",
                )
            found = Calibration.of(values, self.unit, "typed by you")
            if calibration.frame_time is not None:
                found = found.with_frame_time(calibration.frame_time, calibration.time_unit)
        if self.frame_time is not None:
            found = found.with_frame_time(self.frame_time, self.time_unit)
        return found


Report: TypeAlias = Annotated[ReportSettings, _reader(ReportSettings), PlainSerializer(_plain)]


class Recipe(BaseModel):
    """An analysis: predict, decode, measure, report.

    Parameters
    ----------
    version : int
        Of this form.
    name : str
        For people.
    model : ModelReference
    predict : dict
        Values of the prediction's settings that differ from their defaults.
    decode : DecodeSettings
        Thresholds by class name, smallest object, holes, connectivity.
    measure : MeasureSettings
    acquisition : dict
        Imaging conditions as `Acquisition.as_dict` writes them.
    pixel_size : PixelSize or None
        To be used instead of the images' own.
    report : ReportSettings or None
        Of the report of all images together; None: none is written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    name: str = ""
    model: ModelReference
    predict: dict[str, Any] = {}
    decode: Decode = DecodeSettings()
    measure: Measure = MeasureSettings()
    acquisition: dict[str, Any] = {}
    pixel_size: PixelSize | None = None
    report: Report | None = None

    @property
    def conditions(self) -> Acquisition:
        """The imaging conditions as a value.

        Raises
        ------
        RecipeError
            If they hold something unknown.
        """
        try:
            return Acquisition.from_dict(self.acquisition)
        except (TypeError, KeyError, AttributeError) as error:
            raise RecipeError(f"The recipe's acquisition cannot be used: {error}.") from error

    def works_like(self, other: Recipe) -> bool:
        """Return whether another recipe gives the same numbers: names and reports may differ."""
        return self.model_copy(update={"name": other.name, "report": other.report}) == other

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return self.model_dump(mode="json")

    def write(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write it as JSON, whole or not at all.

        Raises
        ------
        AlreadyExists, NotSaved
            If the file exists and `overwrite` is false, or it cannot be written.
        """
        text = json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n"
        write_text(path, text, overwrite=overwrite)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "The recipe") -> Recipe:
        """Return the recipe written by `as_dict`.

        Raises
        ------
        RecipeError
            If it is of a newer form, or a value is missing, unknown or wrong.
        """
        version = values.get("version")
        if version != VERSION:
            seen = "no version" if version is None else f"version {version!r}"
            raise RecipeError(
                f"{where} has {seen}; this program reads version {VERSION}.",
                hint="Update napari-defectseg, or write the recipe again.",
            )
        try:
            recipe = cls.model_validate(dict(values))
            _ = recipe.conditions
        except ValidationError as error:
            raise RecipeError(f"{where} cannot be used: {_reason(error)}.") from error
        except RecipeError:
            raise
        except DefectSegError as error:
            raise RecipeError(f"{where} cannot be used: {error.sentence}") from error
        return recipe

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Return the recipe in a file, or in a result folder.

        Raises
        ------
        FileMissing, RecipeError
            If there is none, or it cannot be used.
        """
        path = Path(path)
        file = path / "recipe.json" if path.is_dir() else path
        if not file.exists():
            raise FileMissing(f"{file} does not exist.", hint="Give a recipe.json.")
        try:
            if file.stat().st_size > LARGEST:
                raise RecipeError(f"{file} is too long for a recipe.")
            values = json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise RecipeError(f"{file} is not JSON: {error}.") from error
        except OSError as error:
            raise RecipeError(f"{file} cannot be read: {error.strerror}.") from error
        if not isinstance(values, dict):
            raise RecipeError(f"{file} holds a JSON {type(values).__name__}, not a recipe.")
        return cls.from_dict(values, str(file))


def _reason(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "it"
    if first["type"] == "extra_forbidden":
        return f"{place} is not known here"
    return f"{place}: {first['msg'].removeprefix('Value error, ')}"
