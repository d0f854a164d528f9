"""Which engine is the fastest for a network here: timed once, remembered in the user's cache.

One small file for each network, size of a piece and machine. Nothing but speed depends on it:
how far an engine lies from the exact one is measured on every image anew.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import write_text
from napari_defectseg.core.errors import DeviceError, ModelError, NotSaved
from napari_defectseg.inference.agreement import usual_shape
from napari_defectseg.inference.engine import engine_for
from napari_defectseg.inference.job import Job
from napari_defectseg.inference.ways import Way

LARGEST = 1 << 16
"""Bytes; a longer file is not one of these."""
TIMES = 2
"""Passes that are timed, after one that is not."""


@dataclass(frozen=True)
class Pace:
    """How fast one engine is.

    Parameters
    ----------
    seconds : float
        For each pixel that the network sees; infinite where it does not run here.
    ready : float
        Seconds until it is ready: the network converted or compiled.
    """

    seconds: float
    ready: float = 0.0

    def total(self, pixels: int, *, made: bool = False) -> float:
        """Return the seconds of a whole run, of one that is ready already if `made`."""
        return pixels * self.seconds + (0.0 if made else self.ready)


@dataclass(frozen=True)
class Trial:
    """What is known of a network on this machine.

    Parameters
    ----------
    paces : mapping of str to Pace
        By the name of a way.
    """

    paces: Mapping[str, Pace] = field(default_factory=dict)

    def __contains__(self, way: Way) -> bool:
        return way.name in self.paces

    def with_pace(self, way: Way, pace: Pace) -> Trial:
        """Return it with one more; a form that several ways share was made by the first alone."""
        kin = (p.ready for name, p in self.paces.items() if name.startswith(f"{way.runtime}-"))
        whole = replace(pace, ready=max(pace.ready, *kin, 0.0))
        return Trial({**self.paces, way.name: whole})

    def total(self, way: Way, job: Job) -> float:
        """Return the seconds that a job takes by a way that is known."""
        return self.paces[way.name].total(pixels_of(job), made=is_made(job.by(way)))

    def sorted(self, ways: tuple[Way, ...], job: Job) -> list[Way]:
        """Return those of the ways that are known, the fastest for a job first."""
        return sorted((way for way in ways if way in self), key=lambda way: self.total(way, job))


def pixels_of(job: Job) -> int:
    """Return what one device computes in all, in pixels."""
    return job.layout.count * job.plan.work * max(1, len(job.turns)) // len(job.device_names)


def is_made(job: Job) -> bool:
    """Whether the network is converted or compiled already for the way of a job."""
    from napari_defectseg.models.model import TorchModel

    forms = {"openvino": "openvino", "compiled": f"{job.way.name} {job.device.name}"}
    form = forms.get(job.way.runtime)
    return form is None or (isinstance(job.model, TorchModel) and job.model.has_form(form))


def remembered(job: Job) -> tuple[Trial, str]:
    """Return what is known of a network here, and what was wrong with the file of it.

    Returns
    -------
    Trial
    str
        A sentence where a file was there and could not be used, else empty.
    """
    path = _file(job)
    if not path.is_file():
        return Trial(), ""
    try:
        return Trial(_read(path)), ""
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Trial(), (
            f"What was remembered of this model's speed could not be read ({path.name}: "
            f"{reason}); it was measured again."
        )


def timed(job: Job, way: Way) -> Pace:
    """Time a way on a piece of noise, on one device and as it lies."""
    job = replace(job, turns=(), others=())
    shape = usual_shape(job)
    if job.model.card.windows is not None:
        shape = tuple(shape[axis] for axis in job.model.card.windows.axes)
    block = np.random.default_rng(0).standard_normal(
        (job.model.card.in_channels, *shape), np.float32
    )
    with suppress(ModelError, DeviceError):  # a way that does not run here is remembered as such
        return _time(job.by(way), block)
    return Pace(math.inf)


def remember(job: Job, trial: Trial) -> None:
    """Write what was found; a cache that cannot be written is no failure of the prediction."""
    paces = {
        name: [pace.seconds if math.isfinite(pace.seconds) else None, pace.ready]
        for name, pace in trial.paces.items()
    }
    text = json.dumps({"for": _key(job), "seconds": paces}, indent=1)
    with suppress(NotSaved):
        write_text(_file(job), text + "\n")


def _time(job: Job, block: np.ndarray[Any, Any]) -> Pace:
    began = time.perf_counter()
    with engine_for(job, kept=job.budget if job.keeps else 0) as engine:
        engine.run(block)
        first = time.perf_counter() - began
        times = []
        for _ in range(TIMES):
            began = time.perf_counter()
            engine.run(block)
            times.append(time.perf_counter() - began)
    best = min(times)
    return Pace(best / block[0].size, max(0.0, first - best))


def _read(path: Path) -> dict[str, Pace]:
    """Return the paces in a file.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is not what `remember` wrote.
    """
    if path.stat().st_size > LARGEST:
        raise ValueError(f"it has {path.stat().st_size} bytes")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    found = values.get("seconds") if isinstance(values, dict) else None
    if not isinstance(found, dict):
        raise ValueError("it names no seconds")
    return {name: _pace(name, value) for name, value in found.items()}


def _pace(name: str, value: Any) -> Pace:
    if isinstance(value, list) and len(value) == 2:
        seconds, ready = (math.inf if value[0] is None else value[0]), value[1]
        numbers = all(isinstance(one, float) and one >= 0 for one in (seconds, ready))
        if numbers and seconds > 0 and math.isfinite(ready):
            return Pace(seconds, ready)
    raise ValueError(f"{name} takes {value!r} seconds")


def _file(job: Job) -> Path:
    from platformdirs import user_cache_path

    name = hashlib.sha256(json.dumps(_key(job), sort_keys=True).encode()).hexdigest()
    return user_cache_path("napari-defectseg", appauthor=False) / "engines" / f"{name}.json"


def _key(job: Job) -> dict[str, Any]:
    """Return what the times belong to: network, size of the piece, machine and its libraries."""
    import torch

    return {
        "model": job.model.sha256,
        "network": job.model.card.architecture,
        "piece": list(usual_shape(job)),
        "device": job.device.name,
        "machine": [platform.machine(), _processor(), job.device.title],
        "threads": job.settings.threads or torch.get_num_threads(),
        "versions": {name: _version(name) for name in ("torch", "openvino", "onnxruntime")},
    }


def _processor() -> str:
    """Return the name of the processor."""
    import torch

    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return str(known.get("cpu_name") or platform.processor())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
