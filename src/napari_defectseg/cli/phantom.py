"""``defectseg phantom``: synthetic images with exact truth."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import typer

from napari_defectseg.cli.options import Out, Shape, whole_numbers
from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, working

EXAMPLE = "Example: defectseg phantom micrograph --out phantoms --count 3 --shape 512,512"


Kind: TypeAlias = Literal["micrograph", "surface", "movie", "tomogram"]


def phantom(
    kind: Annotated[Kind, typer.Argument(help="What to make.", show_default=False)],
    out: Out,
    *,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same images.")] = 0,
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 1,
    shape: Shape = "",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make synthetic images with exact truth, as a dataset folder.

    Each has an image, a mask, numbered objects and a list of them with their true sizes.
    """
    size = whole_numbers(shape, "--shape")
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.datasets.phantom import write_phantoms_steps

        if not overwrite:
            work.kept = f"The phantoms that were finished are in {out}."
        dataset = work.run(
            write_phantoms_steps(kind, out, count=count, seed=seed, shape=size, overwrite=overwrite)
        )
        pairs = dataset.pairs()
        work.result(
            {
                "dataset": str(out),
                "kind": kind,
                "pairs": [pair.id for pair in pairs],
                "classes": list(dataset.classes.names),
            },
            f"{len(pairs)} {kind} phantom{'s' * (len(pairs) > 1)} in {out}",
        )
