"""Options that several verbs take, and how their texts are read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.units import (
    LENGTHS,
    TIMES,
    Quantity,
    normalise_length,
    normalise_time,
    parse_quantity,
)

if TYPE_CHECKING:
    from napari_defectseg.measurement.foil import Foil
    from napari_defectseg.results.recipe import PixelSize

AXES = {"z": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "x": (0.0, 0.0, 1.0)}
_BYTES = re.compile(r"(?P<value>\d+(?:\.\d+)?)\s*(?P<prefix>[KMGT]?)(?:i?B)?", re.IGNORECASE)

Out: TypeAlias = Annotated[Path, typer.Option("--out", help="Folder to write into.")]
Spacing: TypeAlias = Annotated[
    str,
    typer.Option(
        "--spacing", metavar="Y,X|Z,Y,X", help="Size of a pixel; with --unit. One number for all."
    ),
]
Unit: TypeAlias = Annotated[str, typer.Option("--unit", help="Unit of --spacing: nm, µm, mm, …")]
FrameTime: TypeAlias = Annotated[
    float | None,
    typer.Option("--frame-time", help="Time from frame to frame; with --time-unit."),
]
TimeUnit: TypeAlias = Annotated[str, typer.Option("--time-unit", help="Its unit: s, ms, µs.")]
Device: TypeAlias = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda[:N]|mps",
        help="What computes; auto: a graphics card if there is one.",
    ),
]
Engine: TypeAlias = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="auto|torch-bfloat16|openvino-float32|…",
        help="What computes the network, in which numbers; auto: as --mode says. One that is "
        "asked for is used, and how far it lies from float32 is said.",
    ),
]
Devices: TypeAlias = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda[:N]|mps|all",
        help="What computes; auto: a graphics card if there is one. Several with commas "
        "(cuda:0,cuda:1), or all graphics cards, share the tiles.",
    ),
]
Resume: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on with what was stopped: images that are done stay, and of one larger than the "
        "memory the finished blocks.",
    ),
]
Also: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--also",
        metavar="probabilities-nrrd|class-png",
        help="Write, too: one NRRD of probabilities a class, one binary PNG a class. May be "
        "repeated.",
    ),
]
RegionPart: TypeAlias = Annotated[
    str,
    typer.Option(
        "--region",
        metavar="Y0:Y1,X0:X1",
        help="Predict and measure this part alone, in px from 0; it gives what the whole image "
        "gives there. With names for other axes: t=3:8,y=0:512.",
    ),
]
Slices: TypeAlias = Annotated[
    str,
    typer.Option("--slices", metavar="A:B", help="Of a volume or stack, slices A up to before B."),
]
Shape: TypeAlias = Annotated[
    str, typer.Option("--shape", metavar="Y,X|Z,Y,X", help="Pixels along each axis.")
]


def read_spacing(spacing: str, unit: str) -> tuple[float, ...]:
    """Return the numbers of ``--spacing``; none if it was not given."""
    if not spacing:
        if unit:
            raise typer.BadParameter("--unit needs --spacing.")
        return ()
    if normalise_length(unit) is None:
        raise typer.BadParameter(f"--spacing needs --unit, one of {', '.join(LENGTHS)}.")
    return numbers(spacing, "--spacing")


def pixel_size(
    spacing: str, unit: str, frame_time: float | None, time_unit: str
) -> PixelSize | None:
    """Return what stands in place of the images' own pixel size; None if nothing was given."""
    size = read_spacing(spacing, unit)
    if frame_time is None and time_unit:
        raise typer.BadParameter("--time-unit needs --frame-time.")
    if frame_time is not None and not 0 < frame_time < float("inf"):
        raise typer.BadParameter(f"--frame-time is a positive time, not {frame_time}.")
    if frame_time is not None and normalise_time(time_unit) is None:
        raise typer.BadParameter(f"--frame-time needs --time-unit, one of {', '.join(TIMES)}.")
    if not size and frame_time is None:
        return None
    from napari_defectseg.results.recipe import PixelSize

    return PixelSize(
        spacing=size, unit=unit or "nm", frame_time=frame_time, time_unit=time_unit or "s"
    )


def bytes_of(text: str, option: str) -> int | None:
    """Return the bytes of ``4G``, ``500M`` or ``2GiB``; None if there is no text."""
    if not text:
        return None
    found = _BYTES.fullmatch(text.strip())
    count = (
        float(found["value"]) * 1024 ** " KMGT".index(found["prefix"].upper() or " ")
        if found
        else 0
    )
    if count < 1:
        raise typer.BadParameter(f"{option} {text!r} is not an amount of memory like 4G or 500M.")
    return int(count)


def region_of(region: str, slices: str) -> str | None:
    """Return the region of ``--region`` and ``--slices`` as one; None if neither was given."""
    if not region and not slices:
        return None
    from napari_defectseg.inference.region import Region

    try:
        sides = Region.parse(region).sides if region else ()
        planes = Region.parse(f"z={slices}").sides if slices else ()
    except DefectSegError as error:
        raise typer.BadParameter(str(error)) from error
    if planes and any(axis == "z" for axis, _, _ in sides):
        raise typer.BadParameter("--region names slices (z) already; leave --slices out.")
    return str(Region.of_sides((*sides, *planes)))


