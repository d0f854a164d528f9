"""Fractions, densities and sizes, with the intervals that can be stood for."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.units import Quantity
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.measurement.foil import Foil
from napari_defectseg.measurement.intervals import garwood
from napari_defectseg.measurement.populations import summarise
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.measurement.table import RegionTable


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
    corrected = numbers["number_density_foil_corrected"]
    assert corrected.value == pytest.approx(120 / (1e6 * (85 + 20 / np.sqrt(np.pi))) * 1e27)
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
    assert any("objects as units" in note for note in plain["warnings"])


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


def discs(seed: int, side: int = 200, pitch: int = 25) -> np.ndarray:
    """Return numbered discs of diameter 6 or 18 on a shaken lattice, cut by the window's edges."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((side, side), np.int32)
    starts = np.arange(-pitch, side + pitch, pitch) + rng.uniform(0, pitch)
    for number, (row, column) in enumerate(itertools.product(starts, starts), start=1):
        d = rng.choice([6.0, 18.0])
        centre = np.array([row, column]) + rng.uniform(-3, 3, 2)
        low = np.maximum(centre - d / 2, 0).astype(int)
        high = np.minimum(np.ceil(centre + d / 2).astype(int) + 1, side)
        if (low < high).all():
            y, x = np.ogrid[low[0] : high[0], low[1] : high[1]]
            inside = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= d**2 / 4
            labels[low[0] : high[0], low[1] : high[1]][inside] = number
    return labels


@pytest.mark.parametrize("border", ["frame", "weight"])
def test_border_rules_without_bias_on_masks(border):
    """50 seeds, 3,200 discs: number density and mean diameter within 1.5 % of the truth."""
    settings = MeasureSettings(border=border)
    tables = [measure_regions(discs(seed), settings=settings) for seed in range(50)]
    whole = [measure_regions(discs(seed)) for seed in range(50)]
    numbers = summarise(RegionTable.stack(tables))["object"]
    naive = summarise(RegionTable.stack(whole))["object"]
    density = numbers["number_density"]
    assert density.value == pytest.approx(1 / 625, rel=0.015)
    assert density.low < 1 / 625 < density.high
    assert naive["number_density"].value > 1.1 / 625
    assert numbers["mean_equivalent_diameter"].value == pytest.approx(12, rel=0.015)
    assert naive["mean_equivalent_diameter"].value != pytest.approx(12, rel=0.015)
    assert naive["fraction"].value == pytest.approx(numbers["fraction"].value)


def test_the_weights_of_three_boxes_by_way_of_a_mask():
    """The page's case: window 100 × 80, one pixel more here because the edge is not inside."""
    labels = np.zeros((101, 81), np.int32)
    labels[1:11, 1:11], labels[20:40, 40:70], labels[41:100, 1:2] = 1, 2, 3
    labels[41:101, 1:41] = 0
    labels[40:100, 1:41] = 3
    table = measure_regions(labels, spacing=1, unit="nm", settings=MeasureSettings(border="weight"))
    found = summarise(table)["object"]["number_density"]
    assert found.value == pytest.approx(1.0337302e-3 * 1e6)


def test_the_frame_needs_a_rectangle_and_takes_a_rectangular_region():
    roi = np.zeros((40, 40), bool)
    roi[5:35, 10:40] = True
    labels = np.zeros((40, 40), np.int32)
    labels[5:8, 20:24], labels[20:24, 37:40], labels[15:18, 12:15] = 1, 2, 3
    settings = MeasureSettings(border="frame")
    table = measure_regions(labels, space=ReferenceSpace((40, 40), roi=roi), settings=settings)
    assert table["label"].tolist() == [2, 3]
    assert table.region.window == (30, 30)
    assert summarise(table)["object"]["number_density"].value == pytest.approx(2 / 29**2)
    roi[20, 20] = False
    with pytest.raises(MeasurementError, match="rectangular region"):
        measure_regions(labels, space=ReferenceSpace((40, 40), roi=roi), settings=settings)


def test_a_mean_size_is_refused_where_objects_are_as_wide_as_the_window():
    labels = np.zeros((40, 40), np.int32)
    labels[20, :] = 1
    labels[5:8, 5:8] = 2
    table = measure_regions(labels, settings=MeasureSettings(border="weight"))
    numbers = summarise(table)["object"]
    assert numbers["mean_equivalent_diameter"].value is None
    assert "as wide as the window" in numbers["mean_equivalent_diameter"].reason
    assert numbers["number_density"].value == pytest.approx(1 / 36**2)


