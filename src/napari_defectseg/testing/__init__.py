"""Contracts of what others may add, as test classes to inherit; needs pytest.

A package that adds a reader, say, inherits its contract in a test module of its own::

    from napari_defectseg.testing import ReaderContract, Sample

    class TestOurCamera(ReaderContract):
        reader = our_package.camera

        def write(self, folder):
            ...
            return Sample(path, pixels, ("y", "x"), (0.5, 0.5), "nm")
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

_CONTRACTS = {
    "ReaderContract": "reader",
    "Sample": "reader",
    "FormatContract": "format",
    "ArchitectureContract": "architecture",
    "RuntimeContract": "runtime",
    "RuntimeSample": "runtime",
    "MeasurementContract": "measurement",
    "TrainingPlanContract": "plan",
}
__all__ = sorted(_CONTRACTS)

_MODULES = {"files", *_CONTRACTS.values()}
pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in _MODULES))


def __getattr__(name: str) -> Any:
    if name not in _CONTRACTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_CONTRACTS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
