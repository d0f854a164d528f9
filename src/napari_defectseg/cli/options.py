"""Options that several verbs take, and how their texts are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.units import LENGTHS, Quantity, normalise_length, parse_quantity

Out: TypeAlias = Annotated[Path, typer.Option("--out", help="Folder to write into.")]
Spacing: TypeAlias = Annotated[
    str,
    typer.Option(
        "--spacing", metavar="Y,X|Z,Y,X", help="Size of a pixel; with --unit. One number for all."
    ),
]
Unit: TypeAlias = Annotated[str, typer.Option("--unit", help="Unit of --spacing: nm, µm, mm, …")]
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
