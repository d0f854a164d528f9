"""``defectseg evaluate``: how well predictions agree with truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_defectseg.cli.options import names
from napari_defectseg.cli.work import Debug, Json, Quiet, working

if TYPE_CHECKING:
    from napari_defectseg.batch.evaluate import Evaluated

EXAMPLE = "Example: defectseg evaluate steel/masks result --classes void,loop --match distance:8"
FIGURES = ("iou", "dice", "precision", "recall", "object_f1")


def evaluate(
    truth: Annotated[Path, typer.Argument(help="A mask, a folder of masks, or a dataset.")],
    prediction: Annotated[
        Path, typer.Argument(help="A mask, a folder of masks, or a result folder.")
    ],
    *,
    classes: Annotated[str, typer.Option(help="Names of the values 1, 2, …: void,loop")] = "",
    match: Annotated[
        str,
        typer.Option(
            metavar="iou:0.5|distance:R",
            help="When objects are the same: by overlap, or by the distance of their centres.",
        ),
    ] = "iou:0.5",
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Compare predicted masks with true ones; of folders, those that have the same name.

    Pixels and objects of all images are counted together. Unlabelled pixels (255) do not
    count. Distances are in the unit of the pixel size, or in px.
    """
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.batch.evaluate import evaluate_steps

        found = work.run(evaluate_steps(truth, prediction, classes=names(classes), match=match))
        values = found.as_dict()
        for warning in values["warnings"]:
            work.note(warning)
        work.result(values, _words(found))


def _words(found: Evaluated) -> str:
    values = found.as_dict()
    width = max(len(name) for name in (*values["classes"], "class"))
    lines = [f"{'class':{width}}  " + "  ".join(f"{name:>9}" for name in FIGURES)]
    for name, figures in values["classes"].items():
        numbers = "  ".join(f"{_number(figures[figure]):>9}" for figure in FIGURES)
        lines.append(f"{name:{width}}  {numbers}")
    count = len(found.stems)
    lines.append(f"mean IoU {_number(values['mean_iou'])}, {count} image{'s' * (count != 1)}")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
