"""The Review dock: the same keys go through queue, differences and the random sample."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication
from scene import CLASSES, COUNT, micrograph

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.relabel import relabel
from napari_defectseg.review.verdicts import verdicts_of
from napari_defectseg.ui.docks.review import ReviewDock
from napari_defectseg.ui.keys import keys_of
from napari_defectseg.ui.session import session_of


@pytest.fixture
def dock(viewer_model: ViewerModel, qtbot):
    made = ReviewDock(viewer_model)
    qtbot.addWidget(made)
    session = session_of(viewer_model)
    session.image, session.labels = micrograph()
    made.show()
    qtbot.waitUntil(lambda: bool(made.reviewer.queue.doubts), timeout=20_000)
    yield made
    made.release()


def layer_of(dock):
    return dock.hand.stage.labels_layers[0]


def test_without_labels_one_sentence_says_what_to_do(viewer_model, qtbot):
    made = ReviewDock(viewer_model)
    qtbot.addWidget(made)
    assert made.is_empty
    assert not made.footer.primary.isEnabled()
    made.release()


def test_the_queue_is_gone_through_with_one_hand(dock):
    keys, labels = keys_of(dock.viewer), dock.session.labels
    dock.footer.primary.click()
    first = dock.reviewer.at
    assert dock.session.selection == {first}
    card = dock.queue.page.card
    assert card.title.text() == f"1 of {COUNT}"
    assert card.why.text().startswith("Why here: ")
    keys.run("accept")
    assert first in labels.checked
    second = dock.reviewer.at
    assert second != first
    keys.run("delete")
    assert second not in labels.object_classes
    third = dock.reviewer.at
    before = labels.object_classes[third]
    keys.run("relabel")
    assert labels.object_classes[third] != before
    keys.run("next")
    fourth = dock.reviewer.at
    keys.run("skip")
    assert fourth in dock.reviewer.queue.later
    keys.run("back")
    assert dock.reviewer.at == fourth
    kept = verdicts_of(dock.session.history)
    assert [kept[n].what for n in (first, second, third)] == ["accept", "delete", "class"]
    assert dock.session.history.undo_names == ("class", "delete", "accept")
    assert dock.checked.told.text().startswith(f"2 of {COUNT - 1} checked")


def test_correct_and_review_stand_at_the_same_object(dock, qtbot):
    from napari_defectseg.ui.docks.correct import CorrectDock

    other = CorrectDock(dock.viewer)
    qtbot.addWidget(other)
    dock.footer.primary.click()
    assert other.reviewer.at == dock.reviewer.at
    assert "doubt" in other.card.detail.text()
    assert other.card.why.text()
    assert other.footer.primary.text().startswith("Next doubtful")
    other.release()


def test_keys_are_left_to_others_while_the_dock_is_hidden(dock):
    dock.footer.primary.click()
    dock.hide()
    keys_of(dock.viewer).run("accept")
    assert not dock.session.labels.checked


def test_the_card_has_three_pictures_of_the_object(dock, qtbot):
    dock.footer.primary.click()
    pictures = dock.queue.page.card.pictures
    qtbot.waitUntil(lambda: not pictures["image"].pixmap().isNull())
    assert not pictures["mask"].pixmap().isNull()
    assert pictures["scores"].accessibleName() == "No picture of the scores"


def test_bulk_accept_says_how_many_first_and_is_one_step(dock):
    queue = dock.reviewer.queue
    from dataclasses import replace

    scores = {n: 0.99 if n <= 5 else 0.5 for n in queue.doubts}
    queue.take_doubts({n: replace(one, score=scores[n]) for n, one in queue.doubts.items()})
    dock.queue.page.level.setValue(0.9)
    assert dock.queue.page.bulk.text() == "Accept 5"
    dock.queue.page.bulk.click()
    assert dock.session.labels.checked == {1, 2, 3, 4, 5}
    assert len(dock.session.history.entries) == 1
    assert not dock.queue.page.bulk.isEnabled()


def test_order_and_filter_choose_what_comes(dock, qtbot):
    qtbot.waitUntil(lambda: dock.session.table is not None, timeout=20_000)
    dock.queue.arrange("large", "class == 'loop'")
    dock.footer.primary.click()
    assert dock.reviewer.at == 12
    assert dock.reviewer.progress == (0, 4)
    dock.queue.arrange("large", "clas == 'loop'")
    assert dock.queue.page.filter.complaint.text()
    assert dock.reviewer.progress == (0, 4)


def test_region_complete_is_an_act_of_its_own(dock):
    labels, page = dock.session.labels, dock.queue.page
    layer_of(dock).corner_pixels = np.array([[0, 0], [60, 60]])
    dock.queue.show_complete()
    assert not page.complete.isChecked()
    page.complete.click()
    assert labels.complete == {((0, 61), (0, 61))}
    assert page.complete.isChecked()
    page.complete.click()
    assert not labels.complete
    assert dock.session.history.undo_name == "region not complete"


@pytest.fixture
def other(dock):
    """Another person's mask beside: object 3 deleted, 5 of another class."""
    _, right = micrograph()
    right.apply(delete(right, 3))
    right.apply(relabel(right, 5, 1))
    dock.viewer.add_labels(right.class_mask(), name="Ada's mask")
    return right


