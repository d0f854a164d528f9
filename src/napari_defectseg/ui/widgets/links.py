"""Links in a row that goes on in the next line where there is no room."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QWidget
from superqt import QFlowLayout

from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.text import Link


class Links(QWidget):
    """A few links; those that are not shown leave no gap."""

    def __init__(self, links: Sequence[Link]) -> None:
        super().__init__()
        self.all = tuple(links)
        self._flow = QFlowLayout(self)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self._flow.setSpacing(theme.SPACE)
        for link in self.all:
            link.setParent(self)
        self.show_only(self.all)

    def show_only(self, links: Sequence[Link]) -> None:
        """Show some of them, in their order."""
        while self._flow.count():
            self._flow.takeAt(0)
        for link in self.all:
            shown = link in links
            link.setVisible(shown)
            if shown:
                self._flow.addWidget(link)
        # The flow does not notice by itself that its links are others.
        self._flow.invalidate()
        self._flow.setGeometry(self.rect())
        self.updateGeometry()
