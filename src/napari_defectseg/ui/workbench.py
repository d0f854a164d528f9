"""The workbench: subject on top, rail at the side, one dock in front, status below."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from qtpy.QtCore import Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_defectseg.core.registry import Registry
from napari_defectseg.ui import theme
from napari_defectseg.ui.drops import Drops
from napari_defectseg.ui.keys import keys_of
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.widgets.orphan import OrphanWatch
from napari_defectseg.ui.widgets.rail import Rail
from napari_defectseg.ui.widgets.status import StatusLine
from napari_defectseg.ui.widgets.subject import SubjectBar

if TYPE_CHECKING:
    import napari.viewer

    from napari_defectseg.ui.docks.base import DockPage


TITLE = "Workbench (Defects)"
"""Its dock is called as the entry of the Plugins menu calls it, so that the entry finds it."""


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

    # napari hands its viewer to a contributed widget that says exactly this type.
    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.viewer = getattr(viewer, "__wrapped__", viewer)
        self.session = session_of(self.viewer)
        self._entries = {entry.key: entry for entry in docks()}
        self._classes: Registry[type[DockPage]] = Registry(
            "dock", {entry.key: entry.target for entry in self._entries.values()}
        )
        self._pages: dict[str, DockPage] = {}
        self._drops: Drops | None = None
        self.current = ""
        self.setProperty("ds", "top")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._lay_out()
        self._follower: theme.Follower | None = theme.Follower(self, self.viewer)
        self.session.events.go.connect(self.bring)
        self.session.events.standing.connect(self._on_standing)
        self._provide()
        OrphanWatch(self, self.release, self.viewer)
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
        beside = _beside(self.viewer, key)
        if beside is not None:
            _raise(beside)
            if place:
                beside.show_place(place)
            return
        page = self.page(key)
        self.stack.setCurrentWidget(page)
        self.rail.set_current(key)
        self.current = key
        if place:
            page.show_place(place)

    def open_in(self, key: str, *paths: str) -> None:
        """Bring Data or Model to the front and let it open files."""
        self.bring(key)
        page = _beside(self.viewer, key) or self.page(key)
        if key == "data":
            page.opener.open(list(paths))
        else:
            page.open(paths[0])

    def showEvent(self, event: QShowEvent) -> None:
        """Take files that are dropped on the window from now on."""
        super().showEvent(event)
        top: QWidget = self
        while (above := top.parentWidget()) is not None:
            top = above
        if self._drops is None and top is not self:
            self._drops = Drops(top, _OpenIn(self))

    def _on_standing(self, key: str) -> None:
        """Give up a page that stands in a dock of its own now: it is there once a viewer."""
        page = self._pages.pop(key, None)
        if page is None:
            return
        self.stack.removeWidget(page)
        page.release()
        page.deleteLater()
        if self.current == key:
            other = next((one for one in self._entries if not _beside(self.viewer, one)), None)
            self.current = ""
            if other is not None:
                self.bring(other)

    def press_primary(self) -> None:
        """Press the primary button of the dock in front."""
        self.page(self.current).press_primary()

    def show_keys(self) -> None:
        """Show all keys over the dock in front."""
        self.page(self.current).show_keys()

    def save_region(self) -> None:
        """Bring the form to save a region to the front, also before Correct was ever there."""
        self.bring("correct", "save")

    def _provide(self) -> None:
        self._offers = {
            "primary": self.press_primary,
            "keys": self.show_keys,
            "save_region": self.save_region,
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
        self.session.events.standing.disconnect(self._on_standing)
        if self._drops is not None:
            self._drops.stop()
            self._drops = None
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


class _OpenIn:
    """Opens dropped files in a workbench, and does not keep it alive."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = ref(workbench)

    def __call__(self, key: str, paths: list[str]) -> None:
        workbench = self._workbench()
        if workbench is not None:
            workbench.open_in(key, *paths)


def _beside(viewer: Any, key: str) -> DockPage | None:
    from napari_defectseg.ui.docks.base import standing_page

    return standing_page(viewer, key)


def _raise(page: QWidget) -> None:
    """Bring a dock of its own to the front."""
    above: QWidget | None = page
    while above is not None and not isinstance(above, QDockWidget):
        above = above.parentWidget()
    if above is not None:
        above.show()
        above.raise_()
    page.setFocus()


_workbenches: WeakKeyDictionary[Any, Workbench] = WeakKeyDictionary()


def workbench_of(viewer: napari.Viewer) -> Workbench | None:
    """Return the workbench of a viewer, None if none is open."""
    return _workbenches.get(getattr(viewer, "__wrapped__", viewer))


def open_workbench(viewer: napari.Viewer) -> Workbench | None:
    """Return the workbench of a viewer, opened at its side if it is not there yet.

    None for a viewer without a window.
    """
    real = getattr(viewer, "__wrapped__", viewer)
    window = getattr(real, "window", None)
    if window is None:
        return None
    bench = workbench_of(real)
    if bench is None:
        bench = Workbench(real)
        window.add_dock_widget(bench, name=TITLE, area="right")
    else:
        _raise(bench)
    return bench
