"""The Correct dock: go through the objects and mend them."""

from __future__ import annotations

from functools import partial
from typing import Any
from weakref import WeakSet

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QProgressBar,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.ui import icons, numbers, theme
from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.hand import Hand, hand_of
from napari_defectseg.ui.keys import keys_of
from napari_defectseg.ui.places import fly_to
from napari_defectseg.ui.walk import Walk
from napari_defectseg.ui.widgets.class_rows import ClassRows
from napari_defectseg.ui.widgets.clean_form import CleanForm
from napari_defectseg.ui.widgets.more import More
from napari_defectseg.ui.widgets.object_card import ObjectCard
from napari_defectseg.ui.widgets.save_region import SaveRegion
from napari_defectseg.ui.widgets.segments import Segments
from napari_defectseg.ui.widgets.text import ElidedLabel, name, named, section, text
from napari_defectseg.ui.widgets.tool_grid import Tool, ToolGrid

TOOLS = (
    Tool("paint", "Brush", "brush", "P", "Draw the class in hand"),
    Tool("erase", "Erase", "erase", "E", "Take away what is under the brush"),
    Tool("fill", "Fill", "fill", "F", "Fill an area of one colour"),
    Tool("split", "Split", "split", "S", "Part an object: two points, or a line across"),
    Tool("merge", "Merge", "merge", "J", "Make one object of several: click them, J again"),
    Tool("holes", "Holes", "holes", "W", "Fill the holes of the selected objects", holds=False),
)
OURS = ("split", "merge")
LARGEST_BRUSH = 100
"""In px; larger ones are set in napari's own layer controls."""
FIRST_BRUSH = 12
UNDO_LISTED = 20


