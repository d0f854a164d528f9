"""The key sheet: a panel over a page; type to filter, click a row to change its key."""

from __future__ import annotations

from typing import Any

from napari.settings import get_settings
from qtpy.QtCore import QEvent, QModelIndex, QObject, QSize, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_defectseg.ui import icons, theme
from napari_defectseg.ui.commands import COMMANDS
from napari_defectseg.ui.key_table import KeyTaken
from napari_defectseg.ui.keys import Keys
from napari_defectseg.ui.widgets.text import name, text

NAPARI = (
    ("napari:activate_labels_paint_mode", "Brush"),
    ("napari:activate_labels_erase_mode", "Erase"),
    ("napari:activate_labels_fill_mode", "Fill"),
    ("napari:activate_labels_picker_mode", "Take the class of an object"),
    ("napari:activate_labels_polygon_mode", "Polygon"),
    ("napari:activate_labels_pan_zoom_mode", "Move and zoom"),
    ("napari:hold_for_pan_zoom", "Move and zoom, while held"),
    ("napari:decrease_brush_size", "Smaller brush"),
    ("napari:increase_brush_size", "Larger brush"),
    ("napari:toggle_selected_visibility", "Show or hide the layer"),
)
"""napari's own keys that belong to the work, shown for the learning; changed in its settings."""
QT_NAMES = {
    "Return": "Enter", "PgDown": "PageDown", "PgUp": "PageUp", "Del": "Delete", "Ins": "Insert",
    "Esc": "Escape",
}  # fmt: skip
"""Where Qt and napari spell a key differently."""
MODIFIERS = (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta)


