"""``defectseg dataset``: create, add, info, split; the other verbs have files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from napari_defectseg.cli import exchange, vetting
from napari_defectseg.cli.options import names, numbers
from napari_defectseg.cli.work import Debug, Json, Quiet, Work, working

app = typer.Typer(
    help="Images with their truth, in a folder that is always whole.", no_args_is_help=True
)
Folder = Annotated[Path, typer.Argument(metavar="DATASET", help="The dataset folder.")]


By: TypeAlias = Literal["specimen", "place", "quarters"]
Set: TypeAlias = Literal["train", "validation", "test"]


@app.command(epilog="Example: defectseg dataset create steel --classes void,precipitate")
def create(
    folder: Folder,
    classes: Annotated[str, typer.Option(help="Names, for the mask values 1, 2, …")],
    *,
    overlapping: Annotated[bool, typer.Option(help="Objects of two classes may overlap.")] = False,
    name: Annotated[str, typer.Option(help="What it is called.")] = "",
    licence: Annotated[str, typer.Option(help="Under what terms it may be used.")] = "",
    made_by: Annotated[str, typer.Option(help="How it is made.")] = "",
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make an empty dataset."""
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.core.classes import ClassMap
        from napari_defectseg.datasets.dataset import Dataset

        known = ClassMap.of(names(classes), exclusive=not overlapping)
        Dataset.create(folder, known, name=name, licence=licence, made_by=made_by)
        _show(work, folder)


@app.command(epilog="Example: defectseg dataset add steel A3.tif A3_mask.tif --specimen A3")
def add(
    folder: Folder,
    image: Annotated[Path, typer.Argument(help="The image.")],
    mask: Annotated[Path, typer.Argument(help="Its mask: class values, 255 where unlabelled.")],
    *,
    specimen: Annotated[str, typer.Option(help="The specimen it shows.")],
    split: Annotated[Set | None, typer.Option(help="The set it belongs to.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Save an image and its mask into a dataset."""
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.datasets.dataset import Dataset
        from napari_defectseg.images.open import open_image

        pair = Dataset.open(folder).add(
            open_image(image),
            open_image(mask).read(),
            specimen=specimen,
            split=split,
        )
        work.result(
            {"id": pair.id, "specimen": pair.specimen, "sha256": pair.sha256},
            f"{pair.id} saved in {folder}",
        )


@app.command(epilog="Example: defectseg dataset info steel")
def info(
    folder: Folder, *, as_json: Json = False, quiet: Quiet = False, debug: Debug = False
) -> None:
    """Say what is in a dataset: classes, specimens, sets, and what deserves a look."""
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        _show(work, folder)


@app.command(epilog="Example: defectseg dataset split steel --by specimen --seed 1")
def split(
    folder: Folder,
    *,
    by: Annotated[By, typer.Option(help="What no two sets share.")] = "specimen",
    fractions: Annotated[
        str, typer.Option(help="Shares of train, validation and test.")
    ] = "0.7,0.15,0.15",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same sets.")] = 0,
    gap: Annotated[
        int | None, typer.Option(min=0, help="Pixels between two sets of one image.")
    ] = None,
    again: Annotated[
        bool, typer.Option(help="Also move specimens that have a set already.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Divide a dataset into training, validation and test."""
    shares = numbers(fractions, "--fractions")
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.datasets import split as splitting
        from napari_defectseg.datasets.dataset import Dataset

        splitting.split(
            Dataset.open(folder), by=by, fractions=shares, seed=seed, gap=gap, keep=not again
        )
        _show(work, folder)


app.command("check", epilog=vetting.CHECK)(vetting.check)
app.command("exclude", epilog=vetting.EXCLUDE)(vetting.exclude)
app.command("agree", epilog=vetting.AGREE)(vetting.agree)
app.command("sheet", epilog=vetting.SHEET)(vetting.sheet)
app.command("import", epilog=exchange.IMPORT)(exchange.import_)
app.command("export", epilog=exchange.EXPORT)(exchange.export)


def _show(work: Work, folder: Path) -> None:
    from napari_defectseg.datasets.dataset import Dataset

    found = Dataset.open(folder).info()
    lines = [f"{found.name}: {found.pairs} pairs, {len(found.specimens)} specimens"]
    lines += [
        f"  {name}: {count.share:.2%} of what is labelled, in {count.pairs} pairs of "
        f"{count.specimens} specimens"
        for name, count in found.classes.items()
    ]
    lines += [f"  {name}: {count}" for name, count in found.splits.items()]
    if found.excluded:
        lines.append(f"  left out: {found.excluded}")
    for warning in found.warnings:
        work.note(warning)
    work.result(found.as_dict(), "\n".join(lines))
