"""``defectseg predict --watch``: frames as an instrument writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from napari_defectseg.cli.work import Work

if TYPE_CHECKING:
    from napari_defectseg.batch.analyse import AnalyseSettings
    from napari_defectseg.batch.frames import Frame
    from napari_defectseg.batch.watch import WatchSettings
    from napari_defectseg.core.progress import Step
    from napari_defectseg.models.model import Model
    from napari_defectseg.results.recipe import Recipe

WILD = "*?["

Watch: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="IMAGE is a folder that an instrument writes into (or 'FOLDER/scan_*.tif'): each "
        "frame is predicted as it arrives, until Ctrl-C.",
    ),
]
UntilIdle: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--until-idle", min=0, metavar="SECONDS", help="End watching when nothing new came for so."
    ),
]
Frames: TypeAlias = Annotated[
    int | None,
    typer.Option("--frames", min=1, metavar="N", help="End watching after so many frames in all."),
]
Settle: TypeAlias = Annotated[
    float,
    typer.Option(
        "--settle", min=0, metavar="SECONDS", help="A file that did not change for so is whole."
    ),
]
Patience: TypeAlias = Annotated[
    float,
    typer.Option(
        "--patience",
        min=0,
        metavar="SECONDS",
        help="How long a missing or unreadable frame is waited for.",
    ),
]


def watch_settings(
    watched: bool,
    images: Sequence[str],
    until_idle: float | None,
    frames: int | None,
    settle: float,
    patience: float,
) -> tuple[Path, WatchSettings] | None:
    """Return which folder is watched, and how; None: none is.

    Raises
    ------
    typer.BadParameter
        If what is given is not one folder, or watching was not asked for.
    """
    if not watched:
        for value, name in ((until_idle, "--until-idle"), (frames, "--frames")):
            if value is not None:
                raise typer.BadParameter(f"{name} needs --watch.")
        return None
    from napari_defectseg.batch.watch import WatchSettings

    if len(images) != 1:
        raise typer.BadParameter(
            f"--watch takes one folder; {len(images)} paths were given. Write a pattern in quotes: "
            "'FOLDER/scan_*.tif'."
        )
    place, pattern = Path(images[0]).expanduser(), ""
    if not place.is_dir() and any(sign in place.name for sign in WILD):
        place, pattern = place.parent, place.name
    settings = WatchSettings(
        pattern, settle=settle, patience=patience, until_idle=until_idle, frames=frames
    )
    return place, settings


def watch_folder(
    work: Work,
    watched: tuple[Path, WatchSettings],
    recipe: Recipe,
    out: Path,
    settings: AnalyseSettings,
    model: Model,
) -> None:
    """Deal with frames as they arrive and report; a failed one makes the exit status 1."""
    from napari_defectseg.batch.frames import Frame
    from napari_defectseg.batch.watch import watch_steps

    kept = 0

    def told(step: Step) -> None:
        nonlocal kept
        frame = step.partial
        if not isinstance(frame, Frame):
            return
        if frame.problem:
            work.complain(frame.problem)
            return
        kept += 1
        work.kept = (
            f"{kept} finished frame{'s' * (kept != 1)} kept in {out}; the same call goes on."
        )
        work.note(_line(frame))

    folder, how = watched
    frames = work.run(watch_steps(folder, recipe, out, how, settings, model=model), told)
    good = [one for one in frames if not one.problem]
    work.result(_document(out, frames), f"{len(good)} of {len(frames)} frames into {out}")


def _line(frame: Frame) -> str:
    found = ", ".join(f"{count} {name}" for name, count in frame.objects.items())
    late = ", out of turn" if frame.late else ""
    waits = f", {frame.waiting} waiting" if frame.waiting else ""
    return f"{frame.folder}: {found}; {frame.lag:.1f} s after it was written{waits}{late}"


def _document(out: Path, frames: Sequence[Frame]) -> dict[str, Any]:
    return {
        "out": str(out),
        "frames": [
            {
                "image": one.image,
                "folder": str(out / one.folder),
                "objects": dict(one.objects),
                "fraction": dict(one.fraction),
                "lag": one.lag,
                "seconds": one.seconds,
            }
            for one in frames
            if not one.problem
        ],
        "failed": [{"image": one.image, "sentence": one.problem} for one in frames if one.problem],
    }