def test_fields_are_the_units_of_a_stacked_table():
    counts = (12, 7, 19, 9, 14, 5, 21, 11)
    tables = [measure_regions(voids(n), spacing=10, unit="nm") for n in counts]
    stacked = RegionTable.stack(tables)
    numbers = summarise(stacked)["object"]
    density = numbers["number_density"]
    assert density.value == pytest.approx(12.25)
    assert (density.low, density.high) == pytest.approx((7.5899, 16.9101), abs=1e-4)
    assert numbers["dispersion_index"].value == pytest.approx(2.5364, abs=1e-4)
    assert numbers["dispersion_p"].value == pytest.approx(0.0132, abs=1e-4)
    assert numbers["objects"].low == pytest.approx(8 * 7.5899, abs=1e-3)
    assert "8 fields" in density.basis
    assert numbers["fraction"].low < numbers["fraction"].value < numbers["fraction"].high
    # A choice of rows keeps its fields, and a stack of stacks too.
    few = stacked.where(stacked["centroid-0"] < 1e3)
    assert summarise(few)["object"]["number_density"] == density
    again = RegionTable.stack([RegionTable.stack(tables[:3]), RegionTable.stack(tables[3:])])
    assert summarise(again)["object"]["number_density"] == density


def test_few_fields_are_said():
    tables = [measure_regions(voids(n)) for n in (3, 5)]
    assert any("few" in note for note in summarise(RegionTable.stack(tables)).warnings)


def test_a_foil_gives_swelling_sinks_and_fraction():
    side, t = 200, 80.0
    labels = np.zeros((side, side), np.int32)
    y, x = np.ogrid[:side, :side]
    for number, (row, column) in enumerate([(30, 30), (30, 100), (120, 60)], start=1):
        labels[(y - row) ** 2 + (x - column) ** 2 <= 100.3] = number
    table = measure_regions(labels, spacing=1, unit="nm")
    d = table["equivalent_diameter_area"]
    foil = Foil(Quantity(t, "nm", 8), visible=0.5)
    summary = summarise(table, foil=foil)
    numbers = summary["object"]
    n_v = (1 / (t + d)).sum() / side**2 / 0.5
    assert numbers["number_density_foil_corrected"].value == pytest.approx(n_v * 1e27)
    f = (np.pi / 6 * d**3 / (t + d)).sum() / side**2 / 0.5
    assert numbers["swelling"].value == pytest.approx(f / (1 - f))
    edge = numbers["swelling_edge_range"]
    assert edge.low < edge.value < edge.high
    assert (edge.high / edge.value) == pytest.approx(1 + 3 / d[0], rel=0.02)
    assert numbers["sink_strength_voids"].value == pytest.approx(
        4 * np.pi * (d / 2 / (t + d)).sum() / side**2 / 0.5 * 1e18
    )
    area = numbers["fraction"].value
    d32 = d[0]
    expected = -np.log(1 - area) * 2 * d32 / (2 * d32 + 3 * t)
    assert numbers["volume_fraction_foil"].value == pytest.approx(expected)
    assert summary.as_dict()["systematic"]["thickness"]["relative_sigma"] == pytest.approx(0.1)
    assert any("visible share" in note for note in summary.warnings)


def test_a_lost_zone_takes_depth_away():
    table = measure_regions(voids(120), spacing=10, unit="nm")
    numbers = summarise(table, foil=Foil(Quantity(85, "nm"), zone=Quantity(5, "nm")))["object"]
    found = numbers["number_density_foil_corrected"].value
    assert found == pytest.approx(120 / (1e6 * 75) * 1e27)
    with pytest.raises(MeasurementError, match="visible share"):
        summarise(table, foil=Foil(Quantity(85, "nm"), visible=0))


def test_spheres_on_a_lattice_swell_as_the_page_says():
    z, y, x = np.ogrid[:40, :40, :40]
    # Off the grid: a ball of whole radius in the middle of pixels is several per cent too large.
    middles = (9.37, 9.81, 9.62)
    mask = sum(((g % 20) - m) ** 2 for g, m in zip((z, y, x), middles, strict=True)) <= 25
    numbers = summarise(measure_regions(mask, spacing=1, unit="nm"))["object"]
    assert numbers["fraction"].value == pytest.approx(0.0654498, rel=0.02)
    assert numbers["swelling"].value == pytest.approx(0.0700335, rel=0.02)
    assert numbers["number_density"].value == pytest.approx(1.25e-4 * 1e9)


def test_details_are_left_out_where_not_asked():
    table = measure_regions(voids(9))
    assert "d43" in summarise(table)["object"]
    assert "d43" not in summarise(table, details=False)["object"]


def test_fields_without_a_counted_pixel_are_undefined_and_not_an_error():
    space = ReferenceSpace((100, 100), roi=np.zeros((100, 100), bool))
    nothing = [measure_regions(voids(3), space=space) for _ in range(2)]
    assert summarise(RegionTable.stack(nothing))["object"]["number_density"].value is None
    one = RegionTable.stack([nothing[0], measure_regions(voids(3))])
    numbers = summarise(one)["object"]
    assert numbers["number_density"].value == pytest.approx(3 / 1e4)
    assert "dispersion_index" not in numbers


def test_weights_count_over_the_frames_of_a_movie():
    movie = np.stack([voids(2), voids(4)]) > 0
    settings = MeasureSettings(border="weight")
    table = measure_regions(movie, spacing=(1, 1), unit="µm", settings=settings)
    found = summarise(table)["object"]["number_density"]
    assert found.value == pytest.approx(6 / (2 * 98**2) * 1e6)
