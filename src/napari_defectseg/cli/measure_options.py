"""The options of ``defectseg measure``, by what they are about."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from napari_defectseg.measurement.settings import GROUPS

# What is measured.
Masks: TypeAlias = Annotated[
    list[Path],
    typer.Argument(metavar="MASK_OR_LABELS...", help="Masks or images of numbered objects."),
]
Image: TypeAlias = Annotated[
    Path | None, typer.Option("--image", help="Image to take grey values from.")
]
Classes: TypeAlias = Annotated[
    str, typer.Option("--classes", help="Names of the values 1, 2, …: void,loop")
]
Connectivity: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--connectivity",
        min=1,
        max=3,
        help="Neighbours share a face (1), edge (2) or corner (3).",
    ),
]
Columns: TypeAlias = Annotated[
    str,
    typer.Option(
        "--columns",
        metavar="GROUP,…",
        help="What to measure beyond the basic columns: groups "
        f"({', '.join(name for name, _ in GROUPS)}), single measurements, or all.",
    ),
]
Axis: TypeAlias = Annotated[
    str,
    typer.Option(
        "--axis", metavar="z|y|x|Z,Y,X", help="Axis of build or load, for angles and √area."
    ),
]
Blur: TypeAlias = Annotated[
    float,
    typer.Option("--blur", min=0, help="Standard deviation of the image's blur in px."),
]
Specimens: TypeAlias = Annotated[
    str,
    typer.Option(
        "--specimen-of",
        metavar="PATTERN",
        help="Where the specimen's name stands in a path: '{specimen}_*', or an expression.",
    ),
]

# What is counted.
BorderRule: TypeAlias = Literal["count", "exclude", "frame", "weight"]
Border: TypeAlias = Annotated[
    BorderRule,
    typer.Option(
        "--border",
        help="Objects at the border: count all, exclude them, or without bias the counting "
        "frame or Miles–Lantuéjoul weights.",
    ),
]
Roi: TypeAlias = Annotated[Path | None, typer.Option("--roi", help="Mask of what is counted.")]
Exclude: TypeAlias = Annotated[
    Path | None, typer.Option("--exclude", help="Mask of what is not counted.")
]

# The foil.
FoilThickness: TypeAlias = Annotated[
    str,
    typer.Option("--foil-thickness", metavar="T±DT", help="Thickness of the foil: 85±10"),
]
ThicknessUnit: TypeAlias = Annotated[str, typer.Option("--thickness-unit", help="Its unit: nm")]
HiddenCap: TypeAlias = Annotated[
    str,
    typer.Option(
        "--hidden-cap", metavar="H", help="Height of a part cut by the foil that does not show."
    ),
]
LostZone: TypeAlias = Annotated[
    str,
    typer.Option(
        "--lost-zone", metavar="Z", help="Zone at each foil surface where objects are lost."
    ),
]
Visible: TypeAlias = Annotated[
    str,
    typer.Option(
        "--visible",
        metavar="SHARE|FAMILY:G",
        help="Visible share of the objects: 0.5, or by g·b: 'bcc <100>:110'.",
    ),
]

# Statistics beyond the summary.
Fit: TypeAlias = Annotated[
    str, typer.Option("--fit", metavar="NAME,…", help="Fit the sizes: lognormal,weibull")
]
DetectionLimit: TypeAlias = Annotated[
    float,
    typer.Option("--detection-limit", min=0, help="Diameter below which objects are not seen."),
]
Unfolding: TypeAlias = Literal["saltykov", "em"]
Unfold: TypeAlias = Annotated[
    Unfolding | None,
    typer.Option("--unfold", help="Ball diameters from plane sections of opaque bodies."),
]
Lines: TypeAlias = Annotated[
    str,
    typer.Option(
        "--lines", metavar="CLASS,…", help="Classes that are lines; 'object' without names."
    ),
]
Space: TypeAlias = Annotated[
    bool, typer.Option("--space", help="Neighbours, g(r) and Ripley's K, with a null model.")
]
Runs: TypeAlias = Annotated[int, typer.Option("--runs", min=39, help="Runs of the null model.")]
Structure: TypeAlias = Annotated[
    bool, typer.Option("--structure", help="Two-point correlation and chord lengths.")
]
DenudedZone: TypeAlias = Annotated[
    float,
    typer.Option(
        "--denuded-zone",
        min=0,
        help="Zone at the surface of --roi; the depth where the bulk begins.",
    ),
]
LargestIn: TypeAlias = Annotated[
    float,
    typer.Option(
        "--largest-in", min=0, help="Largest object in a volume (area) of that many unit³."
    ),
]
Correlate: TypeAlias = Annotated[
    str,
    typer.Option("--correlate", metavar="COLUMN,…", help="Columns to correlate with one another."),
]
Without: TypeAlias = Annotated[
    str,
    typer.Option(
        "--without", metavar="COLUMN,…", help="Columns to take out of these: partial correlation."
    ),
]
MethodName: TypeAlias = Literal["pearson", "spearman"]
Method: TypeAlias = Annotated[MethodName, typer.Option("--method", help="How to correlate.")]

# Movies.
KeyholeClass: TypeAlias = Annotated[
    str,
    typer.Option(
        "--keyhole",
        metavar="CLASS",
        help="Class of the keyhole of an X-ray movie: depth, width, front wall in frames.csv.",
    ),
]
PoreClasses: TypeAlias = Annotated[
    str,
    typer.Option(
        "--tracks",
        metavar="CLASS,…",
        help="Classes followed from frame to frame: velocities, births and ends in tracks.csv.",
    ),
]
MeltPool: TypeAlias = Annotated[
    str, typer.Option("--melt-pool", metavar="CLASS", help="Class of the melt pool.")
]
Surface: TypeAlias = Annotated[
    str,
    typer.Option(
        "--surface",
        metavar="ROW|ROW,ROW",
        help="Undisturbed surface in px: its row, or its rows at the first and last column; "
        "found in --image by default.",
    ),
]
ScanDirection: TypeAlias = Annotated[
    str,
    typer.Option(
        "--scan-direction",
        metavar="'left to right'",
        help="Where the laser goes; as the image says, or as the keyhole moves, by default.",
    ),
]
Reach: TypeAlias = Annotated[
    float,
    typer.Option(
        "--longest-step",
        min=0,
        metavar="PX",
        help="How far an object moves from frame to frame at most; one diameter by default.",
    ),
]
LostFrames: TypeAlias = Annotated[
    int,
    typer.Option("--lost-frames", min=0, help="Frames for which a followed object may be lost."),
]
Drift: TypeAlias = Annotated[
    bool, typer.Option("--drift", help="The picture itself moves: find its shift, take it out.")
]
Lag: TypeAlias = Annotated[
    int,
    typer.Option(
        "--lag", help="Frames by which the second quantity of a movie's correlations comes later."
    ),
]


def surface_rows(text: str) -> tuple[float, ...]:
    """Return the rows of ``--surface``; none if it was not given."""
    if not text:
        return ()
    try:
        rows = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"--surface {text!r} is not a row like 92 or 90,94.") from error
    if len(rows) > 2:
        raise typer.BadParameter(f"--surface takes one row or two, not {len(rows)}.")
    return rows