class KeySheet(QFrame):
    """All keys that do something now; covers `page` until it is closed.

    Parameters
    ----------
    page : QWidget
        What it lies over.
    keys : Keys
    dock : str
        Whose keys come first.
    """

    def __init__(self, page: QWidget, keys: Keys, dock: str = "") -> None:
        super().__init__(page)
        self._page, self._keys, self._dock = page, keys, dock
        self._waiting = ""
        self._back = page.focusWidget()
        self.setProperty("ds", "top")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, True)
        self.setAccessibleName("Keys")
        self._lay_out()
        self._fill()
        keys.changed.connect(self._fill)
        page.installEventFilter(self)
        self.setGeometry(page.rect())
        theme.apply(self, keys.theme)
        self.show()
        self.raise_()
        self.filter.setFocus()

    def close_sheet(self) -> None:
        """Go away; the page has the focus again."""
        self._keys.changed.disconnect(self._fill)
        self._page.removeEventFilter(self)
        self.hide()
        if self._back is not None:
            self._back.setFocus()
        self.deleteLater()

    def rows(self) -> list[tuple[str, str]]:
        """Return what is shown: words and keys."""
        shown = (row for row in range(self.table.rowCount()) if not self.table.isRowHidden(row))
        return [(self.table.item(row, 0).text(), self.table.item(row, 1).text()) for row in shown]

    def wait_for_key(self, command: str) -> None:
        """Take the next key that is pressed as the key of a command."""
        self._waiting = command
        self._say(
            f"Press the new key for “{COMMANDS[command].words}”. "
            "Backspace takes it away, Escape leaves it as it is."
        )
        self.table.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the page; take the key that is waited for before anybody else."""
        if watched is self._page and event.type() == QEvent.Type.Resize:
            self.setGeometry(self._page.rect())
        kind = event.type()
        if self._waiting and watched in (self.table, self.filter):
            if kind == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if kind == QEvent.Type.KeyPress:
                self._take(event)
                return True
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """`Escape` closes the sheet; other keys stay here."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_sheet()
        event.accept()

    # -- how it is laid out --------------------------------------------------------------

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, theme.GAP)
        column.setSpacing(theme.GAP)
        row = QHBoxLayout()
        row.addWidget(text("Keys", "title", wrap=False), 1)
        cross = QToolButton()
        cross.setProperty("ds", "bare")
        icons.set_icon(cross, "close", size=12)
        name(cross, "Close the keys", "Close the keys (Escape)")
        cross.clicked.connect(self.close_sheet)
        row.addWidget(cross)
        column.addLayout(row)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Type to filter")
        name(self.filter, "Filter the keys", "Words or a key")
        self.filter.textChanged.connect(self._narrow)
        self.filter.installEventFilter(self)
        column.addWidget(self.filter)
        column.addWidget(self._make_table(), 1)
        self.hint = text("Click a row to change its key.", "second")
        column.addWidget(self.hint)
        self.all_back = QPushButton("Default keys")
        self.all_back.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        name(self.all_back, "Default keys", "Give every command its default key again")
        self.all_back.clicked.connect(self._keys.table.reset)
        column.addWidget(self.all_back)

    def _make_table(self) -> QTableWidget:
        self.table = QTableWidget(0, 2)
        name(self.table, "Keys and what they do", "Enter changes the key of a row")
        self.table.horizontalHeader().hide()
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setMinimumSectionSize(26)
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setMinimumWidth(120)
        self.table.setTabKeyNavigation(False)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.table.setItemDelegate(_Wrapping(self.table))
        self.table.cellClicked.connect(self._clicked)
        self.table.cellActivated.connect(self._clicked)
        self.table.installEventFilter(self)
        return self.table

    def _fill(self, _: str = "") -> None:
        offered = self._keys.offered()
        ours = sorted(offered, key=lambda one: COMMANDS[one].dock != self._dock)
        rows = [(COMMANDS[one].words, self._keys.key(one), one) for one in ours]
        rows += [(f"{words} (napari)", key, "") for words, key in _of_napari()]
        self.table.setRowCount(len(rows))
        for row, (words, key, command) in enumerate(rows):
            self._set(row, 0, words, command)
            own = bool(command) and self._keys.table.is_own(command)
            self._set(row, 1, f"{key} ·" if own else key, command)
        self._narrow(self.filter.text())

    def _set(self, row: int, column: int, words: str, command: str) -> None:
        item = QTableWidgetItem(words)
        item.setData(Qt.ItemDataRole.UserRole, command)
        item.setToolTip(words if command else f"{words}: changed in napari's preferences")
        if column == 1:
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.table.setItem(row, column, item)

    def _narrow(self, words: str) -> None:
        wanted = words.lower().split()
        for row in range(self.table.rowCount()):
            said = " ".join(self.table.item(row, column).text().lower() for column in (0, 1))
            self.table.setRowHidden(row, not all(word in said for word in wanted))

    # -- changing a key ------------------------------------------------------------------

    def _clicked(self, row: int, _: int) -> None:
        command = self.table.item(row, 0).data(Qt.ItemDataRole.UserRole)
        if command:
            self.wait_for_key(command)
        else:
            self._say("This key is napari's own: File ▸ Preferences ▸ Shortcuts changes it.")

    def _take(self, event: Any) -> None:
        if event.key() in MODIFIERS:
            return
        command, self._waiting = self._waiting, ""
        if event.key() == Qt.Key.Key_Escape:
            self._say("Nothing was changed.")
            return
        key = "" if event.key() == Qt.Key.Key_Backspace else spoken(event)
        try:
            self._keys.change(command, key)
        except KeyTaken as error:
            self._waiting = command
            self._say(str(error))
            return
        words = COMMANDS[command].words
        self._say(f"“{words}” is {self._keys.key(command)} now." if key else f"“{words}”: no key.")

    def _say(self, words: str) -> None:
        self.hint.setText(words)
        self.hint.setAccessibleName(words)


class _Wrapping(QStyledItemDelegate):
    """Asks for the height of words beside the padding, which Qt leaves out of account."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Want the height of the words in the width that is left to them."""
        inner = QStyleOptionViewItem(option)
        inner.rect.setWidth(inner.rect.width() - 2 * theme.SPACE)
        return super().sizeHint(inner, index)


def spoken(event: QKeyEvent) -> str:
    """Return the key of an event in napari's spelling."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    whole = QKeySequence(event.keyCombination()).toString(QKeySequence.SequenceFormat.PortableText)
    if modifiers != event.modifiers():
        whole = whole.replace("Num+", "")
    head, plus, last = whole.rpartition("+")
    if not last:  # the key is + itself
        head, plus, last = whole[:-2], "+" if len(whole) > 1 else "", "+"
    return f"{head}{plus}{QT_NAMES.get(last, last)}"


def _of_napari() -> list[tuple[str, str]]:
    shortcuts = get_settings().shortcuts.shortcuts
    return [
        (words, str(shortcuts[action][-1])) for action, words in NAPARI if shortcuts.get(action)
    ]
