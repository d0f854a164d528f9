"""Fractions, densities and sizes, with the intervals that can be stood for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.units import Quantity
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.measurement.intervals import garwood
from napari_defectseg.measurement.populations import summarise
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.settings import MeasureSettings


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.6889), (1, 0.02532, 5.5716), (5, 1.6235, 11.6683), (10, 4.7954, 18.3904),
     (100, 81.3640, 121.6268), (120, 99.4919, 143.4906)],
)  # fmt: skip
def test_garwood(count, low, high):
    assert garwood(count) == pytest.approx((low, high), abs=5e-5)


def voids(count: int) -> np.ndarray:
    """Count single-pixel voids in 100 × 100 pixels."""
    mask = np.zeros((100, 100), np.uint8)
    rows, columns = np.divmod(np.arange(count), 30)
    mask[1 + 3 * rows, 1 + 3 * columns] = 1
    return mask


def test_the_worked_foil():
    table = measure_regions(voids(120), classes=ClassMap.of(["void"]), spacing=10, unit="nm")
    numbers = summarise(table, thickness=Quantity(85, "nm", 10))["void"]
    density = numbers["number_density_foil"]
    assert density.value == pytest.approx(1.41176e21, rel=1e-5)
    assert density.unit == "m⁻³"
    assert density.low == pytest.approx(1.41176e21 * 99.4919 / 120, rel=1e-5)
    assert numbers["number_density"].value == pytest.approx(120.0)
    assert numbers["number_density"].unit == "µm⁻²"
    assert numbers["fraction"].value == pytest.approx(0.012)
    assert numbers["mean_equivalent_diameter"].value == pytest.approx(20 / np.sqrt(np.pi))
    assert numbers["std_equivalent_diameter"].value == pytest.approx(0, abs=1e-12)


def test_per_foil_volume_only_where_a_thickness_is_given():
    table = measure_regions(voids(3), spacing=10, unit="nm")
    assert "number_density_foil" not in summarise(table)["object"]


def test_no_objects_give_density_0_with_an_upper_limit_and_no_size():
    table = measure_regions(voids(0), classes=ClassMap.of(["void"]), spacing=10, unit="nm")
    numbers = summarise(table)["void"]
    assert numbers["objects"].value == 0
    assert numbers["number_density"].value == 0
    assert numbers["number_density"].high == pytest.approx(3.6889, abs=1e-4)
    assert numbers["fraction"].value == 0
    assert numbers["mean_equivalent_diameter"].value is None
    assert "no objects" in numbers["mean_equivalent_diameter"].reason


def test_nothing_counted_is_undefined_and_not_0():
    space = ReferenceSpace((100, 100), roi=np.zeros((100, 100), bool))
    numbers = summarise(measure_regions(voids(3), space=space))["object"]
    assert numbers["fraction"].value is None
    assert numbers["number_density"].value is None
    assert numbers["number_density"].reason


def test_volumes_have_number_per_volume():
    mask = np.zeros((20, 20, 20), bool)
    mask[5:8, 5:8, 5:8] = True
    numbers = summarise(measure_regions(mask, spacing=(2, 1, 1), unit="µm"))["object"]
    assert numbers["number_density"].unit == "mm⁻³"
    assert numbers["number_density"].value == pytest.approx(1 / (8000 * 2e-9))
    assert numbers["fraction"].value == pytest.approx(27 / 8000)


def test_pixels_have_density_per_pixel():
    numbers = summarise(measure_regions(voids(5)))["object"]
    assert numbers["number_density"].value == 5e-4
    assert numbers["number_density"].unit == "px⁻²"


def test_the_denominator_is_the_region_of_interest():
    roi = np.zeros((100, 100), bool)
    roi[:50] = True
    exclude = np.zeros((100, 100), bool)
    exclude[:10] = True
    space = ReferenceSpace((100, 100), roi, exclude)
    mask = np.zeros((100, 100), np.uint8)
    mask[20:30, 20:30] = 1
    mask[60:70, 20:30] = 1
    summary = summarise(measure_regions(mask, space=space, spacing=1, unit="nm"))
    assert summary["object"]["fraction"].value == pytest.approx(100 / 4000)
    assert summary.region["pixels"] == 4000
    assert summary.region["excluded_pixels"] == 6000
    assert summary.region["size"] == {"value": 4000.0, "unit": "nm²"}


def test_objects_left_out_at_the_border_stay_in_the_fraction():
    mask = voids(4)
    mask[90:, 90:] = 1
    left_out = measure_regions(mask, settings=MeasureSettings(border="exclude"))
    numbers = summarise(left_out)["object"]
    assert numbers["objects"].value == 4
    assert numbers["pixels"].value == 104
    assert any("left out" in note for note in summarise(left_out).warnings)
    assert any("touch the border" in note for note in summarise(measure_regions(mask)).warnings)


def test_a_movie_is_counted_over_its_frames():
    movie = np.stack([voids(2), voids(4)])
    summary = summarise(measure_regions(movie > 0, spacing=(1, 1), unit="µm"))
    assert summary["object"]["objects"].value == 6
    assert summary["object"]["number_density"].value == pytest.approx(6 / 0.02)
    assert any("frame" in note for note in summary.warnings)


def test_the_summary_is_plain_json_with_value_unit_low_high():
    table = measure_regions(voids(0), classes=ClassMap.of(["void"]), spacing=10, unit="nm")
    plain = json.loads(json.dumps(summarise(table).as_dict(), allow_nan=False))
    assert set(plain) == {"classes", "region", "warnings"}
    for quantity in plain["classes"]["void"].values():
        assert {"value", "unit", "low", "high"} <= set(quantity)
    assert any("no interval" in note for note in plain["warnings"])


def test_what_cannot_be_summarised_is_said(tmp_path):
    table = measure_regions(voids(2), spacing=10, unit="nm")
    read = type(table).read_csv(table.write_csv(tmp_path / "t.csv"))
    with pytest.raises(MeasurementError, match="what was counted"):
        summarise(read)
    with pytest.raises(MeasurementError, match="positive length"):
        summarise(table, thickness=Quantity(0, "nm"))
    with pytest.raises(MeasurementError, match="pixel size"):
        summarise(measure_regions(voids(2)), thickness=Quantity(80, "nm"))
    volume = measure_regions(np.ones((2, 2, 2), np.int32), spacing=1, unit="nm")
    with pytest.raises(MeasurementError, match="volume"):
        summarise(volume, thickness=Quantity(80, "nm"))