class CorrectDock(DockPage):
    """Go through the objects and mend them."""

    key, title, icon = "correct", "Correct", "correct"
    tip = "Go through the objects and mend them"

    # -- building ------------------------------------------------------------------------

    def build(self) -> None:
        """Lay out card, classes and tools, and tie them to hand and session."""
        self.hand: Hand = hand_of(self.viewer)
        self.walk = Walk(self.session)
        self._watched: WeakSet[Any] = WeakSet()
        self.begin = self._build_begin()
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
        self._add_more(column)
        self.save = SaveRegion(self.viewer, self.session)
        column.addWidget(self.save)
        self.body.addWidget(self.main)
        self._build_footer()
        self._offer_keys()
        self._listen()

    def _build_begin(self) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        self.begin_words = text("")
        column.addWidget(self.begin_words)
        self.names = QLineEdit()
        self.names.setPlaceholderText("void, precipitate, loop")
        self.names.setMinimumWidth(60)
        self.names.returnPressed.connect(self.draw_from_nothing)
        column.addWidget(named(text("Classes to draw, with commas", wrap=False), self.names))
        column.addWidget(self.names)
        self.draw_button = QPushButton("Start drawing")
        name(self.draw_button, "Start drawing", "Begin without objects and draw them")
        self.draw_button.clicked.connect(self.draw_from_nothing)
        column.addWidget(self.draw_button)
        return part

    def _add_classes(self, column: QVBoxLayout) -> None:
        head = QHBoxLayout()
        head.addWidget(section("Draw as"))
        head.addStretch(1)
        head.addWidget(text("objects", "small", wrap=False))
        column.addLayout(head)
        self.rows = ClassRows()
        self.rows.chosen.connect(self.choose_class)
        column.addWidget(self.rows)

    def _add_tools(self, column: QVBoxLayout) -> None:
        column.addWidget(section("Tools"))
        self.tools = ToolGrid(TOOLS)
        self.tools.chosen.connect(self.use_tool)
        column.addWidget(self.tools)
        self.waits = ElidedLabel(role="second")
        self.waits.hide()
        column.addWidget(self.waits)
        self.where = Segments(
            "Tools work",
            (
                (True, "in the volume", "Tools work on whole objects"),
                (False, "in the slice", "Tools work in the slice that is shown"),
            ),
        )
        self.where.valueChanged.connect(self._on_where)
        column.addWidget(self.where)
        column.addLayout(self._brush_row())
        column.addLayout(self._undo_row())

    def _brush_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.GAP)
        self.brush = QSlider(Qt.Orientation.Horizontal)
        self.brush.setRange(1, LARGEST_BRUSH)
        self.brush.setValue(FIRST_BRUSH)
        self.brush.setMinimumWidth(40)
        self.brush.valueChanged.connect(self._on_brush)
        self.brush_size = text("", wrap=False)
        self.brush_size.setMinimumWidth(52)
        self.brush_size.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        theme.tabular(self.brush_size)
        row.addWidget(named(text("Brush", wrap=False), self.brush))
        row.addWidget(self.brush, 1)
        row.addWidget(self.brush_size)
        row.addWidget(text("[ ]", "key", wrap=False))
        return row

    def _undo_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.undo_button = _tool_button("undo", "Undo", "Undo (Ctrl+Z); hold for the last steps")
        self.undo_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.undo_menu = QMenu(self.undo_button)
        self.undo_menu.aboutToShow.connect(self._fill_undo_menu)
        self.undo_button.setMenu(self.undo_menu)
        self.undo_button.setPopupMode(QToolButton.ToolButtonPopupMode.DelayedPopup)
        self.redo_button = _tool_button("redo", "Redo", "Redo (Ctrl+Shift+Z)")
        self.undo_button.clicked.connect(self.hand.undo)
        self.redo_button.clicked.connect(self.hand.redo)
        self.edits = text("", "second", wrap=False)
        theme.tabular(self.edits)
        row.addWidget(self.undo_button)
        row.addWidget(self.redo_button)
        row.addStretch(1)
        row.addWidget(self.edits)
        return row

    def _add_more(self, column: QVBoxLayout) -> None:
        self.more = More("protect, outlines, smooth, clean", key="correct")
        self.protect = QCheckBox("Protect what is checked")
        self.protect.setChecked(self.hand.stage.drawing.protect)
        name(self.protect, "Protect what is checked", "Drawing goes around checked objects")
        self.protect.toggled.connect(self._on_protect)
        self.outlines = Segments(
            "Show objects as",
            (
                (False, "filled", "Fill the objects (U)"),
                (True, "outlines", "Show only their outlines (U)"),
            ),
        )
        self.outlines.setValue(self.hand.stage.display.outlines)
        self.outlines.valueChanged.connect(self.hand.stage.display.set_outlines)
        self.smooth = QPushButton("Smooth the selected  Q")
        self.smooth.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        name(self.smooth, "Smooth the selected", "Even out the rims of the selected objects (Q)")
        self.smooth.clicked.connect(self.hand.smooth)
        self.clean = CleanForm()
        self.clean.asked.connect(self._on_clean)
        for widget in (self.protect, self.outlines, self.smooth, self.clean):
            self.more.column.addWidget(widget)
        column.addWidget(self.more)

    def _build_footer(self) -> None:
        row = QHBoxLayout()
        self.checked = ElidedLabel()
        row.addWidget(self.checked, 1)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        name(self.progress, "Objects checked")
        self.footer.column.insertLayout(0, row)
        self.footer.column.insertWidget(1, self.progress)
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
        self.listen(events.current_class, self.rows.set_current)
        self.listen(self.hand.tool_changed, self._show_tool)
        self.listen(self.hand.failed, self._on_failed)
        self.listen(self.hand.told, self._on_told)
        self.listen(self.viewer.layers.selection.events.active, self._on_active)

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
        self.walk.reset()
        has = labels is not None
        self.begin.setVisible(not has)
        self.main.setVisible(has)
        if labels is None:
            self._show_begin()
            return
        self.show_controls()
        self.rows.show_classes(labels.classes)
        self.rows.set_current(self.session.current_class)
        self.where.setVisible("z" in labels.axes)
        for layer in self.hand.stage.labels_layers:
            self._watch(layer)
        self._show_brush()
        self._on_edited(None)
        self._show_card()

    def _show_begin(self) -> None:
        image = self.session.image
        model, dataset = self.session.model, self.session.dataset
        for widget in (self.checked, self.progress, self.back):
            widget.hide()
        self.set_mark("")
        if image is None:
            links = (("Open images", lambda: self.session.go_to("data")),)
            self.show_empty("No objects yet. First open an image.", links)
            self.footer.offer("Next object   N", "There are no objects yet", enabled=False)
            return
        self.show_controls()
        known = model.card.classes if model is not None else None
        known = known or (dataset.classes if dataset is not None else None)
        if known is not None and not self.names.text():
            self.names.setText(", ".join(known.names))
        self.begin_words.setText("No objects yet. Predict first, or draw: name the classes.")
        self.footer.offer("Predict →", "Find the objects with a model")

    def _on_table(self, table: Any) -> None:
        if table is not None:
            self._show_card()

    def _on_edited(self, _: Edit | None) -> None:
        labels, history = self.session.labels, self.session.history
        if labels is None:
            return
        self.rows.set_counts(labels.counts())
        undo = history.undo_name if history is not None else ""
        redo = history.redo_name if history is not None else ""
        self.undo_button.setText(f"Undo {undo}".strip())
        self.undo_button.setEnabled(bool(undo))
        name(self.undo_button, f"Undo {undo}", f"Undo {undo} (Ctrl+Z); hold for the last steps")
        self.redo_button.setEnabled(bool(redo))
        name(self.redo_button, f"Redo {redo}".strip(), f"Redo {redo} (Ctrl+Shift+Z)")
        count = len(history.entries) if history is not None else 0
        self.edits.setText(f"{numbers.count(count)} edit{'' if count == 1 else 's'}")
        self._show_card()
        self._show_progress()

    def _show_progress(self) -> None:
        done, count = self.walk.progress
        self.checked.setText(f"{numbers.count(done)} of {numbers.count(count)} checked")
        self.progress.setRange(0, max(1, count))
        self.progress.setValue(done)
        for widget in (self.checked, self.progress, self.back):
            widget.show()
        if count and done == count:
            self.footer.offer("Statistics →", f"All {numbers.count(count)} objects are checked")
            self.checked.setText(f"All {numbers.count(count)} checked")
            self.set_mark("done")
        else:
            self.footer.offer(
                "Next object   N",
                "Go to the next object, lowest mean score first" if count else "No objects yet",
                enabled=bool(count),
            )
            self.set_mark("")

    def _show_card(self, _: Any = None) -> None:
        labels = self.session.labels
        if labels is not None:
            self.card.show_selection(labels, self.hand.selected(), self.session.table)
            some = bool(self.session.selection)
            self.tools.button("holes").setEnabled(some)
            self.smooth.setEnabled(some)

    # -- the layer in hand ---------------------------------------------------------------

    def _watch(self, layer: Any) -> None:
        if layer not in self._watched:
            self._watched.add(layer)
            self.listen(layer.events.mode, self._show_tool)
            self.listen(layer.events.brush_size, self._show_brush)
            layer.brush_size = self.brush.value()

    def _on_active(self, _: Any) -> None:
        self._show_tool()

    def _show_tool(self, _: Any = None) -> None:
        layer = self._layer()
        mode = str(layer.mode) if layer is not None else ""
        self.tools.set_in_hand(self.hand.tool or mode)

    def _layer(self) -> Any:
        return self.hand.stage.layer_of_class(self.session.current_class)

    def _show_brush(self, _: Any = None) -> None:
        labels, layer = self.session.labels, self._layer()
        if labels is None:
            return
        size = int(layer.brush_size) if layer is not None else self.brush.value()
        if size != self.brush.value():
            self.brush.blockSignals(True)
            self.brush.setValue(size)
            self.brush.blockSignals(False)
        step = min(labels.calibration.steps[-2:])
        words = numbers.with_unit(size * step, labels.calibration.length_unit, 2)
        self.brush_size.setText(words)
        name(self.brush, f"Brush {words}", f"Brush size: {words}, {size} px ([ and ])")

    def _on_brush(self, size: int) -> None:
        for layer in self.hand.stage.labels_layers:
            layer.brush_size = size
        self._show_brush()

    # -- what a person does --------------------------------------------------------------

    def act(self) -> None:
        """Go to the next object, or on to where the work goes on."""
        if self.session.labels is None:
            self.session.go_to("predict")
        elif self.walk.progress[0] == self.walk.progress[1] > 0:
            self.session.go_to("statistics")
        else:
            self.next()

    def next(self) -> None:
        """Go to the next unchecked object."""
        self._visit(self.walk.next())

    def previous(self) -> None:
        """Go to the object before."""
        self._visit(self.walk.back())

    def later(self) -> None:
        """Look at the current object later."""
        for number in self.hand.selected():
            self.walk.put_off(number)
        self.next()

    def _visit(self, number: int | None) -> None:
        if number is None:
            return
        self.session.select([number])
        self.hand.stage.activate_labels()
        fly_to(self.viewer, self.session, number)

    def accept(self) -> None:
        """Mark the selected objects as checked; on the walk, go on to the next."""
        walking = self.hand.selected() == [self.walk.at]
        self.hand.accept()
        if walking:
            self.next()

    def choose_class(self, value: int) -> None:
        """Draw as a class; with the class tool in hand, give it to the selected objects."""
        self.session.current_class = value
        if self.hand.tool == "class" and self.hand.selected():
            self.hand.relabel(value)
        self.hand.stage.activate_labels()

    def choose_class_at(self, place: int) -> None:
        """Draw as the n-th class, counted from 0."""
        labels = self.session.labels
        if labels is not None and place < len(labels.classes):
            self.choose_class(labels.classes.values[place])

    def use_tool(self, key: str) -> None:
        """Take a tool in hand, or use it at once."""
        if key == "holes":
            self.hand.fill_holes()
        elif key in OURS:
            self.hand.take(key)
        else:
            self.hand.drop()
            layer = self.hand.stage.activate_labels()
            if layer is not None:
                layer.mode = "pan_zoom" if str(layer.mode) == key else key
        self._show_tool()

    def draw_from_nothing(self) -> None:
        """Begin with an empty label map of the classes that were named."""
        image = self.session.image
        if image is None:
            return
        try:
            classes = self._named_classes()
            empty = LabelMap.empty(image.label_shape, classes, image.label_axes, image.calibration)
        except DefectSegError as error:
            self.say_error("classes", error)
            return
        self.messages.take_back("classes")
        self.session.labels = empty
        self.use_tool("paint")

    def _named_classes(self) -> ClassMap:
        names = [part.strip() for part in self.names.text().split(",") if part.strip()]
        for known in (self.session.model, self.session.dataset):
            classes = getattr(known, "classes", None) or getattr(
                getattr(known, "card", None), "classes", None
            )
            if isinstance(classes, ClassMap) and list(classes.names) == names:
                return classes
        return ClassMap.of(names)

    def _on_clean(self, settings: Any) -> None:
        from napari_defectseg.labels.tools.clean import clean

        labels = self.session.labels
        if labels is None:
            return
        before = len(labels.object_classes)
        self.hand.do(lambda: clean(labels, settings, within=self.hand.within()))
        gone = before - len(labels.object_classes)
        self.clean.tell(f"{numbers.count(gone)} removed" if gone else "Nothing to remove")

    def _on_protect(self, on: bool) -> None:
        self.hand.stage.drawing.protect = on
        self.more.set_changed(() if on else ("checked objects are not protected",))

    def _on_where(self, in_volume: bool) -> None:
        self.hand.in_volume = in_volume
        for layer in self.hand.stage.labels_layers:
            layer.n_edit_dimensions = 3 if in_volume and layer.ndim >= 3 else 2

    def _fill_undo_menu(self) -> None:
        self.undo_menu.clear()
        history = self.session.history
        for steps, tool in enumerate(history.undo_names if history is not None else (), start=1):
            action = self.undo_menu.addAction(f"Undo {tool}")
            action.triggered.connect(lambda _=False, steps=steps: self._undo_many(steps))

    def _undo_many(self, steps: int) -> None:
        for _ in range(steps):
            if self.hand.undo() is None:
                return

    def _on_failed(self, error: Exception) -> None:
        self.say_error("edit", error)

    def _on_told(self, sentence: str) -> None:
        self.waits.setText(sentence)
        self.waits.setVisible(bool(sentence))
        if sentence:
            self.messages.take_back("edit")

    def toggle_outlines(self) -> None:
        """Show objects filled, or by their outlines."""
        self.outlines.setValue(not self.outlines.value)

    def show_place(self, place: str) -> None:
        """Open the form to save a region."""
        if place == "save":
            self.save.set_open(True)

    # -- keys ----------------------------------------------------------------------------

    def _offer_keys(self) -> None:
        """Offer what keys do here, and let the controls say which keys these are."""
        self.keys = keys_of(self.viewer)
        acts = {
            "accept": self.accept,
            "delete": self.hand.delete,
            "split": self.split,
            "fill_holes": self.hand.fill_holes,
            "smooth": self.hand.smooth,
            "relabel": self.change_class,
            "merge": self.merge,
            "next": self.next,
            "back": self.previous,
            "undo": self.hand.undo,
            "redo": self.hand.redo,
            "outlines": self.toggle_outlines,
            "save_region": self.save_here,
        }
        for place in range(9):
            acts[f"class_{place + 1}"] = partial(self.choose_class_at, place)
        self._offered = acts
        for command, act in acts.items():
            self.keys.provide(command, act)
        for command, widget in (
            ("accept", self.card.accept),
            ("delete", self.card.delete),
            ("relabel", self.card.relabel),
            ("split", self.tools.button("split")),
            ("merge", self.tools.button("merge")),
            ("fill_holes", self.tools.button("holes")),
            ("smooth", self.smooth),
            ("back", self.back),
            ("save_region", self.save.open_button),
        ):
            self.keys.follow(widget, command)

    def split(self) -> None:
        """Take the split tool in hand, or put it away."""
        self.use_tool("split")

    def merge(self) -> None:
        """Take the merge tool in hand, or merge what was chosen."""
        self.use_tool("merge")

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
        super().release()


def _tool_button(icon: str, words: str, tip: str) -> QToolButton:
    button = QToolButton()
    icons.set_icon(button, icon, size=14)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    name(button, words, tip)
    return button
