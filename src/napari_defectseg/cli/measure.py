"""``defectseg measure``: sizes, fractions and densities of what a mask shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from napari_defectseg.cli.options import (
    Out,
    Spacing,
    Unit,
    names,
    read_axis,
    read_spacing,
    thickness,
)
from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, working
from napari_defectseg.measurement.settings import GROUPS, MeasureSettings

EXAMPLE = "Example: defectseg measure mask.tif --out result --spacing 0.5 --unit nm --classes void"


Border: TypeAlias = Literal["count", "exclude"]


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
    border: Annotated[Border, typer.Option(help="Objects at the border.")] = "count",
    roi: Annotated[Path | None, typer.Option(help="Mask of what is counted.")] = None,
    exclude: Annotated[Path | None, typer.Option(help="Mask of what is not counted.")] = None,
    foil_thickness: Annotated[
        str, typer.Option(metavar="T±DT", help="Thickness of the foil: 85±10")
    ] = "",
    thickness_unit: Annotated[str, typer.Option(help="Its unit: nm")] = "",
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
    each class. Without a pixel size all sizes are in px.
    """
    size = read_spacing(spacing, unit)
    foil = thickness(foil_thickness, thickness_unit)
    direction = read_axis(axis)
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.batch.measure import (
            MeasureJob,
            measure_steps,
            specimens_of,
            write_measured,
        )
        from napari_defectseg.results.recipe import PixelSize

        job = MeasureJob(
            masks=masks,
            image=image,
            classes=names(classes),
            pixel_size=PixelSize(spacing=size, unit=unit) if size else None,
            roi=roi,
            exclude=exclude,
            thickness=foil,
            settings=MeasureSettings(
                connectivity=connectivity,
                border=border,
                columns=names(columns),
                axis=direction,
                blur=blur,
            ),
            specimens=specimens_of(masks, specimen_of) if specimen_of else {},
        )
        measured = work.run(measure_steps(job))
        write_measured(measured, out, overwrite=overwrite)
        for warning in measured.summary["warnings"]:
            work.note(warning)
        count = len(measured.table)
        work.result(measured.summary, f"{count} object{'s' * (count != 1)} measured into {out}")
