"""``defectseg measure``: sizes, fractions and densities of what a mask shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from napari_defectseg.cli.options import (
    Out,
    Spacing,
    Unit,
    foil_of,
    names,
    read_axis,
    read_spacing,
    thickness,
)
from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, working
from napari_defectseg.measurement.settings import GROUPS, MeasureSettings

EXAMPLE = "Example: defectseg measure mask.tif --out result --spacing 0.5 --unit nm --classes void"


Border: TypeAlias = Literal["count", "exclude", "frame", "weight"]
Unfold: TypeAlias = Literal["saltykov", "em"]
Method: TypeAlias = Literal["pearson", "spearman"]


def measure(
    masks: Annotated[
        list[Path],
        typer.Argument(metavar="MASK_OR_LABELS...", help="Masks or images of numbered objects."),
    ],
    out: Out,
    *,
    image: Annotated[Path | None, typer.Option(help="Image to take grey values from.")] = None,
    spacing: Spacing = "",
    unit: Unit = "",
    classes: Annotated[str, typer.Option(help="Names of the values 1, 2, …: void,loop")] = "",
    connectivity: Annotated[
        int | None,
        typer.Option(min=1, max=3, help="Neighbours share a face (1), edge (2) or corner (3)."),
    ] = None,
    columns: Annotated[
        str,
        typer.Option(
            metavar="GROUP,…",
            help="What to measure beyond the basic columns: groups "
            f"({', '.join(name for name, _ in GROUPS)}), single measurements, or all.",
        ),
    ] = "",
    axis: Annotated[
        str,
        typer.Option(metavar="z|y|x|Z,Y,X", help="Axis of build or load, for angles and √area."),
    ] = "",
    blur: Annotated[
        float, typer.Option(min=0, help="Standard deviation of the image's blur in px.")
    ] = 0.0,
    border: Annotated[
        Border,
        typer.Option(
            help="Objects at the border: count all, exclude them, or without bias the counting "
            "frame or Miles–Lantuéjoul weights."
        ),
    ] = "count",
    roi: Annotated[Path | None, typer.Option(help="Mask of what is counted.")] = None,
    exclude: Annotated[Path | None, typer.Option(help="Mask of what is not counted.")] = None,
    foil_thickness: Annotated[
        str, typer.Option(metavar="T±DT", help="Thickness of the foil: 85±10")
    ] = "",
    thickness_unit: Annotated[str, typer.Option(help="Its unit: nm")] = "",
    hidden_cap: Annotated[
        str, typer.Option(metavar="H", help="Height of a part cut by the foil that does not show.")
    ] = "",
    lost_zone: Annotated[
        str, typer.Option(metavar="Z", help="Zone at each foil surface where objects are lost.")
    ] = "",
    visible: Annotated[
        str,
        typer.Option(
            metavar="SHARE|FAMILY:G",
            help="Visible share of the objects: 0.5, or by g·b: 'bcc <100>:110'.",
        ),
    ] = "",
    fit: Annotated[
        str, typer.Option(metavar="NAME,…", help="Fit the sizes: lognormal,weibull")
    ] = "",
    detection_limit: Annotated[
        float, typer.Option(min=0, help="Diameter below which objects are not seen.")
    ] = 0.0,
    unfold: Annotated[
        Unfold | None, typer.Option(help="Ball diameters from plane sections of opaque bodies.")
    ] = None,
    lines: Annotated[
        str, typer.Option(metavar="CLASS,…", help="Classes that are lines; 'object' without names.")
    ] = "",
    space: Annotated[
        bool, typer.Option("--space", help="Neighbours, g(r) and Ripley's K, with a null model.")
    ] = False,
    runs: Annotated[int, typer.Option(min=39, help="Runs of the null model.")] = 499,
    structure: Annotated[
        bool, typer.Option("--structure", help="Two-point correlation and chord lengths.")
    ] = False,
    denuded_zone: Annotated[
        float,
        typer.Option(min=0, help="Zone at the surface of --roi; the depth where the bulk begins."),
    ] = 0.0,
    largest_in: Annotated[
        float, typer.Option(min=0, help="Largest object in a volume (area) of that many unit³.")
    ] = 0.0,
    correlate: Annotated[
        str, typer.Option(metavar="COLUMN,…", help="Columns to correlate with one another.")
    ] = "",
    method: Annotated[Method, typer.Option(help="How to correlate.")] = "pearson",
    specimen_of: Annotated[
        str,
        typer.Option(
            metavar="PATTERN",
            help="Where the specimen's name stands in a path: '{specimen}_*', or an expression.",
        ),
    ] = "",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Measure every object of masks or label images.

    Writes objects.csv, one row an object, and summary.json, with fractions and densities of
    each class. Without a pixel size all sizes are in px. What further options ask for stands
    in the block statistics of summary.json.
    """
    size = read_spacing(spacing, unit)
    thick = thickness(foil_thickness, thickness_unit)
    direction = read_axis(axis)
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.batch.measure import (
            MeasureJob,
            measure_steps,
            specimens_of,
            write_measured,
        )
        from napari_defectseg.measurement.further import FurtherSettings
        from napari_defectseg.results.recipe import PixelSize

        job = MeasureJob(
            masks=masks,
            image=image,
            classes=names(classes),
            pixel_size=PixelSize(spacing=size, unit=unit) if size else None,
            roi=roi,
            exclude=exclude,
            foil=foil_of(thick, hidden_cap, lost_zone, visible),
            settings=MeasureSettings(
                connectivity=connectivity,
                border=border,
                columns=names(columns),
                axis=direction,
                blur=blur,
            ),
            further=FurtherSettings(
                fit=names(fit),
                detection_limit=detection_limit,
                unfold=unfold or "",
                lines=names(lines),
                space=space,
                runs=runs,
                structure=structure,
                zone=denuded_zone,
                largest_in=largest_in,
                correlate=names(correlate),
                method=method,
            ),
            specimens=specimens_of(masks, specimen_of) if specimen_of else {},
        )
        measured = work.run(measure_steps(job))
        write_measured(measured, out, overwrite=overwrite)
        for warning in measured.summary["warnings"]:
            work.note(warning)
        count = len(measured.table)
        work.result(measured.summary, f"{count} object{'s' * (count != 1)} measured into {out}")
