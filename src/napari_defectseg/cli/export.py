"""``defectseg export``: a model for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, working

EXAMPLE = "Example: defectseg export tem-defects --to onnx --out tem-defects.onnx"


def export(
    model: Annotated[str, typer.Argument(help="A model folder, a file of weights, or a name.")],
    *,
    to: Annotated[
        str, typer.Option("--to", metavar="KIND", help="safetensors, onnx or bioimageio.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            help="The file to write; for safetensors without that ending, a model folder.",
        ),
    ],
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a model for other programs, and compare it with the original."""
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.models.export.model import export_model_steps
        from napari_defectseg.models.open import open_model

        opened = open_model(model)
        done = work.run(export_model_steps(opened, to, out, overwrite=overwrite))
        found = {
            "path": str(done.path),
            "to": to,
            "files": list(done.files),
            "greatest_difference": done.difference,
            "notes": list(done.notes),
        }
        lines = [f"{done.path}: probabilities within {done.difference:.2g} of the original."]
        work.result(found, "\n".join([*lines, *done.notes]))
