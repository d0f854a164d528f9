"""``defectseg rerun``: the same result again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_defectseg.cli.options import Out
from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, working

EXAMPLE = "Example: defectseg rerun result/steel_07/summary.json --out again"


def rerun(
    summary: Annotated[Path, typer.Argument(help="The summary.json of a result.")],
    out: Out,
    *,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make a result again from what its summary.json says, and compare.

    Image and model are found where they were, and refused if they have changed. Corrections by
    hand are replayed from the journal beside the summary. Masks, objects and table come out
    byte for byte; what does not is named.
    """
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.batch.rerun import rerun_steps

        again = work.run(rerun_steps(summary, out, overwrite=overwrite))
        for sentence in again.differences:
            work.note(sentence)
        words = "the same" if again.same else f"not the same: {len(again.differences)} differences"
        work.result(again.as_dict(), f"{again.folder}: {words}")
