"""The model's doubt as a range, and the audit of the page."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.statistics.doubt import (
    Stratum,
    audited_count,
    doubt_range,
    recall_of,
)

STRATA = (Stratum(800, 40, 39), Stratum(200, 40, 22))


def test_the_worked_audit():
    found = audited_count(STRATA)
    assert found.value == pytest.approx(890)
    assert (found.high - found.value) / 1.96 == pytest.approx(24.1, abs=0.05)
    with_misses = audited_count(STRATA, 45, 60)
    assert with_misses.value == pytest.approx(1187, abs=0.5)
    assert (with_misses.high - with_misses.value) / 1.96 == pytest.approx(94, abs=1)
    assert recall_of(45, 60).low == pytest.approx(0.627679, abs=1e-6)


def test_an_audit_that_estimates_nothing_is_refused():
    with pytest.raises(MeasurementError, match="estimates nothing"):
        audited_count([Stratum(10, 1, 1)])
    with pytest.raises(MeasurementError, match="no recall"):
        audited_count(STRATA, 0, 5)


def test_the_range_holds_what_the_threshold_decides():
    scores = np.zeros((30, 30))
    scores[2:6, 2:6], scores[10:14, 10:14], scores[20, 20] = 0.9, 0.4, 0.6
    found = doubt_range(scores, 0.5, min_size=2)
    assert (found.objects.value, found.objects.low, found.objects.high) == (1, 1, 2)
    assert found.fraction.low == pytest.approx(16 / 900)
    assert found.fraction.high == pytest.approx(33 / 900)
    assert "not a 95 % interval" in found.objects.basis
    roi = np.zeros((30, 30), bool)
    roi[:8] = True
    assert doubt_range(scores, roi=roi).objects.high == 1
    with pytest.raises(MeasurementError, match="no range"):
        doubt_range(scores, 0.9, span=0.2)
