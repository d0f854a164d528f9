"""``defectseg open``: what a model is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_defectseg.cli.options import assignments
from napari_defectseg.cli.work import Debug, Json, Quiet, Work, working

if TYPE_CHECKING:
    from napari_defectseg.models.arraymodel import OpenedModel

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
    trust: Annotated[
        bool,
        typer.Option("--trust", help="Trust the program in this file, and run it from now on."),
    ] = False,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Take that trust back; the start of its SHA-256 does.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Open a model and say what it expects and finds, and how that is known.

    Nothing that a file may contain is run, unless it is a program that you trusted. It then
    runs in a process of its own. What you trust is listed by defectseg doctor.
    """
    if trust and revoke:
        raise typer.BadParameter("--trust and --revoke contradict each other.")
    stated = assignments(settings or [], "--set")
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.models.arraymodel import ArrayModel
        from napari_defectseg.models.open import open_model

        if revoke and not _revoked(work, model):
            return
        if trust:
            _trust(work, model)
        opened = open_model(model, settings=stated or None)
        if not isinstance(opened, ArrayModel):
            opened.network()  # weights that do not fit are found now, not at the first image
        work.result(described(opened), in_words(opened))


def _trust(work: Work, model: str) -> None:
    """Trust the program in a file, and say what that means."""
    from napari_defectseg.models.trust.consent import trust_file

    record = trust_file(Path(model).expanduser())
    work.note(f"Trusted: {record.name}, {record.what}, SHA-256 {record.sha256}.")
    for sentence in record.runs:
        work.note(f"  It holds: {sentence}")
    work.note("Only a private copy of these very bytes is run; changed bytes are asked for anew.")


def _revoked(work: Work, model: str) -> bool:
    """Take trust back; return whether there is a file to be opened without it."""
    from napari_defectseg.models.trust.consent import revoke_file

    record = revoke_file(Path(model).expanduser())
    work.note(
        f"{record.name} is not trusted any more, and its copy is gone."
        if record
        else f"{model} was not trusted."
    )
    if Path(model).expanduser().exists():
        return True
    work.result({"revoked": record.sha256 if record else None})
    return False


def _kind(model: OpenedModel) -> str:
    """Return how the model runs, as a sentence."""
    from napari_defectseg.models.arraymodel import ArrayModel

    if not isinstance(model, ArrayModel):
        return "weights only: no code of this model was run"
    whose = "a program that you trusted" if model.trust == "program" else "operators, no code"
    return f"{whose}. {model.start(1).confinement}"


def described(model: OpenedModel) -> dict[str, Any]:
    """Return the card's main fields as plain JSON values."""
    from napari_defectseg.core.provenance import sha256_of_file

    card = model.card
    place = Path(model.path)
    base = place if place.is_dir() else place.parent
    inside = {name: base / name for name in model.files}  # of an archive, none is a file here
    paths = {n: path for n, path in inside.items() if path.is_file()} or {place.name: place}
    return {
        "name": card.name,
        "path": model.path,
        "format": model.format,
        "architecture": card.architecture,
        "trust": model.trust,
        "runs": _kind(model),
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


def in_words(model: OpenedModel) -> str:
    """Return the card for a person."""
    card = model.card
    low, high = card.pixel_size or (0.0, 0.0)
    size = f"{low:.3g} – {high:.3g} {card.pixel_unit}/px" if card.pixel_size else "not stated"
    rows = [
        ("format", model.format),
        ("trust", f"{model.trust}; {_kind(model)}"),
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
