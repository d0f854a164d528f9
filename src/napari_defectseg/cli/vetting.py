"""``defectseg dataset check``, ``exclude``, ``agree``, ``sheet``: can it be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, working

if TYPE_CHECKING:
    from napari_defectseg.results.agreement import Agreement

Folder = Annotated[Path, typer.Argument(metavar="DATASET", help="The dataset folder.")]
CHECK = "Example: defectseg dataset check steel"
EXCLUDE = "Example: defectseg dataset exclude steel A3-2 --reason 'out of focus'"
AGREE = "Example: defectseg dataset agree steel-anna steel-ben"
SHEET = "Example: defectseg dataset sheet steel --out steel.html"


def check(
    dataset: Folder,
    *,
    strict: Annotated[bool, typer.Option(help="Exit status 1 if errors were found.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Look for what makes scores or training wrong; nothing is changed.

    Pictures that are there twice (turned, mirrored, re-scaled), specimens or places that two
    sets share, masks that lie beside their objects, objects that look like another class,
    values that are no class, files that were changed, objects of one pixel, rare classes.
    """
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.datasets.check import check_steps
        from napari_defectseg.datasets.dataset import Dataset

        report = work.run(check_steps(Dataset.open(dataset)))
        lines = [f"{each.severity}: {each.sentence}" for each in report.findings]
        errors = len(report.errors)
        lines.append(
            f"{report.pairs} pairs looked at: {errors} errors, "
            f"{len(report.findings) - errors} warnings"
        )
        work.result(report.as_dict(), "\n".join(lines))
        work.failed = strict and bool(errors)


def exclude(
    dataset: Folder,
    pairs: Annotated[list[str], typer.Argument(metavar="PAIR…", help="Names of pairs.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, for those who come after.")] = "",
    undo: Annotated[bool, typer.Option(help="Take them back.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Leave pairs out from now on; their files stay, and --undo takes them back."""
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.datasets.dataset import Dataset

        opened = Dataset.open(dataset)
        for name in pairs:  # all are there, or none is changed
            opened.pair(name)
        for name in pairs:
            if undo:
                opened.include(name)
            else:
                opened.exclude(name, reason=reason)
        info = opened.info()
        what = "taken back" if undo else "left out"
        work.result(
            {"pairs": pairs, "excluded": info.excluded, "left": info.pairs},
            f"{', '.join(pairs)} {what}; {info.pairs} pairs count, {info.excluded} are left out",
        )


def agree(
    first: Annotated[Path, typer.Argument(metavar="FIRST", help="One person's dataset.")],
    second: Annotated[Path, typer.Argument(metavar="SECOND", help="The other person's.")],
    *,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Say how far two people agree on the same images, per class.

    Dice, IoU and Cohen's kappa with 95 % intervals over specimens; pixels that either left
    unlabelled do not count. A model cannot be expected to agree better with them.
    """
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.datasets.dataset import Dataset
        from napari_defectseg.results.agreement import agreement_steps

        opened = Dataset.open(first), Dataset.open(second)
        found = work.run(agreement_steps(*opened, seed=seed))
        if found.only_one:
            work.note(f"Only one of them has {', '.join(found.only_one[:6])}.")
        if found.specimens == 1:
            work.note("There are no intervals: all images are of one specimen.")
        work.result(found.as_dict(), _words(found))


def _words(found: Agreement) -> str:
    lines = [f"{found.images} images of {found.specimens} specimens"]
    for name, figures in found.classes.items():
        told = [
            f"{key} {one.value:.3f}" + (f" ({one.low:.3f} … {one.high:.3f})" * (one.low == one.low))
            for key, one in figures.items()
        ]
        lines.append(f"  {name}: {', '.join(told)}")
    return "\n".join(lines)


def sheet(
    dataset: Folder,
    *,
    out: Annotated[Path, typer.Option("--out", help="The HTML page to write.")],
    unchecked: Annotated[bool, typer.Option(help="Do not check the dataset first.")] = False,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a page that tells a successor what the dataset is and what to beware of."""
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.datasets.check import check_steps
        from napari_defectseg.datasets.dataset import Dataset
        from napari_defectseg.results.datasheet import datasheet_steps

        opened = Dataset.open(dataset)
        report = None if unchecked else work.run(check_steps(opened))
        work.run(datasheet_steps(opened, out, report, overwrite=overwrite))
        work.result({"out": str(out)}, f"{out} written")
