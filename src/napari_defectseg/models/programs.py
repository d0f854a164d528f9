"""The model of a program that a person trusts: its card, and what its process loads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.models.architecture import Shapes
from napari_defectseg.models.arraymodel import ArrayModel, Program, Started
from napari_defectseg.models.card import ModelCard, Source
from napari_defectseg.models.guess import ASKED, meaning_of
from napari_defectseg.models.probe import Hint, Probed, probe
from napari_defectseg.models.trust.record import TrustRecord, remember_facts
from napari_defectseg.models.worker.start import start_worker

TRUSTED = "A program that you trusted ({}); it runs in a process of its own."
READ = ("architecture", "dims", "in_channels", "grid", "parameters", "tile", "name", "quirks")
MEASURED = "How far it looks around a pixel was measured on noise, not read: {}."


@dataclass(frozen=True)
class Told:
    """What the file of a program tells without being run.

    Parameters
    ----------
    path : Path
        Where it was opened from.
    format : str
    shapes : mapping of str to tuple of int
        Of its weights, as far as they can be read.
    names : tuple of str
        Of the classes, where the file states them.
    sizes : tuple of int or None
        Of its input ``(n, c, *spatial)``, None for a free one; empty: not told.
    """

    path: Path
    format: str
    shapes: Shapes
    names: tuple[str, ...] = ()
    sizes: tuple[int | None, ...] = ()

    def hint(self) -> Hint:
        """Return axes, channels and size, from the input or else from the first filter."""
        if len(self.sizes) in (4, 5) and self.sizes[1]:
            spatial = self.sizes[2:]
            fixed = tuple(n for n in spatial if n is not None)
            tile = fixed if len(fixed) == len(spatial) else None
            return Hint(len(spatial), self.sizes[1], tile)
        filters = [shape for shape in self.shapes.values() if len(shape) in (4, 5)]
        return Hint(len(filters[0]) - 2, filters[0][1]) if filters else Hint(2, 1)


def trusted_model(record: TrustRecord, told: Told, card: ModelCard | None = None) -> ArrayModel:
    """Return the model; where it has not run here yet it runs on noise, in its process.

    Parameters
    ----------
    record : TrustRecord
    told : Told
    card : ModelCard, optional
        Instead of one that is made here.

    Raises
    ------
    ModelError
        If it cannot be loaded or run, or what it gives is no picture of the same size.
    """
    known = Probed.from_dict(record.facts) if record.facts else None
    started = Started()
    program = Program(
        record.runtime, record.file, {record.file.name: record.sha256}, name=record.name
    )
    if known is None and card is None:
        runner = start_worker(program, 1)
        known = probe(runner, told.hint(), str(told.path))
        started.runner, started.threads = runner, 1
        remember_facts(record, known.as_dict())
    if card is None:
        assert known is not None
        card = _card(record, known, told)
    return ArrayModel(
        card,
        program,
        path=str(told.path),
        format=told.format,
        sha256=record.sha256,
        files=(told.path.name,),
        trust="program",
        started=started,
    )


def _card(record: TrustRecord, known: Probed, told: Told) -> ModelCard:
    notes = [TRUSTED.format(record.what.removeprefix("a "))]
    if known.tile is None:
        reach = "the whole image" if known.halo is None else f"{known.halo} px"
        notes.append(MEASURED.format(reach))
    meaning, said = _meaning(known, told.names)
    sources: dict[str, Source] = {**dict.fromkeys(READ, "file"), **said, "halo": "guess"}
    return ModelCard.of(
        {
            "name": told.path.name.split(".")[0] or told.path.name,
            "architecture": record.runtime,
            "dims": known.dims,
            "in_channels": known.in_channels,
            "grid": known.grid,
            "halo": known.halo,
            "tile": known.tile,
            "parameters": sum(math.prod(shape) for shape in told.shapes.values()),
            "quirks": tuple(notes),
            **meaning,
            "sources": sources,
            "missing": tuple(n for n in ASKED if sources.get(n, "guess") == "guess"),
        },
        str(told.path),
    )


def _meaning(known: Probed, names: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Source]]:
    """Return classes, task and activation; an activation inside the program is seen in it."""
    several = known.activation == "sigmoid" and known.outputs > 1
    inside: dict[str, Any] = {} if known.activation == "none" else {"activation": "none"}
    seen: dict[str, Source] = dict.fromkeys(("task", "activation", "has_background"), "guess")
    if inside:
        seen |= {"task": "file", "activation": "file"}
    found = meaning_of(known.outputs, names, multilabel=several) if names else None
    if found is not None:
        return {**found, **inside}, {**seen, "classes": "file"}
    count = known.outputs if several else max(1, known.outputs - 1)
    plain = ("defect",) if count == 1 else tuple(f"class {i + 1}" for i in range(count))
    guessed = meaning_of(known.outputs, plain, multilabel=several) or {
        "classes": ClassMap.of(list(plain))
    }
    return {**guessed, **inside}, {**seen, "classes": "guess"}
