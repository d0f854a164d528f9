"""A person reviews a prediction by keys alone: queue, a complete region, the random sample."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QCheckBox
from tests.stories.journey import micrograph, opened, with_shipped_model

from napari_defectseg.labels.tools.complete import is_complete
from napari_defectseg.review.truth import truth_mask
from napari_defectseg.review.verdicts import verdicts_of
from napari_defectseg.ui.sight import seen_box


def test_a_prediction_is_reviewed_by_keys(window, tmp_path):
    """Most doubtful first; A, D, C, H and N settle it; undo takes it back; then five minutes."""
    opened(window, micrograph(tmp_path, 27))
    with_shipped_model(window)
    window.predict()
    window.go("review")
    page = window.page
    window.until(lambda: page.reviewer.queue is not None and bool(page.reviewer.queue.doubts))
    window.until(lambda: window.session.table is not None)
    window.settle(400)
    queue_by_keys(window)
    region(window)
    five_minutes(window)


def queue_by_keys(window: Any) -> None:
    """Each key settles one object and goes on; the order is that of the doubts."""
    session, page = window.session, window.page
    window.key("N")
    (first,) = session.selection
    doubts = page.reviewer.queue.doubts
    assert doubts[first].value == max(one.value for one in doubts.values())
    assert doubts[first].why in page.queue.page.card.why.text()
    window.key("A")
    assert first in session.labels.checked
    (second,) = session.selection
    window.key("H")
    assert second in page.reviewer.queue.later
    (third,) = session.selection
    window.key("D")
    assert third not in session.labels.object_classes
    window.key("Ctrl+Z")
    assert third in session.labels.object_classes
    assert verdicts_of(session.history)[first].what == "accept"


def region(window: Any) -> None:
    """What is in sight is said to be complete: there the mask is truth, and only there."""
    labels = window.session.labels
    assert (truth_mask(labels) == 255).all()
    window.press(window.control("This region is complete", QCheckBox))
    assert is_complete(labels, seen_box(window.viewer, labels))
    assert (truth_mask(labels) != 255).any()
    window.key("Ctrl+Z")
    assert not labels.complete


def five_minutes(window: Any) -> None:
    """The sample is judged with one key and ends with an interval."""
    page = window.page
    page.pages.button("audit").click()
    page.audit.page.objects.setValue(6)
    page.audit.page.places.setValue(4)
    window.primary("Start")
    auditing = page.audit.auditing
    for _ in range(auditing.progress[1]):
        window.key("A")
    assert auditing.audit.done
    assert page.audit.page.precision.text().startswith("Precision 1.00 (0.")
    assert auditing.estimate.recall.value == 1