def test_two_masks_are_compared_and_the_other_is_taken(dock, other, qtbot):
    labels, keys = dock.session.labels, keys_of(dock.viewer)
    dock.pages.setValue("compare")
    assert dock.compare.page.other.itemText(0) == "Ada's mask"
    dock.footer.primary.click()
    qtbot.waitUntil(lambda: dock.compare.comparing.comparison is not None, timeout=20_000)
    assert "differences" in [layer.name for layer in dock.viewer.layers]
    assert "2 differences" in dock.compare.page.summary.text()
    keys.run("next")
    assert dock.compare.page.title.text() == "1 of 2"
    assert "Only here" in dock.compare.page.detail.text()
    keys.run("delete")
    assert 3 not in labels.object_classes
    assert "void in the other" in dock.compare.page.detail.text()
    keys.run("accept")
    assert 5 in labels.checked
    assert labels.object_classes[5] == 2
    assert not dock.footer.primary.isEnabled()
    dock.pages.setValue("queue")
    assert "differences" not in [layer.name for layer in dock.viewer.layers]


def test_the_gallery_shows_sorts_and_decides_many_at_once(dock, qtbot):
    keys, page, labels = keys_of(dock.viewer), dock.gallery.page, dock.session.labels
    dock.pages.setValue("gallery")
    tiles = page.tiles
    assert len(tiles.numbers) == COUNT
    page.order.setCurrentIndex(page.order.findData("size"))
    page.arranged.emit()
    assert tiles.numbers[0] == COUNT, "the largest first"
    page.turn.click()
    assert tiles.numbers[-1] == COUNT
    qtbot.waitUntil(lambda: len(tiles._pictures) > 3, timeout=5000)
    for number in tiles.numbers[:3]:
        tiles._items[number].setSelected(True)
    chosen = set(tiles.selected)
    assert dock.session.selection == chosen
    assert "3 chosen" in page.told.text()
    edits = len(dock.session.history.entries)
    keys.run("accept")
    assert labels.checked == chosen
    assert len(dock.session.history.entries) == edits + 1, "one step for all"
    assert tiles._items[min(chosen)].text().startswith("✓")
    assert len(tiles.selected) == 1
    page.class_chosen.emit(3)
    keys.run("delete")
    assert len(tiles.numbers) == COUNT - 1
    dock.hand.undo()
    assert len(tiles.numbers) == COUNT
    keys.run("next")
    assert len(dock.session.selection) == 1
    assert not dock.session.selection & labels.checked
    keys.run("back")
    assert len(tiles.selected) == 1


def test_the_gallery_is_filtered_and_sorted_by_the_columns_of_the_table(dock):
    from napari_defectseg.measurement.regions import measure_regions

    page = dock.gallery.page
    dock.session.table = measure_regions(dock.session.labels)
    dock.pages.setValue("gallery")
    assert page.order.findData("eccentricity") >= 0 or page.order.findData("area") >= 0
    page.filter.edit.setText("class == 'loop'")
    page.arranged.emit()
    classes = {dock.session.labels.object_classes[n] for n in page.tiles.numbers}
    assert classes == {3}
    page.filter.edit.setText("nonsense ==")
    page.arranged.emit()
    assert len(page.tiles.numbers) == COUNT // 3, "what was shown stays"
    page.order.setCurrentIndex(page.order.findData("area"))
    page.filter.edit.setText("")
    page.arranged.emit()
    areas = [dock.session.labels.index.size(n) for n in page.tiles.numbers]
    assert areas == sorted(areas, reverse=True)


