"""The Correct dock: go through the objects and mend them."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.ui import icons, theme, words
from napari_defectseg.ui.correct_keys import offer_keys
from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.hand import Hand, hand_of
from napari_defectseg.ui.new_labels import empty_labels
from napari_defectseg.ui.places import fly_to
from napari_defectseg.ui.reviewing import reviewer_of
from napari_defectseg.ui.unsaved import UnsavedEdits
from napari_defectseg.ui.widgets.begin_form import BeginForm
from napari_defectseg.ui.widgets.brush_row import BrushRow
from napari_defectseg.ui.widgets.checked_bar import CheckedBar
from napari_defectseg.ui.widgets.class_rows import ClassRows
from napari_defectseg.ui.widgets.object_card import ObjectCard
from napari_defectseg.ui.widgets.save_region import SaveRegion
from napari_defectseg.ui.widgets.seldom import Seldom
from napari_defectseg.ui.widgets.text import name, section, text
from napari_defectseg.ui.widgets.tool_box import ToolBox
from napari_defectseg.ui.widgets.undo_row import UndoRow


class CorrectDock(DockPage):
    """Go through the objects and mend them."""

    key, title, icon = "correct", "Correct", "correct"
    tip = "Go through the objects and mend them"

    # -- building ------------------------------------------------------------------------

    def build(self) -> None:
        """Lay out card, classes and tools, and tie them to hand and session."""
        self.hand: Hand = hand_of(self.viewer)
        self.reviewer = reviewer_of(self.session)
        self._watched: WeakSet[Any] = WeakSet()
        self.begin = BeginForm()
        self.begin.asked.connect(self.draw_from_nothing)
        self.body.addWidget(self.begin)
        self.main = QWidget()
        column = QVBoxLayout(self.main)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        self.card = ObjectCard()
        self.card.accepted.connect(self.accept)
        self.card.deleted.connect(self.hand.delete)
        self.card.class_asked.connect(self.change_class)
        column.addWidget(self.card)
        self._add_classes(column)
        self._add_tools(column)
        self.more = Seldom(self.hand)
        column.addWidget(self.more)
        self.save = SaveRegion(self.viewer, self.session)
        column.addWidget(self.save)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._show_save)
        self.save.open_button.toggled.connect(self._on_save_opened)
        self.body.addWidget(self.main)
        self._build_footer()
        self._offered = offer_keys(self)
        self._listen()

    def _add_classes(self, column: QVBoxLayout) -> None:
        head = QHBoxLayout()
        head.addWidget(section("Draw as"))
        head.addStretch(1)
        head.addWidget(text("objects", "small", wrap=False))
        column.addLayout(head)
        self.rows = ClassRows()
        self.rows.chosen.connect(self.choose_class)
        self.rows.hide_asked.connect(self.toggle_class)
        column.addWidget(self.rows)

    def _add_tools(self, column: QVBoxLayout) -> None:
        self.tools = ToolBox(self.hand)
        column.addWidget(self.tools)
        self.brush = BrushRow()
        self.brush.changed.connect(self._on_brush)
        self.steps = UndoRow(self.keys)
        self.steps.undo_asked.connect(self._undo_many)
        self.steps.redo_asked.connect(self.hand.redo)
        column.addWidget(self.brush)
        column.addWidget(self.steps)

    def _build_footer(self) -> None:
        self.checked = CheckedBar()
        self.footer.column.insertWidget(0, self.checked)
        self.back = QPushButton()
        icons.set_icon(self.back, "left", size=14)
        name(self.back, "Previous object", "Previous object (Shift+N)")
        self.back.clicked.connect(self.previous)
        self.footer.add_before(self.back)

    def _listen(self) -> None:
        events = self.session.events
        self.listen(events.labels, self._on_labels)
        self.listen(events.image, self._on_image)
        self.listen(events.edited, self._on_edited)
        self.listen(events.selection, self._show_card)
        self.listen(events.table, self._on_table)
        self.listen(events.dataset, self._on_dataset)
        self.listen(events.current_class, self.rows.set_current)
        self.listen(self.reviewer.changed, self._on_doubts)
        self.listen(self.hand.tool_changed, self.tools.show_tool)
        self.listen(self.hand.tool_changed, self.more.lines.show_tool)
        self.listen(self.hand.failed, self._on_failed)
        self.listen(self.hand.told, self._on_told)
        self.listen(self.hand.stage.drawing.went_around, self.tools.tell_went_around)
        self.unsaved = UnsavedEdits(self)
        self.listen(self.viewer.layers.selection.events.active, self.tools.show_tool)

    # -- what the session says -----------------------------------------------------------

    def refresh(self) -> None:
        """Show the session as it is."""
        self._on_labels(self.session.labels)

    def _on_image(self, _: Any) -> None:
        if self.session.labels is None:
            self._show_begin()
        else:
            self._show_brush()

    def _on_labels(self, labels: LabelMap | None) -> None:
        has = labels is not None
        self.begin.setVisible(not has)
        self.main.setVisible(has)
        if labels is None:
            self._show_begin()
            return
        self.show_controls()
        self.rows.show_classes(labels.classes)
        self.rows.set_hidden(self.hand.stage.display.hidden)
        self.rows.set_current(self.session.current_class)
        self.tools.show_labels(labels)
        self.more.show_labels(labels)
        for layer in self.hand.stage.labels_layers:
            self._watch(layer)
        self._show_brush()
        self._on_edited(None)
        self._show_card()

    def _show_begin(self) -> None:
        image = self.session.image
        model, dataset = self.session.model, self.session.dataset
        for widget in (self.checked, self.back):
            widget.hide()
        self.set_mark("")
        if image is None:
            links = (("Open images", lambda: self.session.go_to("data")),)
            self.show_empty("No objects yet. First open an image.", links)
            self.footer.offer("Next doubtful   N", "There are no objects yet", enabled=False)
            return
        self.show_controls()
        known = model.card.classes if model is not None else None
        self.begin.suggest(known or (dataset.classes if dataset is not None else None))
        self.footer.offer("Predict →", "Find the objects with a model")

    def _on_table(self, table: Any) -> None:
        if table is not None:
            self._show_card()

    def _on_doubts(self) -> None:
        if self.session.labels is not None:
            self._show_card()
            self._show_progress()

    def _on_dataset(self, _: Any) -> None:
        self.save.show_target()

    def _on_edited(self, _: Edit | None) -> None:
        labels, history = self.session.labels, self.session.history
        if labels is None:
            return
        self.rows.set_counts(labels.counts())
        self.steps.show_history(history)
        self._show_card()
        self._show_progress()

    def _show_progress(self) -> None:
        done, count = self.reviewer.progress
        self.checked.show_progress(done, count, self.reviewer.seconds_left)
        for widget in (self.checked, self.back):
            widget.show()
        if count and done == count:
            self.footer.offer("Statistics →", f"All {words.count(count)} objects are checked")
            self.set_mark("done")
        else:
            self.footer.offer(
                "Next doubtful   N",
                "Go to the most doubtful object" if count else "No objects yet",
                enabled=bool(count),
            )
            self.set_mark("")

    def _show_card(self, _: Any = None) -> None:
        labels = self.session.labels
        if labels is not None:
            self.card.show_selection(
                labels, self.hand.selected(), self.session.table, self.reviewer.doubt
            )
            some = bool(self.session.selection)
            self.tools.grid.button("holes").setEnabled(some)
            self.more.smooth.setEnabled(some)

    # -- the layer in hand ---------------------------------------------------------------

    def _watch(self, layer: Any) -> None:
        if layer not in self._watched:
            self._watched.add(layer)
            self.listen(layer.events.mode, self.tools.show_tool)
            self.listen(layer.events.brush_size, self._show_brush)
            layer.brush_size = self.brush.value

    def _layer(self) -> Any:
        return self.hand.stage.layer_of_class(self.session.current_class)

    def _show_brush(self, _: Any = None) -> None:
        labels = self.session.labels
        if labels is not None:
            self.brush.show_size(self._layer(), labels.calibration)

    def _on_brush(self, size: int) -> None:
        for layer in self.hand.stage.labels_layers:
            layer.brush_size = size
        self._show_brush()

    # -- what a person does --------------------------------------------------------------

    def act(self) -> None:
        """Go to the next object, or on to where the work goes on."""
        if self.session.labels is None:
            self.session.go_to("predict")
        elif self.reviewer.progress[0] == self.reviewer.progress[1] > 0:
            self.session.go_to("statistics")
        else:
            self.next()

    def next(self) -> None:
        """Go to the most doubtful object that is not checked."""
        self._visit(self.reviewer.next())

    def previous(self) -> None:
        """Go to the object before."""
        self._visit(self.reviewer.back())

    def later(self) -> None:
        """Look at the current object later."""
        self.reviewer.put_off(self.hand.selected())
        self.next()

    def _visit(self, number: int | None) -> None:
        if number is None:
            return
        self.session.select([number])
        self.hand.stage.activate_labels()
        fly_to(self.viewer, self.session, number)

    def accept(self) -> None:
        """Mark the selected objects as checked; in the queue, go on to the next."""
        walking = self.hand.selected() == [self.reviewer.at]
        self.hand.accept()
        if walking:
            self.next()

    def choose_class(self, value: int) -> None:
        """Draw as a class; with the class tool in hand, give it to the selected objects."""
        self.session.current_class = value
        if self.hand.tool == "class" and self.hand.selected():
            self.hand.relabel(value)
        self.hand.stage.activate_labels()

    def toggle_class(self, value: int) -> None:
        """Hide the objects of a class, or show them again; they count all the same."""
        self.hand.stage.display.toggle_class(value)
        self.rows.set_hidden(self.hand.stage.display.hidden)

    def choose_class_at(self, place: int) -> None:
        """Draw as the n-th class, counted from 0."""
        labels = self.session.labels
        if labels is not None and place < len(labels.classes):
            self.choose_class(labels.classes.values[place])

    def draw_from_nothing(self, names: list[str]) -> None:
        """Begin with an empty label map of the classes that were named."""
        image = self.session.image
        if image is None:
            return
        try:
            empty = empty_labels(self.session, image, names)
        except DefectSegError as error:
            self.say_error("classes", error)
            return
        self.messages.take_back("classes")
        self.session.labels = empty
        self.tools.use("paint")

    def _undo_many(self, steps: int) -> None:
        for _ in range(steps):
            if self.hand.undo() is None:
                return

    def _on_failed(self, error: Exception) -> None:
        self.say_error("edit", error)

    def _on_told(self, sentence: str) -> None:
        self.tools.tell(sentence)
        if sentence:
            self.messages.take_back("edit")

    def showEvent(self, event: QShowEvent) -> None:
        """Make the labels the active layer: keys of an image layer are others."""
        super().showEvent(event)
        if not event.spontaneous():
            self.hand.stage.activate_labels()

    def show_place(self, place: str) -> None:
        """Open the form to save a region."""
        if place == "save":
            self.save.set_open(True)
        elif place == "journal":
            self.unsaved.show()

    def _on_save_opened(self, opened: bool) -> None:
        if opened:
            self._later.start(0)

    def _show_save(self) -> None:
        """Scroll to the form to save a region, once it is laid out."""
        if self.save.form.isVisible():
            self.scroll.ensureWidgetVisible(self.save.form)

    # -- keys ----------------------------------------------------------------------------

    def leave_tool(self) -> bool:
        """Put the tool in hand away; false if there is none."""
        held = bool(self.hand.tool)
        self.hand.drop()
        return held

    def change_class(self) -> None:
        """Wait for a class, or for objects to give the class in hand."""
        self.hand.take("class")

    def save_here(self) -> None:
        """Bring the form to save a region to the front."""
        self.session.go_to("correct", "save")

    def release(self) -> None:
        """Offer the keys no longer."""
        for command, act in self._offered.items():
            self.keys.withdraw(command, act)
        self.more.shaping.release()
        super().release()
