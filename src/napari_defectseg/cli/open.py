"""``defectseg open``: what a model is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_defectseg.cli.options import assignments
from napari_defectseg.cli.work import Debug, Json, Quiet, working

if TYPE_CHECKING:
    from napari_defectseg.models.model import TorchModel

EXAMPLE = (
    'Example: defectseg open loops/model.pt --set classes=void,loop --set pixel_size="0.2-0.6 nm"'
)


def open_(
    model: Annotated[str, typer.Argument(help="A model folder, a file of weights, or a name.")],
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="State a field of its card."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Open a model and say what it expects and finds, and how that is known.

    Nothing that a file may contain is run.
    """
    stated = assignments(settings or [], "--set")
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.models.open import open_model

        opened = open_model(model, settings=stated or None)
        opened.network()  # weights that do not fit are found now, not at the first image
        work.result(described(opened), in_words(opened))


def described(model: TorchModel) -> dict[str, Any]:
    """Return the card's main fields as plain JSON values."""
    from napari_defectseg.core.provenance import sha256_of_file

    card = model.card
    place = Path(model.path)
    base = place if place.is_dir() else place.parent
    paths = {name: base / name for name in model.files} or {place.name: place}
    return {
        "name": card.name,
        "path": model.path,
        "format": model.format,
        "architecture": card.architecture,
        "trust": "weights only: no code of this model was run",
        "dims": card.dims,
        "in_channels": card.in_channels,
        "task": card.task,
        "classes": list(card.classes.names),
        "class_map": card.classes.as_dict(),
        "parameters": card.parameters,
        "pixel_size": list(card.pixel_size) if card.pixel_size else None,
        "pixel_unit": card.pixel_unit,
        "thresholds": dict(card.thresholds),
        "min_size": card.min_size,
        "scores": card.scores,
        "licence": card.licence,
        "quirks": list(card.quirks),
        "missing": list(card.missing),
        "sources": dict(card.sources),
        "sha256": model.sha256,
        "files": {n: sha256_of_file(path) for n, path in paths.items() if path.is_file()},
    }


def in_words(model: TorchModel) -> str:
    """Return the card for a person."""
    card = model.card
    low, high = card.pixel_size or (0.0, 0.0)
    size = f"{low:.3g} – {high:.3g} {card.pixel_unit}/px" if card.pixel_size else "not stated"
    rows = [
        ("format", model.format),
        ("network", f"{card.architecture}, {card.dims}D, {card.parameters:,} parameters"),
        ("image channels", str(card.in_channels)),
        ("classes", f"{', '.join(card.classes.names)} ({card.task})"),
        ("pixel size", size),
        ("thresholds", ", ".join(f"{n} {v:g}" for n, v in card.thresholds.items()) or "usual"),
        ("licence", card.licence or "not stated"),
        ("not known", ", ".join(card.missing)),
    ]
    lines = [card.name, *([card.description] if card.description else [])]
    lines += [f"  {name}: {value}" for name, value in rows if value]
    return "\n".join([*lines, *(f"  note: {quirk}" for quirk in card.quirks)])