def test_five_minutes_end_with_an_estimate(dock):
    keys, page = keys_of(dock.viewer), dock.audit.page
    dock.pages.setValue("audit")
    page.objects.setValue(6)
    page.places.setValue(4)
    assert dock.footer.primary.text() == "Start"
    dock.footer.primary.click()
    audit = dock.audit.auditing
    assert audit.number
    keys.run("delete")
    while audit.number:
        keys.run("accept")
    assert page.title.text().endswith(f"of {audit.progress[1]}")
    assert "look through this place" in page.task.text().lower()
    while audit.place is not None:
        keys.run("accept")
    assert audit.audit.done
    assert dock.session.labels.complete
    assert page.precision.text().startswith("Precision 0.")
    assert page.recall.text().startswith("Recall ")
    assert "halve the interval" in page.more.text()
    assert dock.footer.primary.text() == "New sample"


def test_right_place_other_class_is_a_verdict_of_its_own(dock):
    keys, page = keys_of(dock.viewer), dock.audit.page
    dock.pages.setValue("audit")
    dock.footer.primary.click()
    audit = dock.audit.auditing
    number, was = audit.number, audit.class_value
    keys.run("relabel")
    assert audit.number == number, "it waits until the class is accepted"
    assert "It was called" in page.task.text()
    page.right.click()
    assert dock.session.labels.object_classes[number] != was
    first = audit.audit.objects[0]
    assert (first.right, first.other_class, first.there) == (False, True, True)
    assert page.there.text().startswith("At the right place 1.00")
    assert page.precision.text().startswith("Precision 0.00")


def test_the_sample_goes_on_after_a_restart(dock, qtbot, tmp_path):
    from napari_defectseg.labels.restore import restore
    from napari_defectseg.ui.auditing import kept_audit
    from napari_defectseg.ui.keeper import keeper_of

    keeper = keeper_of(dock.session)
    dock.pages.setValue("audit")
    dock.footer.primary.click()
    keys_of(dock.viewer).run("accept")
    kept = dock.audit.auditing.audit
    qtbot.waitUntil(lambda: not keeper.current.writer.writing, timeout=5000)
    folder = keeper.current.writer.folder
    image = dock.session.image
    keeper.close()
    history, _ = restore(folder)
    other = session_of(ViewerModel())
    keeper_of(other)
    other.image = image
    other.take_labels(history.labelmap, history)
    qtbot.waitUntil(lambda: kept_audit(other) is not None, timeout=5000)
    assert kept_audit(other) == kept
    assert sum(kept.judged) == 1
    other.close()


def test_other_labels_end_sample_and_comparison(dock, other):
    dock.pages.setValue("audit")
    dock.footer.primary.click()
    _, fresh = micrograph()
    dock.session.labels = fresh
    assert not dock.audit.auditing.running
    QApplication.processEvents()
    assert dock.footer.primary.text() == "Start"


def test_a_volume_is_reviewed_by_the_same_keys(viewer_model, qtbot):
    """Pictures show the slice in the middle of the object; places of the sample are boxes."""
    calibration = Calibration.of((0.5, 0.5, 0.5), "nm", "typed by you")
    labels = LabelMap.empty((24, 48, 48), CLASSES, ("z", "y", "x"), calibration)
    labels.planes[0][2:8, 4:12, 4:12], labels.planes[0][12:18, 30:40, 30:36] = 1, 2
    labels.object_classes.update({1: 1, 2: 3})
    pixels = (labels.planes[0] > 0).astype(np.float32)
    made = ReviewDock(viewer_model)
    qtbot.addWidget(made)
    session = session_of(viewer_model)
    session.image = CalibratedImage(pixels, ("z", "y", "x"), calibration, "tomogram")
    session.labels = labels
    made.show()
    keys = keys_of(viewer_model)
    keys.run("next")
    assert made.reviewer.at in (1, 2)
    qtbot.waitUntil(lambda: not made.queue.page.card.pictures["mask"].pixmap().isNull())
    keys.run("accept")
    assert len(labels.checked) == 1
    made.pages.setValue("audit")
    made.footer.primary.click()
    while made.audit.auditing.progress[0] < made.audit.auditing.progress[1]:
        keys.run("accept")
    assert made.audit.auditing.estimate.recall.value == 1
    assert labels.complete
    made.release()
