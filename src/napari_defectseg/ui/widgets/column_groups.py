"""Which groups of columns are measured beyond the basic ones."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QWidget

from napari_defectseg.measurement.settings import GROUPS
from napari_defectseg.ui.widgets.text import Link


class ColumnGroups(Link):
    """A link that opens the list of groups; each is ticked or not.

    Signals
    -------
    groups_chosen : tuple of str
        Those that are ticked now.
    """

    groups_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Measure…", "Choose what is measured beyond the basic columns", parent)
        self.menu_of_groups = QMenu(self)
        self.menu_of_groups.setToolTipsVisible(True)
        for name, tip in GROUPS:
            action = self.menu_of_groups.addAction(f"{name}: {tip}")
            action.setCheckable(True)
            action.setData(name)
            action.setToolTip(tip)
        self.menu_of_groups.triggered.connect(lambda _: self.groups_chosen.emit(self.groups))
        self.clicked.connect(self._open)

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups that are ticked."""
        return tuple(a.data() for a in self.menu_of_groups.actions() if a.isChecked())

    def show_groups(self, groups: tuple[str, ...]) -> None:
        """Tick some groups; single measurements among them are none of the list."""
        for action in self.menu_of_groups.actions():
            action.setChecked(action.data() in groups)

    def _open(self) -> None:
        self.menu_of_groups.popup(self.mapToGlobal(self.rect().bottomLeft()))
