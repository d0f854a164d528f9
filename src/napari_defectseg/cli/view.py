"""``defectseg view``: napari with the workbench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_defectseg.cli.work import Debug, Json, Quiet, working

EXAMPLE = "Example: defectseg view A3.tif --model loops"


def view(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES]...", help="Images to open.")
    ] = None,
    *,
    model: Annotated[str, typer.Option(help="The model to choose.")] = "",
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Open napari with the workbench, the images in it, and a model chosen."""
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.ui.view import run_view

        work.kept = ""
        run_view(list(files or []), model or None)
        work.result({"files": [str(file) for file in files or []], "model": model or None})
