"""The Dataset and Train docks: from a corrected image to a model, with real buttons."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scene import CLASSES, micrograph

from napari_defectseg.core.progress import Step
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.training.progress import Progress
from napari_defectseg.ui.docks.dataset import DatasetDock
from napari_defectseg.ui.docks.train import TrainDock
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.widgets.thumbnails import picture


@pytest.fixture
def filled(tmp_path):
    image, labels = micrograph()
    dataset = Dataset.create(tmp_path / "alloy", CLASSES, licence="CC0-1.0")
    for place, specimen in enumerate("ABCA"):
        region = (slice(0, 96), slice(8 * place, 96 + 8 * place))
        dataset.add(image, labels, specimen=specimen, region=region)
    return dataset


@pytest.fixture
def dock(viewer_model, qtbot):
    made = DatasetDock(viewer_model)
    qtbot.addWidget(made)
    yield made
    made.release()
    made.session.close()


def show(dock, dataset, qtbot):
    dock.session.dataset = dataset
    qtbot.waitUntil(lambda: dock._info is not None and not dock.pictures.missing, timeout=8000)


def test_empty_says_what_a_dataset_is(dock):
    assert dock.is_empty
    assert dock.empty.sentence.text() == "A dataset is a folder of pictures and corrected masks."
    dock.footer.primary.click()
    assert not dock.is_empty
    assert dock.form.isVisibleTo(dock)


def test_new_dataset_takes_classes_of_the_labels(dock, tmp_path, qtbot):
    dock.session.image, dock.session.labels = micrograph()
    dock.show_form()
    assert dock.form.classes.text() == "void, precipitate, loop"
    dock.form.folder.setText(str(tmp_path / "new"))
    dock.form.make.click()
    assert dock.session.dataset.classes == CLASSES
    assert (tmp_path / "new" / "dataset.json").is_file()
    qtbot.waitUntil(lambda: dock.about.text() == "new", timeout=5000)


def test_pictures_shares_and_sets_are_shown(dock, filled, qtbot):
    show(dock, filled, qtbot)
    assert dock.pictures.count() == 4
    assert dock.counts.text() == "4 images · 3 specimens"
    assert dock.sets.text() == "not split yet"
    dock.footer.primary.click()
    qtbot.waitUntil(lambda: "train / validation / test" in dock.sets.text(), timeout=5000)
    assert {pair.split for pair in filled.pairs()} == {"train", "validation", "test"}
    assert dock.footer.primary.text() == "Train →"


def test_excluding_can_be_taken_back(dock, filled, qtbot):
    show(dock, filled, qtbot)
    dock.pictures.setCurrentRow(1)
    key = dock.pictures.current
    dock.exclude_link.click()
    assert key not in {pair.id for pair in filled.pairs()}
    dock.messages.strip("exclude").links()[0].click()  # noqa: B005
    assert key in {pair.id for pair in filled.pairs()}


def test_one_specimen_cannot_be_split_and_the_way_out_is_offered(dock, tmp_path, qtbot):
    image, labels = micrograph()
    dataset = Dataset.create(tmp_path / "one", CLASSES)
    dataset.add(image, labels, specimen="A")
    show(dock, dataset, qtbot)
    dock.split()
    qtbot.waitUntil(lambda: dock.messages.strip("split") is not None, timeout=5000)
    assert dock.messages.strip("split").links()[0].text() == "Split by place"


def test_a_pair_opens_with_its_objects(dock, filled, qtbot):
    show(dock, filled, qtbot)
    key = next(iter(dock._pairs))
    dock.open_pair(key)
    qtbot.waitUntil(lambda: dock.session.labels is not None, timeout=90_000)
    assert dock.session.image.name == key
    assert dock.session.labels.classes == CLASSES


def test_region_is_saved_from_the_form(dock, filled, qtbot):
    show(dock, filled, qtbot)
    dock.session.image, dock.session.labels = micrograph()
    dock.save.set_open(True)
    dock.save.part.setValue("whole")
    dock.save.start()
    assert "specimen" in dock.save.told.text()
    dock.save.specimen.setText("D")
    with qtbot.waitSignal(dock.save.saved, timeout=5000) as told:
        dock.save.save.click()
    pair = filled.pair(told.args[0].id)
    assert pair.specimen == "D"
    np.testing.assert_array_equal(pair.mask(), dock.session.labels.class_mask())
    qtbot.waitUntil(lambda: dock.pictures.count() == 5, timeout=5000)


def test_folder_that_is_no_dataset_is_named(dock, tmp_path):
    dock.open(tmp_path)
    assert "dataset.json" in dock.messages.strip("open dataset").sentence  # noqa: B005
    assert dock.session.dataset is None


def test_picture_has_outlines_in_class_colours():
    plane = np.zeros((100, 200), np.float32)
    mask = np.zeros((100, 200), np.uint8)
    mask[30:70, 80:120] = 2
    small = picture(plane, mask, CLASSES, 64)
    assert small.shape == (64, 64, 3)
    assert (small == (0x1E, 0x4B, 0xFF)).all(axis=-1).any()
    assert not (small == (0x1E, 0x4B, 0xFF)).all(axis=-1)[32, 32]


@pytest.fixture
def train_dock(viewer_model, filled, qtbot):
    from napari_defectseg.datasets.split import split

    split(filled, by="specimen")
    made = TrainDock(viewer_model)
    qtbot.addWidget(made)
    made.session.dataset = filled
    qtbot.waitUntil(lambda: made.footer.primary.isEnabled(), timeout=8000)
    yield made
    made.release()
    made.session.close()


def test_curve_grows_and_best_is_said_in_words(train_dock):
    for epoch, score in enumerate((0.2, 0.6, 0.5), start=1):
        scores = {"void": score, "precipitate": score, "loop": math.nan}
        progress = Progress(epoch, 30.0 * epoch, 1 / epoch, 2 / epoch, scores, epoch == 2)
        train_dock._on_step(Step(epoch, 10, "learning", progress))
    assert train_dock.curve.names == ("void", "precipitate", "loop", "mean")
    np.testing.assert_allclose(train_dock.curve.points("mean")[0], [0.5, 1.0, 1.5])
    assert "0.60 after 1 min 0 s" in train_dock.progress_words.text()
    assert train_dock.loss.names == ("training", "held out")


def test_the_time_is_measured_here_and_said_before_the_first_round(train_dock, qtbot):
    assert train_dock.estimate.text().startswith("Up to ")
    plan = train_dock.plan_form.value.with_changes(
        widths=(4, 8), patch=(16, 16), batch=1, epochs=30, steps_per_epoch=10, patience=4
    )
    train_dock.plan_form.setValue(plan)
    train_dock.start.setCurrentIndex(train_dock.start.findData("new"))
    qtbot.waitUntil(lambda: "on this computer" in train_dock.estimate.text(), timeout=60000)
    found = train_dock._forecast
    assert found.plan == plan
    assert found.most == pytest.approx(30 * (10 * found.step + found.check))
    assert found.least == pytest.approx(5 * (10 * found.step + found.check))
    assert found.step > 0


def test_stop_asks_to_keep_the_best(train_dock):
    train_dock._stop.clear()
    train_dock.stop()
    assert train_dock._stop.is_set()


@pytest.mark.long
def test_training_ends_in_a_model_that_is_used(train_dock, qtbot):
    plan = train_dock.plan_form.value.with_changes(
        epochs=2, steps_per_epoch=1, batch=1, patch=(32, 32), widths=(4, 8)
    )
    train_dock.plan_form.setValue(plan)
    train_dock.start.setCurrentIndex(train_dock.start.findData("new"))
    train_dock.footer.primary.click()
    qtbot.waitUntil(lambda: train_dock._new is not None, timeout=120_000)
    assert train_dock.scores.isVisibleTo(train_dock)
    train_dock.footer.primary.click()
    assert train_dock.session.model.card.classes.names == CLASSES.names


def test_without_a_dataset_train_leads_to_it(viewer_model, qtbot):
    page = TrainDock(viewer_model)
    qtbot.addWidget(page)
    assert page.is_empty
    assert not page.footer.primary.isEnabled()
    page.release()


def test_worse_class_is_named_first(train_dock):
    def card(dice):
        return SimpleNamespace(
            scores={"classes": {n: {"dice": d} for n, d in dice.items()}, "images": 2},
            training={"dataset_sha256": "x"},
            classes=CLASSES,
        )

    train_dock.scores.show_scores(
        card({"void": 0.9, "loop": 0.4}), card({"void": 0.8, "loop": 0.6})
    )
    assert train_dock.scores.note.text().startswith("loop got worse.")


def test_narrow(dock, train_dock, filled, qtbot):
    show(dock, filled, qtbot)
    for page in (dock, train_dock):
        page.more.set_open(True)
        assert page.body.parentWidget().minimumSizeHint().width() <= 213
        assert page.minimumSizeHint().width() <= 244
    assert session_of(dock.viewer) is dock.session


def test_check_says_what_is_wrong_with_a_way_to_the_picture(dock, filled, qtbot):
    image, labels = micrograph()
    filled.add(image, labels, specimen="D", region=(slice(0, 96), slice(0, 96)))
    show(dock, filled, qtbot)
    dock.check_link.click()
    qtbot.waitUntil(lambda: "check 0" in dock.messages.topics(), timeout=20000)
    said = [dock.messages.strip(topic) for topic in dock.messages.topics()]
    strip = next(s for s in said if "show the same picture" in s.sentence)
    before = len(dock._pairs)
    strip.links()[0].click()
    assert dock.pictures.current in strip.sentence
    strip.links()[1].click()
    qtbot.waitUntil(lambda: len(dock._pairs) == before - 1, timeout=8000)
