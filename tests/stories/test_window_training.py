"""From corrected images to a better model and back, by the window's own buttons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QComboBox, QLineEdit
from tests.stories.journey import micrograph, opened, with_shipped_model

import napari_defectseg as ds
from napari_defectseg.datasets.phantom import write_phantoms


def test_corrections_become_a_dataset_a_model_and_other_objects(window, tmp_path):
    """Save three regions, split, train, use the new model; what is checked stays as it is."""
    folder = tmp_path / "alloy"
    for number, seed in enumerate((27, 3, 26)):
        opened(window, micrograph(tmp_path, seed))
        if number == 0:
            with_shipped_model(window)
        window.predict()
        save(window, folder, f"A{number}")
    data = ds.Dataset.open(folder)
    assert [pair.event.specimen for pair in data.pairs()] == ["A0", "A1", "A2"]
    whole = data.pairs()[0]
    assert np.array_equal(whole.mask(), mask_of(window, "steel_27"))
    window.go("dataset")
    window.primary("Split")
    window.until(lambda: all(pair.event.split for pair in data.pairs()))
    window.primary("Train →")
    old = window.session.model
    train(window)
    assert window.session.model is not old
    keep_checked(window)


def save(window: Any, folder: Path, specimen: str) -> None:
    """Ctrl+D; the first time a new dataset is made on the way."""
    window.key("Ctrl+D")
    assert window.bench.current == "correct"
    if window.session.dataset is None:
        window.link("New dataset…")
        window.type(window.page.form.folder, str(folder))
        window.primary("Make the dataset")
        window.until(lambda: window.session.dataset is not None)
        window.quiet()
        window.key("Ctrl+D")
    window.press(window.find("whole image"))
    window.type(window.control("Specimen", QLineEdit), specimen)
    window.press(window.control("Save to the dataset"))
    window.until(lambda: "Saved" in window.page.save.told.text())


def mask_of(window: Any, name: str) -> np.ndarray:
    """Return the class mask of an image that was worked on before."""
    images = {image.name: image for image, _ in window.session.tables()}
    window.session.image = images[name]
    return np.asarray(window.session.labels.class_mask())


def train(window: Any) -> None:
    """Train two rounds of two steps on what is there, and use the result."""
    page = window.page
    window.quiet()
    start = window.control("Start from", QComboBox)
    start.setCurrentIndex(0)
    page.more.set_open(True)
    for name, number in (("epochs", 2), ("steps_per_epoch", 2), ("batch", 1)):
        page.plan_form.fields[name].set_value(number)
    window.primary("Train")
    window.until(lambda: window.page.footer.primary.text().startswith("Use"), 120_000)
    assert "Best of 2 rounds" in page.card.detail.text()
    window.primary("Use")
    window.quiet()


def keep_checked(window: Any) -> None:
    """Accept an object, predict with the new model: to the pixel it is what it was."""
    window.go("correct")
    window.key("N")
    (number,) = window.session.selection
    window.key("A")
    pixels = window.mask_of(number)
    before = window.session.prediction
    window.go("predict")
    window.primary("Predict again")
    window.until(lambda: window.session.prediction is not before)
    window.quiet()
    assert number in window.session.labels.object_classes
    assert np.array_equal(window.mask_of(number), pixels)
    assert number in window.session.labels.checked


def test_the_form_for_a_dataset_says_what_is_missing(window, tmp_path):
    page = window.go("dataset")
    window.primary("New dataset")
    window.primary("Make the dataset")
    assert "folder" in page.form.missing.text()
    window.type(page.form.folder, str(tmp_path / "alloy"))
    window.type(page.form.classes, ",")
    window.primary("Make the dataset")
    assert page.form.missing.isVisible()
    assert window.session.dataset is None
    window.type(page.form.classes, "void, loop")
    window.primary("Make the dataset")
    assert window.session.dataset.classes.names == ("void", "loop")


def test_the_numbers_of_true_masks_are_the_truth(window, tmp_path):
    """A phantom's pair opened from its dataset: counts, fractions and sizes as they were made."""
    made = write_phantoms("micrograph", tmp_path / "truth", count=1, seed=5, shape=(256, 256))
    (pair,) = made.pairs()
    window.go("dataset")
    window.answer("folder", tmp_path / "truth")
    window.link("Open…")
    window.until(lambda: window.session.dataset is not None)
    window.quiet()
    pictures = window.page.pictures
    window.until(lambda: pictures.count() == 1)
    where = pictures.visualItemRect(pictures.item(0)).center()
    QTest.mouseClick(pictures.viewport(), Qt.MouseButton.LeftButton, pos=where)
    window.until(lambda: window.page.open_link.isEnabled())
    window.link("Open in napari")
    window.until(lambda: window.session.labels is not None)
    window.go("statistics")
    window.quiet()
    table = window.session.table
    truth = pair.objects()
    mask = np.asarray(pair.mask())
    assert window.session.image.calibration.steps == pair.calibration.steps
    for item in made.classes:
        pixels = int((mask == item.value).sum())
        rows = np.asarray(table["class"] == item.name)
        assert int(table["num_pixels"][rows].sum() if "num_pixels" in table else 0) in (0, pixels)
        area = float(table["area"][rows].sum())
        known = pixels * pair.calibration.steps[0] * pair.calibration.steps[1]
        assert abs(area - known) <= 1e-6 * max(known, 1)
        found = window.session.summary.as_dict()["classes"].get(item.name, {})
        fraction = (found.get("fraction") or {}).get("value") or 0.0
        assert abs(fraction - pixels / mask.size) < 1e-9
    assert truth is not None
