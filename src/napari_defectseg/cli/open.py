"""``defectseg open``: what a model is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_defectseg.cli.options import assignments
from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, Work, working

if TYPE_CHECKING:
    from napari_defectseg.models.card import ModelCard
    from napari_defectseg.models.model import Model

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
    calibrate: Annotated[
        list[str] | None,
        typer.Option(
            "--calibrate",
            metavar="IMAGE",
            help="Measure batch statistics on this image and keep them; with --out. May be "
            "repeated: several images count as one.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Save the model with its card as this folder."),
    ] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Open a model and say what it expects and finds, and how that is known.

    Nothing that a file may contain is run, unless it is a program that you trusted. It then
    runs in a process of its own. What you trust is listed by defectseg doctor. With --out the
    model is saved with this card as a model folder, calibrated on images where --calibrate names
    some.
    """
    if trust and revoke:
        raise typer.BadParameter("--trust and --revoke contradict each other.")
    stated = assignments(settings or [], "--set")
    if calibrate and out is None:
        raise typer.BadParameter("--calibrate needs --out: a folder for the calibrated model.")
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.models.open import open_model
        from napari_defectseg.models.several import check_weights

        if revoke and not _revoked(work, model):
            return
        if trust:
            _trust(work, model)
        opened = open_model(model, settings=stated or None)
        check_weights(opened)  # weights that do not fit are found now, not at the first image
        if calibrate:
            opened = _calibrated(opened, calibrate)
        if out is not None:
            opened = _saved(opened, out, overwrite=overwrite)
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


def _kind(model: Model) -> str:
    """Return how the model runs, as a sentence."""
    from napari_defectseg.models.arraymodel import ArrayModel

    if not isinstance(model, ArrayModel):
        return "weights only: no code of this model was run"
    whose = "a program that you trusted" if model.trust == "program" else "operators, no code"
    return f"{whose}. {model.start(1).confinement}"


def _calibrated(model: Model, paths: list[str]) -> Model:
    from napari_defectseg.images.open import open_image
    from napari_defectseg.inference.calibrate import calibrate

    return calibrate(model, [open_image(path) for path in paths])


def _saved(model: Model, out: Path, *, overwrite: bool) -> Model:
    from napari_defectseg.models.open import open_model
    from napari_defectseg.models.save import save_model

    return open_model(save_model(model, out, overwrite=overwrite))


def described(model: Model) -> dict[str, Any]:
    """Return the card's main fields as plain JSON values."""
    from napari_defectseg.models.several import files_of, why_recognised

    card = model.card
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
        "pixel_policy": card.pixel_policy,
        "input_size": list(card.input_size) if card.input_size else None,
        "resize": card.resize,
        "preprocessing": [step.model_dump(mode="json") for step in card.preprocessing],
        "batch_norm": card.batch_norm,
        "thresholds": dict(card.thresholds),
        "min_size": card.min_size,
        "scores": card.scores,
        "licence": card.licence,
        "quirks": list(card.quirks),
        "missing": list(card.missing),
        "sources": dict(card.sources),
        "recognised": list(why_recognised(model)),
        "sha256": model.sha256,
        "files": files_of(model),
    }


STATISTICS = {
    "image": "batch normalisation measures each image, all of its squares together",
    "calibrated": "batch normalisation uses those of the image it was calibrated on",
    "moving": "batch normalisation uses the moving averages of the training",
}


def _resizing(card: ModelCard) -> str:
    if card.input_size is None or card.resize == "never":
        return ""
    size = " × ".join(map(str, card.input_size))
    return f"resized to {size} px" + (", where it is large" if card.resize == "large" else "")


def in_words(model: Model) -> str:
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
        ("whole image", _resizing(card)),
        ("statistics", STATISTICS[card.batch_norm] if card.batch_norm != "moving" else ""),
        ("thresholds", ", ".join(f"{n} {v:g}" for n, v in card.thresholds.items()) or "usual"),
        ("licence", card.licence or "not stated"),
        ("not known", ", ".join(card.missing)),
    ]
    lines = [card.name, *([card.description] if card.description else [])]
    lines += [f"  {name}: {value}" for name, value in rows if value]
    return "\n".join([*lines, *(f"  note: {quirk}" for quirk in card.quirks)])
