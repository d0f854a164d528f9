"""Our own measurements keep the contract that strangers' measurements must keep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_defectseg.measurement.columns.measurement import MEASUREMENTS, Measurement
from napari_defectseg.testing import MeasurementContract


@pytest.mark.parametrize("name", MEASUREMENTS.names())
class TestOurs(MeasurementContract):
    @pytest.fixture(autouse=True)
    def _choose(self, name):
        self.measurement = MEASUREMENTS.get(name)


AREA = MEASUREMENTS.get("area")
SHARE = Measurement("share", "none", "Area over that of all.", lambda o: o.count / o.count.sum())


def contract(measurement: Measurement) -> MeasurementContract:
    made = MeasurementContract()
    made.measurement = measurement
    return made


def test_a_wrong_unit_is_found():
    with pytest.raises(AssertionError):
        contract(replace(AREA, kind="length")).test_it_grows_with_the_pixel_size_as_its_unit_says()


def test_a_measurement_that_is_not_local_is_found():
    with pytest.raises(AssertionError):
        contract(SHARE).test_a_local_one_looks_at_one_object_alone()
    contract(replace(SHARE, local=False)).test_a_local_one_looks_at_one_object_alone()


def test_trouble_with_no_objects_is_found():
    least = Measurement("least", "none", "Fewest pixels.", lambda o: np.full(5, o.count.min()))
    with pytest.raises((AssertionError, ValueError)):
        contract(least).test_no_objects_are_no_trouble()
