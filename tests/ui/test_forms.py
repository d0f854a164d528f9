"""Forms are built from settings types: name, unit, range, help, and the type's own refusals."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Literal

import pytest
from qtpy.QtWidgets import QAbstractSpinBox, QComboBox, QLabel, QLineEdit

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.setting import Setting
from napari_defectseg.images.raw import RawForm
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.labels.tools.clean import CleanSettings
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.training.plan import TrainingPlan, unet3d
from napari_defectseg.ui.forms import form_for, help_of, setting_of


@dataclass(frozen=True)
class Wishes:
    """What is wished.

    Parameters
    ----------
    count : int
        How many
        there are.
    low, high : float
        Ends of the range.
    mode : str
        How it is done.
    """

    count: Annotated[int, Setting("Number", unit="px", low=1, high=9)] = 3
    low: float = 0.5
    high: Annotated[float, Setting(step=0.01, low=0, high=2)] = 1.0
    mode: Annotated[Literal["a", "b"], Setting(names=(("a", "at once"),))] = "a"
    memory: Annotated[int | None, Setting(unit="GB", scale=1e9, low=1, none="a quarter")] = None
    patch: tuple[int, ...] = (128, 64)
    sides: Annotated[tuple[str, ...], Setting(choices=("x", "y"))] = ("y",)
    on: bool = True
    table: dict | None = None

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise DefectSegError("Low is above high.")


@pytest.fixture
def form(qtbot):
    made = form_for(Wishes)
    qtbot.addWidget(made)
    return made


def test_help_is_read_from_the_docstring():
    assert help_of(Wishes)["count"] == "How many there are."
    assert help_of(Wishes)["low"] == help_of(Wishes)["high"] == "Ends of the range."
    assert setting_of(Wishes, "count")[1].words == "Number"


def test_every_kind_of_field_keeps_its_value(form):
    assert form.value == Wishes()
    assert set(form.fields) == {
        "count", "low", "high", "mode", "memory", "patch", "sides", "on"
    }  # fmt: skip
    other = Wishes(7, 0.1, 1.25, "b", 4_000_000_000, (32, 32, 32), ("x", "y"), False)
    form.setValue(other)
    assert form.value == other
    assert {name: one.value for name, one in form.fields.items()}["memory"] == 4_000_000_000


def test_names_units_ranges_and_help_come_from_the_type(form):
    box = form.fields["count"].focus
    assert isinstance(box, QAbstractSpinBox)
    assert box.accessibleName() == "Number"
    assert "px" in [label.text() for label in form.fields["count"].findChildren(QLabel)]
    assert (box.minimum(), box.maximum()) == (1, 9)
    assert box.toolTip() == "How many there are. Usually 3 px."
    assert isinstance(form.fields["mode"].focus, QComboBox)
    assert form.fields["mode"].focus.itemText(0) == "at once"
    memory = form.fields["memory"].focus
    assert isinstance(memory, QLineEdit)
    assert memory.placeholderText() == "a quarter"


def test_a_change_is_told_once_and_named(form, qtbot):
    with qtbot.waitSignal(form.valueChanged) as told:
        form.fields["count"].focus.setValue(5)
    assert told.args[0].count == 5
    assert form.changed_words() == ("number 5 px",)
    form.reset()
    assert form.value == Wishes()
    assert form.changed_words() == ()


def test_typed_words_are_taken_when_they_are_whole(form, qtbot):
    line = form.fields["memory"].focus
    line.setText("2.5")
    assert form.value.memory is None
    with qtbot.waitSignal(form.valueChanged):
        line.editingFinished.emit()
    assert form.value.memory == 2_500_000_000


def test_what_the_type_refuses_is_said_and_not_sent(form):
    sent = []
    form.valueChanged.connect(sent.append)
    form.fields["low"].focus.setValue(1.5)
    assert form.complaint.text() == "Low is above high."
    assert form.complaint.isVisibleTo(form)
    assert (sent, form.value.low) == ([], 0.5)
    form.fields["patch"].focus.setText("three")
    form.fields["patch"].focus.editingFinished.emit()
    assert "three" in form.complaint.text() or "Low" in form.complaint.text()
    form.setValue(Wishes())
    assert not form.complaint.isVisibleTo(form)


def test_a_choice_of_fields_in_their_order(qtbot):
    made = form_for(Wishes(count=4), shown=("on", "count"))
    qtbot.addWidget(made)
    assert list(made.fields) == ["on", "count"]
    made.fields["on"].focus.setChecked(False)
    assert made.value == Wishes(count=4, on=False)
    with pytest.raises(TypeError, match="table"):
        form_for(Wishes, shown=("table",))


def test_forms_fit_the_narrowest_dock(form):
    assert form.minimumSizeHint().width() <= 213


@pytest.mark.parametrize(
    "value",
    [
        MeasureSettings(), PredictSettings(), CleanSettings(), TrainingPlan(), unet3d(),
        RawForm((4, 5, 6), "uint16"),
    ],
)  # fmt: skip
def test_our_settings_types_are_forms_with_words_ranges_and_help(value, qtbot):
    made = form_for(value)
    qtbot.addWidget(made)
    assert made.value == value
    assert {name: one.value for name, one in made.fields.items()} == {
        name: getattr(value, name) for name in made.fields
    }
    shown = {field.name for field in fields(value)} - {"devices"}  # by name only
    assert set(made.fields) == shown
    for name, one in made.fields.items():
        assert setting_of(type(value), name)[1].words
        assert one.focus.accessibleName()
        assert one.focus.toolTip()
    assert made.minimumSizeHint().width() <= 213


def test_a_choice_that_is_not_in_the_list_is_kept(qtbot):
    made = form_for(PredictSettings(device="cuda:1"))
    qtbot.addWidget(made)
    assert made.fields["device"].value == "cuda:1"
