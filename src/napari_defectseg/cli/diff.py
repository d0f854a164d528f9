"""``defectseg diff``: what differs between two results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_defectseg.cli.work import Debug, Json, Quiet, working

EXAMPLE = "Example: defectseg diff result/steel_07 again/steel_07"


def diff(
    one: Annotated[Path, typer.Argument(metavar="A", help="A result folder, or one in it.")],
    other: Annotated[Path, typer.Argument(metavar="B", help="The result to compare with.")],
    *,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Say what differs between two results: inputs, settings, versions, numbers, pixels.

    Time and duration do not count. Images are matched by the names of their folders.
    """
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.results.diff import diff_results

        found = diff_results(one, other)
        lines = [item.sentence for item in found.differences]
        work.result(found.as_dict(), "\n".join(lines) or "The same.")
