"""What the manifest names: each command, reader, writer and sample is a function here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_defectseg.datasets.catalogue import sample as sample_of
from napari_defectseg.ui.commands import COMMANDS
from napari_defectseg.ui.reading import image_reader, model_reader
from napari_defectseg.ui.sampling import sample_layers
from napari_defectseg.ui.writing import write_image, write_labels

__all__ = ["image_reader", "model_reader", "write_image", "write_labels"]


def run(name: str) -> None:
    """Do a command of `ui.commands` in the current viewer, opening the workbench if need be."""
    from napari import current_viewer

    from napari_defectseg.ui.keys import keys_of
    from napari_defectseg.ui.workbench import open_workbench

    viewer = current_viewer()
    bench = open_workbench(viewer) if viewer is not None else None
    if bench is None:
        return
    if COMMANDS[name].dock:
        bench.bring(COMMANDS[name].dock)
    keys_of(viewer).run(name)


def _command(name: str) -> Callable[[], None]:
    def command() -> None:
        run(name)

    command.__doc__ = COMMANDS[name].words
    return command


def _sample(name: str) -> Callable[[], list[Any]]:
    def open_sample() -> list[Any]:
        return sample_layers(name)

    open_sample.__doc__ = sample_of(name).title
    return open_sample


def __getattr__(attribute: str) -> Any:
    """Return ``do_<command>`` or ``sample_<name>``, the functions that the manifest names."""
    kind, _, name = attribute.partition("_")
    if kind == "do" and name in COMMANDS:
        return _command(name)
    if kind == "sample":
        return _sample(name.replace("_", "-"))
    raise AttributeError(attribute)
