"""What each layer is: the region to count, left out, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QGridLayout, QVBoxLayout, QWidget
from superqt import QFlowLayout

from napari_defectseg.ui import theme
from napari_defectseg.ui.regions import COUNT, EXCLUDE, ROLES
from napari_defectseg.ui.widgets.text import ElidedLabel, Link, choice, name, text

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_defectseg.ui.regions import Regions


class RoleRows(QWidget):
    """One row a layer that can have a role, and links to draw a new one."""

    def __init__(self, regions: Regions) -> None:
        super().__init__()
        self._regions = regions
        self._shown: tuple[Layer, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.grid = QGridLayout()
        self.grid.setSpacing(theme.SPACE)
        self.grid.setColumnStretch(0, 1)
        column.addLayout(self.grid)
        links = QWidget()
        flow = QFlowLayout(links)
        flow.setContentsMargins(0, 0, 0, 0)
        self.draw_count = Link("draw a region to count", "Only inside it is counted")
        self.draw_exclude = Link("draw what to leave out", "Holes, vacuum, the scale bar")
        self.draw_count.clicked.connect(lambda: regions.draw(COUNT))
        self.draw_exclude.clicked.connect(lambda: regions.draw(EXCLUDE))
        flow.addWidget(self.draw_count)
        flow.addWidget(self.draw_exclude)
        column.addWidget(links)
        self.told = text("", "second")
        column.addWidget(self.told)
        self.renew()

    @property
    def words(self) -> tuple[str, ...]:
        """Return what is chosen, for the line that hides the rows."""
        roles = [self._regions.role(layer) for layer in self._regions.layers]
        return tuple(called for role, called in ROLES if role and role in roles)

    def renew(self) -> None:
        """Show the layers and roles as they are."""
        layers = self._regions.layers
        if layers != self._shown:
            self._shown = layers
            self._fill()
        for row, layer in enumerate(layers):
            label = self.grid.itemAtPosition(row, 0).widget()
            box = self.grid.itemAtPosition(row, 1).widget()
            label.setText(layer.name)
            name(box, f"What {layer.name} is", "The region to count, left out, or nothing")
            box.setCurrentIndex(box.findData(self._regions.role(layer)))
        failure = self._regions.failure
        self.told.setText(str(failure) if failure is not None else "")
        self.told.setVisible(failure is not None)

    def _fill(self) -> None:
        while self.grid.count():
            widget = self.grid.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        for row, layer in enumerate(self._shown):
            box = choice(layer.name)
            for role, called in ROLES:
                box.addItem(called, role)
            box.activated.connect(
                lambda _, layer=layer, box=box: self._regions.set_role(layer, box.currentData())
            )
            self.grid.addWidget(ElidedLabel(layer.name), row, 0)
            self.grid.addWidget(box, row, 1)
        self.grid.setColumnStretch(1, 1)
