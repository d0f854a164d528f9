"""``defectseg demo``: the main job on samples that are made here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, working

EXAMPLE = "Example: defectseg demo --image A3.tif --model loops"


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for pictures and results.")] = Path(
        "demo-output"
    ),
    *,
    image: Annotated[Path | None, typer.Option(help="Your own image instead of a sample.")] = None,
    model: Annotated[str, typer.Option(help="A model instead of the one that is shipped.")] = "",
    close: Annotated[bool, typer.Option("--close", help="Close the window at the end.")] = False,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show the main job: open, predict, measure, see, in two and three dimensions.

    Leaves pictures, masks, objects.csv and summary.json in OUT.
    """
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.ui.demo import run_demo

        run_demo(out, image, model or None, close=close, overwrite=overwrite)
        files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
        work.result({"out": str(out), "files": files}, f"Pictures and results are in {out}.")
