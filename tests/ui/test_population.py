"""Objects of a collection or a specimen counted together; this image's keep their numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scene import COUNT, micrograph

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.images.collection import Collection, Field
from napari_defectseg.measurement.populations import summarise
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.ui import population
from napari_defectseg.ui.docks.statistics import StatisticsDock
from napari_defectseg.ui.population import Measured, Population, choices_of
from napari_defectseg.ui.session import session_of


def measured(name: str, specimen: str, *, calibrated: bool = True) -> Measured:
    image, labels = micrograph(calibrated)
    image = replace(image, name=name, data=image.data.copy())
    return Measured(name, specimen, measure_regions(labels, image=image), image)


def test_densities_are_those_of_all_the_area_together():
    ones = [measured(name, "A") for name in ("a1", "a2", "a3")]
    whole = Population.of_many(ones, ones[0].image)
    assert whole.images == 3
    assert len(whole.table) == 3 * COUNT
    both = summarise(whole.table)["void"]["number_density"]
    one = summarise(ones[0].table)["void"]["number_density"]
    assert both.value == pytest.approx(one.value)
    assert both.high - both.low < one.high - one.low


def test_ids_tell_this_image_s_objects_from_the_others():
    here, other = measured("here", "A"), measured("other", "B")
    whole = Population.of_many([other, here], here.image)
    assert len(set(whole.ids.tolist())) == 2 * COUNT
    assert set(whole.ids[whole.ids > 0].tolist()) == set(range(1, COUNT + 1))
    place = whole.place(int(whole.ids[0]))
    assert place == (other, 1)
    assert whole.place(3) is None


def test_sizes_in_px_and_nm_are_refused_together():
    with pytest.raises(MeasurementError, match="px"):
        Population.of_many([measured("a", ""), measured("b", "", calibrated=False)], None)


def test_only_what_can_be_counted_is_offered():
    one = measured("a", "A")
    assert [kind for _, kind in choices_of([one], frames=False)] == ["image", "selected"]
    assert [kind for _, kind in choices_of([one], frames=True)] == ["image", "frame", "selected"]
    found = dict(choices_of([one, measured("b", "B")], frames=False))
    assert found["collection: 2 images"] == population.COLLECTION
    assert found["B: 1 image"] == "specimen:B"


def test_the_dock_counts_a_specimen_and_goes_to_the_other_image(viewer_model, qtbot):
    page = StatisticsDock(viewer_model)
    qtbot.addWidget(page)
    session = session_of(viewer_model)
    entries = []
    for name, specimen in (("a1", "A"), ("a2", "A"), ("b1", "B")):
        image, labels = micrograph()
        session.image = replace(image, name=name, data=image.data.copy())
        session.labels = labels
        qtbot.waitUntil(lambda: session.table is not None, timeout=5000)
        entries.append(Field("", name, specimen, shape=image.shape))
    session.collection = Collection(tuple(entries))
    page.refresh()
    page.boxes.choose("collection")
    assert page.table.regions.rowCount() == 3 * COUNT
    assert "3 fields" in page.card.note.text()
    assert page.table.shown_columns[0] == "image"
    page.boxes.choose("specimen:A")
    assert page.table.regions.rowCount() == 2 * COUNT
    session.select([2])
    assert page.table.selected_labels() == frozenset(), "b1's object 2 is not of this specimen"
    row = page.table.regions.rows_of([int(page._counted.ids[4])])[0]
    name = page._counted.place(int(page._counted.ids[4]))[0].name
    page.table.selectRow(row)
    qtbot.waitUntil(lambda: session.image.name == name, timeout=5000)
    assert session.selection == {5}
    qtbot.waitUntil(lambda: session.table is not None, timeout=5000)
    np.testing.assert_array_equal(session.table["label"], np.arange(1, COUNT + 1))
    page.release()
    session.close()


def test_a_collection_of_different_units_is_a_sentence(viewer_model, qtbot):
    page = StatisticsDock(viewer_model)
    qtbot.addWidget(page)
    session = session_of(viewer_model)
    for calibrated in (True, False):
        image, labels = micrograph(calibrated)
        session.image = replace(image, name=str(calibrated))
        session.labels = labels
        qtbot.waitUntil(lambda: session.table is not None, timeout=5000)
    page.boxes.choose("collection")
    assert "px" in page.messages.strip("count").sentence
    page.boxes.choose("image")
    assert page.messages.strip("count") is None
    assert Calibration.uncalibrated(2) == session.image.calibration
    page.release()
    session.close()
