from __future__ import annotations

import math
from types import ModuleType

import pytest

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.registry import Registry


def test_things_are_loaded_on_first_use() -> None:
    table: Registry[float] = Registry("constant", {"pi": "math:pi", "broken": "no.such.module:x"})
    assert table.names() == ("pi", "broken")
    assert table.get("pi") == math.pi
    with pytest.raises(DefectSegError, match="constant 'broken' cannot be loaded"):
        table.get("broken")


def test_a_module_itself_can_be_registered() -> None:
    table: Registry[ModuleType] = Registry("module", {"m": "math"})
    assert dict(table.items())["m"] is math


def test_an_unknown_name_is_told_with_those_that_are_known() -> None:
    with pytest.raises(DefectSegError, match="Known: pi"):
        Registry("constant", {"pi": "math:pi"}).get("tau")


def test_adding_can_be_undone_and_never_replaces() -> None:
    table: Registry[float] = Registry("constant", {"pi": "math:pi"})
    undo = table.add("tau", "math:tau")
    assert table.get("tau") == math.tau
    with pytest.raises(DefectSegError, match="already"):
        table.add("tau", "math:e")
    undo()
    assert table.names() == ("pi",)
