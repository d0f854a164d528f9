"""The workbench: subject on top, rail at the side, one dock in front, status below."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from napari_defectseg.core.registry import Registry
from napari_defectseg.ui import theme
from napari_defectseg.ui.keys import keys_of
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.widgets.orphan import OrphanWatch
from napari_defectseg.ui.widgets.rail import Rail
from napari_defectseg.ui.widgets.status import StatusLine
from napari_defectseg.ui.widgets.subject import SubjectBar

if TYPE_CHECKING:
    import napari

    from napari_defectseg.ui.docks.base import DockPage


@dataclass(frozen=True)
class DockEntry:
    """One dock as the rail and the menus know it, before its module is imported."""

    key: str
    title: str
    target: str
    tip: str

    @property
    def exists(self) -> bool:
        """Whether its module is there."""
        return find_spec(self.target.partition(":")[0]) is not None


DOCKS: tuple[DockEntry, ...] = tuple(
    DockEntry(key, title, f"napari_defectseg.ui.docks.{key}:{title}Dock", tip)
    for key, title, tip in (
        ("data", "Data", "Open images and say how large a pixel is"),
        ("model", "Model", "Open a model and check its classes"),
        ("predict", "Predict", "Find the defects in this image or all images"),
        ("correct", "Correct", "Go through the objects and mend them"),
        ("review", "Review", "Look at the most doubtful objects first"),
        ("statistics", "Statistics", "Sizes, fractions and densities"),
        ("dataset", "Dataset", "Images with corrected masks, to train on"),
        ("train", "Train", "Train a model on a dataset"),
    )
)
"""All docks in the order of work; the keys of `commands` never move, whichever exist."""


def docks() -> tuple[DockEntry, ...]:
    """Return the docks that exist, in the order of work; digits never move."""
    return tuple(entry for entry in DOCKS if entry.exists)


class Workbench(QWidget):
    """All docks of one viewer in one place.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        self.viewer = getattr(viewer, "__wrapped__", viewer)
        self.session = session_of(self.viewer)
        self._entries = {entry.key: entry for entry in docks()}
        self._classes: Registry[type[DockPage]] = Registry(
            "dock", {entry.key: entry.target for entry in self._entries.values()}
        )
        self._pages: dict[str, DockPage] = {}
        self.current = ""
        self.setProperty("ds", "top")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._lay_out()
        self._follower: theme.Follower | None = theme.Follower(self, self.viewer)
        self.session.events.go.connect(self.bring)
        self._provide()
        OrphanWatch(self, self.release)
        _workbenches[self.viewer] = self
        self.bring("data")

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.subject = SubjectBar(self.viewer, self.session)
        self.rail = Rail([(e.key, e.title, e.key, e.tip, "") for e in self._entries.values()])
        self.rail.chosen.connect(self.bring)
        self.stack = QStackedWidget()
        self.status = StatusLine(self.session)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(self.stack, 1)
        column.addWidget(self.subject)
        column.addLayout(row, 1)
        column.addWidget(self.status)

    def page(self, key: str) -> DockPage:
        """Return a dock, made when first asked for."""
        if key not in self._pages:
            page = self._classes.get(key)(self.viewer, in_workbench=True)
            page.marked.connect(self.rail.button(key).set_mark)
            self._pages[key] = page
            self.stack.addWidget(page)
            theme.apply(self, self.viewer.theme)
            self.rail.button(key).set_mark(page.mark)
        return self._pages[key]

    def pages(self) -> tuple[DockPage, ...]:
        """Return the docks that have been made."""
        return tuple(self._pages.values())

    def bring(self, key: str, place: str = "") -> None:
        """Bring a dock to the front, and a place of it into view."""
        if key not in self._entries:
            return
        page = self.page(key)
        self.stack.setCurrentWidget(page)
        self.rail.set_current(key)
        self.current = key
        if place:
            page.show_place(place)

    def press_primary(self) -> None:
        """Press the primary button of the dock in front."""
        self.page(self.current).press_primary()

    def show_keys(self) -> None:
        """Show all keys over the dock in front."""
        self.page(self.current).show_keys()

    def _provide(self) -> None:
        self._offers = {
            "primary": self.press_primary,
            "keys": self.show_keys,
            "next_image": self.subject.next,
            "previous_image": self.subject.previous,
            **{f"dock_{key}": _Bring(self, key) for key in self._entries},
        }
        self.keys = keys_of(self.viewer)
        for command, act in self._offers.items():
            self.keys.provide(command, act)
        self.keys.follow(self.subject.on, "next_image")
        self.keys.follow(self.subject.back, "previous_image")
        self.keys.changed.connect(self._say_keys)
        self._say_keys()

    def _say_keys(self, command: str = "") -> None:
        for key in self._entries:
            if command in ("", f"dock_{key}"):
                self.rail.button(key).set_shortcut(self.keys.key(f"dock_{key}"))

    def release(self) -> None:
        """Stop all work of its docks and listen no more."""
        for page in self._pages.values():
            page.release()
        self._pages.clear()
        for command, act in self._offers.items():
            self.keys.withdraw(command, act)
        self._offers = {}
        self.keys.changed.disconnect(self._say_keys)
        self.session.events.go.disconnect(self.bring)
        self.subject.release()
        self.status.release()
        if self._follower is not None:
            self._follower.stop()
            self._follower = None
        _workbenches.pop(self.viewer, None)


class _Bring:
    """Brings a dock of a workbench to the front, and does not keep the workbench alive."""

    def __init__(self, workbench: Workbench, key: str) -> None:
        self._workbench, self._key = ref(workbench), key

    def __call__(self) -> None:
        workbench = self._workbench()
        if workbench is not None:
            workbench.bring(self._key)


_workbenches: WeakKeyDictionary[Any, Workbench] = WeakKeyDictionary()


def workbench_of(viewer: napari.Viewer) -> Workbench | None:
    """Return the workbench of a viewer, None if none is open."""
    return _workbenches.get(getattr(viewer, "__wrapped__", viewer))
