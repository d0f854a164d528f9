"""``defectseg sample``: images to try things with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, Work, working

if TYPE_CHECKING:
    from napari_defectseg.datasets.catalogue import Sample
    from napari_defectseg.datasets.samples import Fetched

EXAMPLE = "Example: defectseg sample tem-loops-316l --out loops"


def sample(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Which sample; without it they are listed.")
    ] = "",
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for its files; else the user's cache.")
    ] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """List samples, or get one: made here, or downloaded with its hash checked.

    Nothing is downloaded that was not asked for by name. The licence is shown.
    """
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        if not name:
            _list(work)
            return
        from napari_defectseg.datasets.samples import fetch_steps

        work.kept = "What was downloaded whole is kept; ask again to go on."
        fetched = work.run(fetch_steps(name, out, overwrite=overwrite))
        work.result(_document(fetched), _words(fetched))


def _list(work: Work) -> None:
    from napari_defectseg.datasets.catalogue import catalogue

    known = catalogue()
    width = max(len(one.name) for one in known)
    lines = [f"{one.name:{width}}  {one.title} ({_origin(one)}, {one.licence})" for one in known]
    work.result({"samples": [_about(one) for one in known]}, "\n".join(lines))


def _about(one: Sample) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "text": one.text,
        "licence": one.licence,
        "made_by": one.made_by,
        "source": one.source,
        "bytes": one.bytes,
    }


def _origin(one: Sample) -> str:
    return "made here" if one.phantom else f"download of {one.bytes / 1e6:.1f} MB"


def _document(fetched: Fetched) -> dict[str, Any]:
    known = fetched.sample
    return {
        **_about(known),
        "folder": str(fetched.folder),
        "images": [str(path) for path in fetched.images],
        "masks": [str(path) for path in fetched.masks],
        "pixel_size": list(known.pixel_size) or None,
        "unit": known.unit,
    }


def _words(fetched: Fetched) -> str:
    known = fetched.sample
    lines = [
        f"{known.title}. {known.text}",
        f"licence: {known.licence}; made by {known.made_by}",
        *([f"source: {known.source}"] if known.source else []),
    ]
    if known.pixel_size:
        spacing = ",".join(f"{size:g}" for size in known.pixel_size)
        lines.append(f"pixel size: --spacing {spacing} --unit {known.unit}")
    shown = [*fetched.images[:3], *(["…"] if len(fetched.images) > 3 else [])]
    return "\n".join([*lines, *map(str, shown)])
