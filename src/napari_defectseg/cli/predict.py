"""``defectseg predict``: masks, objects and numbers from images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from napari_defectseg.cli.many import Scheduler, Workers, analyse_images, cluster_of
from napari_defectseg.cli.options import (
    Also,
    Devices,
    Engine,
    FrameTime,
    Out,
    RegionPart,
    Resume,
    Slices,
    Spacing,
    TimeUnit,
    Unit,
    assignments,
    bytes_of,
    extras,
    first_device,
    pixel_size,
    region_of,
    several_devices,
    thresholds,
)
from napari_defectseg.cli.watching import (
    Frames,
    Patience,
    Settle,
    UntilIdle,
    Watch,
    watch_folder,
    watch_settings,
)
from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, working

if TYPE_CHECKING:
    from napari_defectseg.models.card import ModelCard
    from napari_defectseg.models.model import Model

EXAMPLE = (
    "Example: defectseg predict A3_*.tif --model loops --out result --spacing 0.39 --unit nm "
    "--threshold loop=0.6 --min-size 20"
)

Mode: TypeAlias = Literal["auto", "exact", "fast"]
PixelPolicy: TypeAlias = Literal["card", "resample", "warn", "go-on"]
Combine: TypeAlias = Literal["join", "ensemble"]
Form: TypeAlias = Literal["tiff", "nrrd", "zarr"]
Flips: TypeAlias = Annotated[
    Literal["off", "mirror", "all"],
    typer.Option(
        help="Take the mean over the mirror images (mirror), or all turns (all), that mean the "
        "same to the model, as its card says."
    ),
]
Volume: TypeAlias = Annotated[
    Literal["slices", "three-axes"],
    typer.Option(
        help="A model for planes goes through a volume slice by slice, or across all three axes "
        "(the mean of what it finds)."
    ),
]


def predict(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Image files; a folder is one stack of slices.",
            show_default=False,
        ),
    ],
    models: Annotated[
        list[str],
        typer.Option(
            "--model",
            metavar="MODEL",
            help="A model folder, a file of weights, or a name. May be repeated.",
        ),
    ],
    out: Out,
    *,
    combine: Annotated[
        Combine,
        typer.Option(
            help="Several models: join those for different classes, or take the mean (ensemble) "
            "of those for the same."
        ),
    ] = "join",
    stated: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="State a field of each model's card."),
    ] = None,
    device: Devices = "auto",
    mode: Annotated[
        Mode,
        typer.Option(
            help="exact: float32, tiles give what the whole image would give; fast: the fastest "
            "engine that agrees with it on the image; auto: exact, or fast if the model allows it."
        ),
    ] = "auto",
    engine: Engine = "auto",
    pixel_policy: Annotated[
        PixelPolicy,
        typer.Option(
            help="An image outside the pixel sizes of the model: resample what it sees, warn, or "
            "go on without a word; card: as the model says."
        ),
    ] = "card",
    flips: Flips = "off",
    volume: Volume = "slices",
    memory: Annotated[str, typer.Option(metavar="4G", help="What one pass may need.")] = "",
    region: RegionPart = "",
    slices: Slices = "",
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X|NAME=X", help="Least probability, of every class or of one. May be repeated."
        ),
    ] = None,
    min_size: Annotated[
        float | None, typer.Option(min=0, help="Leave out objects of fewer pixels.")
    ] = None,
    spacing: Spacing = "",
    unit: Unit = "",
    frame_time: FrameTime = None,
    time_unit: TimeUnit = "",
    scores: Annotated[bool, typer.Option("--scores", help="Keep the probabilities, too.")] = False,
    form: Annotated[
        Form, typer.Option("--format", help="Of masks and objects: OME-TIFF, NRRD or OME-Zarr.")
    ] = "tiff",
    also: Also = None,
    watch: Watch = False,
    until_idle: UntilIdle = None,
    frames: Frames = None,
    settle: Settle = 0.5,
    patience: Patience = 5.0,
    scheduler: Scheduler = "",
    workers: Workers = 0,
    overwrite: Overwrite = False,
    resume: Resume = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Find the defects in images with a model, and measure them.

    Each image gets a folder in OUT with mask, numbered objects, overlay, objects.csv and
    summary.json. An image that cannot be used is named at the end; the others go on. An image
    larger than the memory goes block by block.
    """
    size = pixel_size(spacing, unit, frame_time, time_unit)
    budget = bytes_of(memory, "--memory")
    wanted, part = extras(also), region_of(region, slices)
    card_fields = assignments(stated or [], "--set")
    watched = watch_settings(watch, images, until_idle, frames, settle, patience)
    cluster = cluster_of(scheduler, workers, device, watch=watch)
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.batch.analyse import AnalyseSettings, recipe_for
        from napari_defectseg.inference.memory import shared_budget
        from napari_defectseg.inference.settings import PredictSettings

        if workers > 1 and budget is None:
            budget = shared_budget(workers)
        model = _opened(models, combine, card_fields)
        recipe = recipe_for(
            model,
            _lasting(models[0]) if len(models) == 1 else "",
            settings=card_fields if len(models) == 1 else None,
            predict=PredictSettings(
                device=first_device(device),
                devices=several_devices(device),
                mode=mode,
                engine=engine,
                memory=budget,
                pixel_policy=pixel_policy,
                flips=flips,
                volume=volume,
                region=part,
            ),
            pixel_size=size,
            **_decode(threshold or [], min_size, model.card),
        )
        settings = AnalyseSettings(
            form=form, scores=scores, also=wanted, overwrite=overwrite, resume=resume
        )
        if watched is not None:
            watch_folder(work, watched, recipe, out, settings, model)
        else:
            analyse_images(work, images, recipe, out, settings, model=model, cluster=cluster)


def _opened(paths: list[str], combine: Combine, fields: dict[str, str]) -> Model:
    """Open the models, state fields of their cards, and put them together."""
    from napari_defectseg.models.ensemble import combine_models
    from napari_defectseg.models.open import open_model

    return combine_models([open_model(one, settings=fields or None) for one in paths], combine)


def _decode(texts: list[str], min_size: float | None, card: ModelCard) -> dict[str, Any]:
    """Return ``decode`` for the recipe, nothing where the card's own is to be used."""
    from napari_defectseg.labels.decode import DecodeSettings

    if not texts and min_size is None:
        return {}
    smallest = card.min_size if min_size is None else min_size
    given = thresholds(texts, card.classes.names)
    return {"decode": DecodeSettings(thresholds=given, min_size=smallest)}


def _lasting(model: str) -> str:
    """Return a path that stays right from another folder; names of shipped models stay."""
    path = Path(model).expanduser()
    return str(path.resolve()) if path.exists() else model
