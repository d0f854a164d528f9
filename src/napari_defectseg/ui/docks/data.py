"""The Data dock: open images and say how large a pixel is."""

from __future__ import annotations

from napari_defectseg.ui.docks.base import DockPage


class DataDock(DockPage):
    """Open images and say how large a pixel is."""

    key, title, icon = "data", "Data", "data"
    tip = "Open images and say how large a pixel is"

    def build(self) -> None:
        """Show what to do first."""
        self.footer.offer("Open images…", "Open files, a folder or a stack")
        self.show_empty(
            "Drop a micrograph, a folder or a tomogram here, or pick one that napari already shows."
        )