def assignments(texts: Sequence[str], option: str) -> dict[str, str]:
    """Return ``field=value`` texts as a mapping."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(f"{option} {text!r} is not field=value.")
        found[name.strip()] = value
    return found


def read_axis(text: str) -> tuple[float, ...]:
    """Return the direction of ``--axis``, slowest axis first; none if there is no text."""
    if not text:
        return ()
    if text in AXES:
        return AXES[text]
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(
            f"--axis {text!r} is not z, y, x or numbers like 1,0,0."
        ) from error
    if len(values) not in (2, 3) or not any(values):
        raise typer.BadParameter(f"--axis needs two or three numbers, not all 0: {text!r}.")
    return values


def numbers(text: str, option: str) -> tuple[float, ...]:
    """Return positive numbers separated by commas."""
    try:
        values = tuple(float(part) for part in text.replace("x", ",").split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{option} {text!r} are not numbers like 0.5,0.5.") from error
    if not all(0 < value < float("inf") for value in values):
        raise typer.BadParameter(f"{option} needs positive numbers, not {text!r}.")
    return values


def whole_numbers(text: str, option: str) -> tuple[int, ...] | None:
    """Return positive whole numbers separated by commas; None if there is no text."""
    if not text:
        return None
    values = numbers(text, option)
    if any(value != int(value) for value in values):
        raise typer.BadParameter(f"{option} needs whole numbers, not {text!r}.")
    return tuple(int(value) for value in values)


def several_devices(text: str) -> tuple[str, ...]:
    """Return the devices of ``--device`` where it names several, or ``all``; else none."""
    found = names(text)
    return found if len(found) > 1 or found == ("all",) else ()


def first_device(text: str) -> str:
    """Return the device of ``--device`` where it names one, else the usual."""
    return "auto" if several_devices(text) else text


def extras(texts: Sequence[str] | None) -> tuple[str, ...]:
    """Return what ``--also`` asks for."""
    from napari_defectseg.results.extras import check_extras

    try:
        check_extras(texts or ())
    except DefectSegError as error:
        raise typer.BadParameter(f"--also: {error}") from error
    return tuple(dict.fromkeys(texts or ()))


def names(text: str) -> tuple[str, ...]:
    """Return names separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def thickness(text: str, unit: str) -> Quantity | None:
    """Return ``--foil-thickness`` with its unit; None if it was not given."""
    if not text:
        if unit:
            raise typer.BadParameter("--thickness-unit needs --foil-thickness.")
        return None
    try:
        found = parse_quantity(text, unit)
    except DefectSegError as error:
        raise typer.BadParameter(f"--foil-thickness: {error}") from error
    if found.unit not in LENGTHS or found.value <= 0:
        raise typer.BadParameter(f"--foil-thickness is a length like 85±10 nm, not {text!r}.")
    return found


def foil_of(thick: Quantity | None, cap: str, zone: str, visible: str) -> Foil | None:
    """Return the foil of ``--foil-thickness`` and what does not show in it; None without one.

    Parameters
    ----------
    thick : Quantity or None
    cap, zone : str
        ``--hidden-cap`` and ``--lost-zone``; without a unit in that of the thickness.
    visible : str
        ``--visible``: a share, or a family and a reflection.
    """
    from napari_defectseg.measurement.foil import Foil
    from napari_defectseg.measurement.statistics.visible import visible as by_rule

    if thick is None:
        if cap or zone or visible:
            raise typer.BadParameter(
                "--hidden-cap, --lost-zone and --visible need --foil-thickness."
            )
        return None
    share = 1.0
    if visible:
        family, colon, g = visible.rpartition(":")
        try:
            share = by_rule(family, g).share if colon else float(visible)
        except ValueError as error:
            told = str(error) if colon else f"{visible!r} is not a share or FAMILY:G."
            raise typer.BadParameter(f"--visible: {told}") from error
        if not 0 < share <= 1:
            raise typer.BadParameter(f"--visible: nothing shows with a share of {share:g}.")
    lengths = {"--hidden-cap": cap, "--lost-zone": zone}
    parts = [_length(text, thick.unit, name) for name, text in lengths.items()]
    return Foil(thick, parts[0], parts[1], share)


def _length(text: str, unit: str, option: str) -> Quantity | None:
    if not text:
        return None
    try:
        return parse_quantity(text, unit)
    except DefectSegError as error:
        raise typer.BadParameter(f"{option}: {error}") from error


def thresholds(texts: Sequence[str], classes: Sequence[str]) -> dict[str, float]:
    """Return probability by class name from ``X`` (all classes) and ``name=X``."""
    found: dict[str, float] = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        try:
            number = float(value)
        except ValueError as error:
            raise typer.BadParameter(f"--threshold {text!r} is not X or name=X.") from error
        if not 0 <= number <= 1:
            raise typer.BadParameter(f"--threshold {text!r}: a probability is 0 to 1.")
        if name and name not in classes:
            raise typer.BadParameter(
                f"--threshold {text!r}: there is no class {name!r}; known: {', '.join(classes)}."
            )
        found |= {name: number} if name else dict.fromkeys(classes, number)
    return found
