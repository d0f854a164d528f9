"""What a random sample says: the page's case, coverage, and how many more looks halve it."""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.labels.audit import Audit
from napari_defectseg.measurement.audit import (
    corrected_count,
    estimate_audit,
    more_looks,
    true_objects,
)

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "audit_coverage.py"


def test_the_worked_case_800_and_200_predicted():
    """39 of 40 and 22 of 40 right: 890 ± 24.1; recall 45 of 60: 1187 ± 94."""
    total, variance = true_objects([(800, 40, 39), (200, 40, 22)])
    assert total == pytest.approx(890)
    assert variance**0.5 == pytest.approx(24.1, abs=0.05)
    count = corrected_count(1000, total, variance**0.5, 0.75, (0.75 * 0.25 / 60) ** 0.5)
    assert round(count.value) == 1187
    assert round(count.sigma) == 94
    assert count.low < 1187 < count.high


def test_the_doubtful_alone_would_mislead():
    assert true_objects([(1000, 40, 22)])[0] == pytest.approx(550)


def test_a_census_is_certain():
    assert true_objects([(10, 10, 7)]) == (7, 0)


@given(st.integers(2, 500), st.integers(2, 5000))
def test_so_many_more_looks_halve_the_width(looks, total):
    more = more_looks(looks, total)
    if looks >= total:
        assert more == 0
        return
    assert looks + more <= total
    before, after = 1 / looks - 1 / total, 1 / (looks + more) - 1 / total
    assert after <= before / 4 + 1e-9


def test_the_interval_covers_the_truth():
    """Nominal 95 %, at least 92 %; the benchmark plays 200 cases and more."""
    spec = importlib.util.spec_from_file_location("audit_coverage", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["audit_coverage"] = module
    try:
        spec.loader.exec_module(module)
        found = module.coverage(100, first=1000)
    finally:
        del sys.modules["audit_coverage"]
    assert all(share >= 0.90 for share, _ in found.values()), found


def test_nothing_judged_says_nothing():
    found = estimate_audit(Audit((), (), {}, {}))
    assert found.precision is found.recall is found.count is None
    with pytest.raises(MeasurementError, match="level"):
        estimate_audit(Audit((), (), {}, {}), level=1.0)
