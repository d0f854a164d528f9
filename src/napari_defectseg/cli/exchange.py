"""``defectseg dataset import`` and ``export``: the forms of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from napari_defectseg.cli.options import assignments
from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, working

Form: TypeAlias = Literal[
    "auto", "pairs", "planes", "coco", "labelme", "nnunet", "imagej", "napari", "yolo", "peregrine"
]
Written: TypeAlias = Literal["coco", "nnunet", "yolo", "pairs"]
IMPORT = (
    "Example: defectseg dataset import steel NEU_Seg-main "
    "--name 1=inclusion --name 2=patch --name 3=scratch"
)
EXPORT = "Example: defectseg dataset export steel --to coco --out steel-coco"


def import_(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="A new dataset, or one.")],
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="The folder or file.")],
    *,
    form: Annotated[Form, typer.Option("--format", help="Its form.")] = "auto",
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MARK=CLASS",
            help="What a colour (#ff0000), number or name means; * names all others; the classes "
            "background and unlabelled are none. May be given several times.",
        ),
    ] = None,
    look: Annotated[
        bool, typer.Option(help="Only show the colours, numbers or names that are there.")
    ] = False,
    overlapping: Annotated[bool, typer.Option(help="Objects of two classes may overlap.")] = False,
    specimen_of: Annotated[
        str,
        typer.Option(
            metavar="PATTERN",
            help="Where the specimen stands in a path, like {specimen}_*. Without it each image "
            "is a specimen.",
        ),
    ] = "",
    every: Annotated[int, typer.Option(min=1, help="Of a build's layers, one in so many.")] = 1,
    part: Annotated[
        str, typer.Option(help="Which camera picture of a build: visible/0, visible/1.")
    ] = "",
    licence: Annotated[str, typer.Option(help="Under what terms it may be used.")] = "",
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Read a dataset of another program into a dataset folder.

    Folders of images and masks (palette, colours, numbers), one picture a class, COCO, labelme,
    raw data of nnU-Net, regions of ImageJ, shapes of napari, YOLO outlines, layers of a powder
    bed. Colours and numbers are named once; a dataset that exists knows its own.
    """
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.datasets import importing
        from napari_defectseg.datasets.foreign import ImportSettings

        settings = ImportSettings(
            form=form,
            names=assignments(name or [], "--name"),
            overlapping=overlapping,
            specimen_of=specimen_of,
            every=every,
            part=part,
            licence=licence,
        )
        if look:
            known, found = importing.look(source, settings)
            marks = [{"mark": m.key, "name": m.name, m.what: m.amount} for m in found.marks]
            document = {"format": known, "images": len(found.items), "marks": marks}
            lines = [f"{known}: {len(found.items)} images"]
            lines += [f"  {mark.told()}" for mark in found.marks]
            work.result(document, "\n".join(lines))
            return
        made = work.run(importing.import_steps(source, dataset, settings))
        for note in made.notes:
            work.note(note)
        names = list(made.dataset.classes.names)
        work.result(
            {
                "dataset": str(dataset),
                "format": made.form,
                "pairs": list(made.pairs),
                "classes": names,
                "notes": list(made.notes),
            },
            f"{len(made.pairs)} pairs with {', '.join(names)} saved in {dataset}",
        )


def export(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="The dataset folder.")],
    *,
    to: Annotated[Written, typer.Option("--to", help="The form.")],
    out: Annotated[Path, typer.Option("--out", help="The folder to make.")],
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a dataset in the form of another program, and say what that form cannot keep."""
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.datasets.dataset import Dataset
        from napari_defectseg.datasets.exporting import export_steps

        opened = Dataset.open(dataset)
        notes = work.run(export_steps(opened, to, out, overwrite=overwrite))
        for note in notes:
            work.note(note)
        document = {"out": str(out), "format": to, "pairs": len(opened.pairs()), "notes": notes}
        work.result(document, f"{len(opened.pairs())} pairs written to {out}")
