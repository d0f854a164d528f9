"""The page of accuracy: made from the benchmark, nothing missed, nothing left out."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "accuracy.md"
CELLS = re.compile(
    r"\| (?P<case>[^|]+) \| `(?P<name>[^`]+)` \| (?P<bias>[^ ]+) \| (?P<scatter>[^ ]+) "
)


@pytest.fixture(scope="module")
def figures() -> dict[tuple[str, str], tuple[float, float]]:
    rows = CELLS.finditer(PAGE.read_text(encoding="utf-8"))
    return {(m["case"], m["name"]): (float(m["bias"]), float(m["scatter"])) for m in rows}


def test_no_limit_is_missed(figures) -> None:
    assert len(figures) > 100
    assert "missed" not in PAGE.read_text(encoding="utf-8")


def test_what_was_promised_at_a_radius_of_five(figures) -> None:
    bias, scatter = figures["ball r = 5", "area"]
    assert abs(bias) <= 0.3
    assert scatter <= 1
    for case in ("ball r = 5", "ellipsoid 5, 5, 10", "ellipsoid 10, 10, 5", "ellipsoid 15, 10, 5"):
        assert abs(figures[case, "surface_area"][0]) <= 1.5
    assert figures["ellipse a/b = 2, b = 5", "orientation"][1] <= 1
    assert figures["ellipsoid a/b = 2, b = 5", "direction"][1] <= 1
    assert abs(figures["porosity of balls of 4 to 7 σ", "diameter_deblurred"][0]) <= 10


@pytest.mark.long
def test_the_page_is_what_the_benchmark_measures() -> None:
    """A shorter run of it misses no limit by more than its smaller numbers explain."""
    made = runpy.run_path(str(ROOT / "benchmarks" / "accuracy.py"))
    made["balls"].__globals__["PLACEMENTS"] = 100
    for row in (*made["balls"](), *made["directions"]()):
        assert row.limit is None or abs(row.bias) <= row.limit + 0.3, row
        assert row.most is None or row.scatter <= row.most + 0.3, row
