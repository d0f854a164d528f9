"""What a worker process may take."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_defectseg.core.machine import machine_memory

LIBRARIES = 4 << 30
"""Bytes of address space that the frameworks take before they compute anything."""


def _memory() -> int:
    return machine_memory() * 3 // 4 + LIBRARIES


@dataclass(frozen=True)
class Limits:
    """What a worker process may take.

    Parameters
    ----------
    memory : int
        Bytes of address space.
    load_seconds : float
        For the framework and the file.
    pass_seconds : float
        For one tile.
    reply : int
        Bytes of what it gives for one tile.
    """

    memory: int = field(default_factory=_memory)
    load_seconds: float = 180.0
    pass_seconds: float = 900.0
    reply: int = 1 << 30
