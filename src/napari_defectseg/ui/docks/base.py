"""`DockPage`: what every dock is: title, messages, scrolling body, fixed foot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary, WeakMethod, WeakValueDictionary

from qtpy.compat import isalive
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QFrame, QScrollArea, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.progress import Steps
from napari_defectseg.ui import theme
from napari_defectseg.ui.canvas_notes import notes_of
from napari_defectseg.ui.jobs import Job
from napari_defectseg.ui.keeper import keeper_of
from napari_defectseg.ui.kept_edits import OFFERS_RESTORE, KeptEdits
from napari_defectseg.ui.keys import keys_of
from napari_defectseg.ui.preferences import applied
from napari_defectseg.ui.session import Session, session_of
from napari_defectseg.ui.stage import stage_of
from napari_defectseg.ui.widgets.empty import EmptyState
from napari_defectseg.ui.widgets.footer import Footer
from napari_defectseg.ui.widgets.key_sheet import KeySheet
from napari_defectseg.ui.widgets.orphan import OrphanWatch
from napari_defectseg.ui.widgets.strip import Action, Messages
from napari_defectseg.ui.widgets.text import text
from napari_defectseg.ui.windows import is_ending

if TYPE_CHECKING:
    import napari.viewer

Tie = Callable[[], object]
"""Undoes something that the page has set up elsewhere; holds the page weakly."""

PAGE_WIDTH = 244
"""No page may need more: the narrowest dock is 300 px, the rail takes 56."""


class DockPage(QWidget):
    """Base of all docks; works alone in a dock widget and as a page of the workbench.

    A subclass sets the four class fields, fills `body` in `build`, and writes
    `act` (what the primary button does). Everything it hears from the session goes
    through `listen`, everything long through `run`.

    Parameters
    ----------
    viewer : napari.Viewer
    in_workbench : bool
        The workbench dresses all its pages in the theme; a page alone dresses itself.
    """

    key: ClassVar[str] = ""
    """Its name in the rail and in `Session.go_to`: ``"data"``, …"""
    title: ClassVar[str] = ""
    icon: ClassVar[str] = ""
    tip: ClassVar[str] = ""
    """One line for the tooltip of its rail button and menu entry."""

    marked = Signal(str)
    """Its mark in the rail has changed: ``""``, ``"done"`` or ``"attention"``."""

    # napari hands its viewer to a contributed widget that says exactly this type.
    def __init__(self, viewer: napari.viewer.Viewer, in_workbench: bool = False) -> None:
        super().__init__()
        self.viewer = getattr(viewer, "__wrapped__", viewer)
        self.session: Session = session_of(viewer)
        self.stage = stage_of(viewer)
        self.keeper = keeper_of(self.session)
        self.keys = keys_of(viewer)
        applied().follow()
        self.notes = notes_of(viewer)
        self.mark = ""
        self.released = False
        self._ties: list[Tie] = []
        self._heard: list[tuple[Any, WeakMethod[Callable[..., Any]]]] = []
        self._follower: theme.Follower | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.title)
        self._lay_out()
        self._say_key()
        self.listen(self.keys.changed, self._say_key)
        self.build()
        if self.key in OFFERS_RESTORE:
            self.kept_edits = KeptEdits(self)
        self.notes.enter()
        self._ties.append(self.notes.leave)
        self.destroyed.connect(_Release(self._ties))
        if not in_workbench:
            self.setProperty("ds", "top")
            self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, True)
            self._follower = theme.Follower(self, self.viewer)
            self.provide("primary", self.press_primary)
            self.provide("keys", self.show_keys)
            self._stand()
        self.refresh()

    # -- what a subclass writes ----------------------------------------------------------

    def build(self) -> None:
        """Fill `body` with controls and tie them to the session."""

    def refresh(self) -> None:
        """Show the session as it is now; called once after `build`."""

    def act(self) -> None:
        """Do what the primary button says."""

    def go_on(self) -> None:
        """Do what the button beside the primary one says."""

    def show_place(self, place: str) -> None:
        """Bring a place of the page into view, named by whoever sent the user here."""

    # -- what it finds here --------------------------------------------------------------

    def listen(self, signal: Any, slot: Callable[..., Any]) -> bool:
        """Call `slot`, a method of the page, at `signal` (psygnal or napari) until it is gone.

        Said twice, it is called once; false the second time.
        """
        held = WeakMethod(slot)
        if any(known is signal and method == held for known, method in self._heard):
            return False
        self._heard.append((signal, held))
        signal.connect(slot)

        def untie() -> None:
            if (method := held()) is not None:
                signal.disconnect(method)

        self._ties.append(untie)
        return True

    def provide(self, command: str, act: Callable[[], Any]) -> None:
        """Offer a command of `ui.commands` by its key, a method of the page, until it is gone."""
        self.keys.provide(command, act)
        keys, held = self.keys, WeakMethod(act)
        self._ties.append(lambda: keys.withdraw(command, held()))

    def run(
        self,
        lane: str,
        steps: Steps[Any],
        *,
        text: str = "",
        on_done: Callable[[Any], None] | None = None,
        on_step: Callable[[Any], None] | None = None,
        on_failed: Callable[[Exception], None] | None = None,
        on_stopped: Callable[[Any], None] | None = None,
        primary: bool = True,
        **how: Any,
    ) -> Job:
        """Run long work; with `primary` the primary button is *Stop* meanwhile.

        A failure without `on_failed` becomes a message of the topic `lane`; `how` goes to
        `Jobs.start`.
        """
        self.messages.take_back(lane)
        if primary:
            self.footer.set_working(True)

        def ending(told: Callable[[Any], None] | None) -> Callable[[Any], None]:
            def told_at_end(value: Any) -> None:
                if primary:
                    self.footer.set_working(False)
                if told is not None:
                    told(value)

            return told_at_end

        return self.session.jobs.start(
            lane,
            steps,
            text=text,
            owner=self,
            on_done=ending(on_done),
            on_step=on_step,
            on_failed=ending(on_failed or (lambda error: self.say_error(lane, error))),
            on_stopped=ending(on_stopped),
            **how,
        )

    def say_error(self, topic: str, error: Exception, actions: Sequence[Action] = ()) -> None:
        """Show a failure as a message: its sentence and hint, or that it is our mistake."""
        if isinstance(error, DefectSegError):
            sentence = str(error)
        else:
            sentence = (
                f"The program made a mistake here ({type(error).__name__}: {error}). "
                "Nothing on disk was touched; the whole report is in napari's notifications."
            )
        self.messages.say(topic, "error", sentence, actions)

    def show_empty(self, sentence: str, actions: Sequence[Action] = ()) -> None:
        """Show one sentence and links instead of the controls."""
        self.empty.say(sentence, actions)
        self._pages.setCurrentWidget(self.empty)

    def show_controls(self) -> None:
        """Show the controls."""
        self._pages.setCurrentWidget(self._controls)

    @property
    def is_empty(self) -> bool:
        """Whether the empty state is shown."""
        return self._pages.currentWidget() is self.empty

    def set_mark(self, mark: str) -> None:
        """Set the page's mark in the rail: ``""`` or ``"done"``; messages add attention."""
        self._own_mark = mark
        shown = "attention" if self.messages.worst() in ("warning", "error") else mark
        if shown != self.mark:
            self.mark = shown
            self.marked.emit(shown)

    # -- how it is laid out --------------------------------------------------------------

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.heading = text(self.title, "title", wrap=False)
        self.heading.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, theme.SPACE)
        column.addWidget(self.heading)
        column.addWidget(self._scroll(), 1)
        self.footer = Footer()
        self.footer.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, True)
        self.footer.acted.connect(self.act)
        self.footer.stopped.connect(self.stop)
        self.footer.went_on.connect(self.go_on)
        column.addWidget(self.footer)

    def _scroll(self) -> QScrollArea:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(theme.MARGIN, theme.SPACE, theme.MARGIN, theme.MARGIN)
        column.setSpacing(theme.GAP)
        self.messages = Messages()
        self.messages.changed.connect(self._on_messages)
        self._own_mark = ""
        column.addWidget(self.messages)
        pages = QWidget()
        self._pages = QStackedLayout(pages)
        self._controls = QWidget()
        self.body = QVBoxLayout(self._controls)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(theme.GAP)
        self.body.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.empty = EmptyState(self.icon)
        self._pages.addWidget(self._controls)
        self._pages.addWidget(self.empty)
        column.addWidget(pages, 1)
        self.scroll = _Scroll()
        self.scroll.setWidget(inside)
        return self.scroll

    def _say_key(self, command: str = "primary") -> None:
        if command in ("", "primary"):
            self.footer.set_key(self.keys.key("primary"))

    def _on_messages(self) -> None:
        self.set_mark(self._own_mark)

    def _stand(self) -> None:
        """Be found as a dock of its own, and go when napari closes it."""
        standing = _standing.setdefault(self.viewer, WeakValueDictionary())
        standing[self.key] = self
        OrphanWatch(self, self.release, self.viewer)
        self.session.events.standing.emit(self.key)

    def stop(self) -> None:
        """Stop what the primary button started; what is done is kept."""
        for job in self.session.jobs.owned_by(self):
            self.session.jobs.stop(job.lane)

    def press_primary(self) -> None:
        """Do what the primary button stands for now; for the key `Ctrl+Enter`."""
        if self.footer.primary.isEnabled():
            self.footer.primary.click()

    def show_keys(self) -> None:
        """Show all keys in a panel over the page; shown already, close it."""
        shown = self.findChild(KeySheet)
        if shown is not None and shown.isVisible():
            shown.close_sheet()
        else:
            KeySheet(self, self.keys, self.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """`Return` in the form presses the primary button, `Escape` stops what runs."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.press_primary()
        elif event.key() == Qt.Key.Key_Escape and self.footer.working:
            self.stop()
        else:
            super().keyPressEvent(event)

    def release(self) -> None:
        """Stop its work and listen no more; called before it is thrown away."""
        self.released = True
        self.session.jobs.stop_owned(self)
        _Release(self._ties)()
        if self._follower is not None:
            self._follower.stop()
            self._follower = None


_standing: WeakKeyDictionary[Any, WeakValueDictionary[str, DockPage]] = WeakKeyDictionary()


def standing_page(viewer: Any, key: str) -> DockPage | None:
    """Return the page that stands in a dock of its own, None if there is none."""
    page = _standing.get(viewer, {}).get(key)
    return page if page is not None and isalive(page) and not page.released else None


class _Release:
    """Unties a page that Qt destroys without asking; holds the ties, not the page."""

    def __init__(self, ties: list[Tie]) -> None:
        self._ties = ties

    def __call__(self, *_: object) -> None:
        if is_ending():
            self._ties.clear()
        while self._ties:
            self._ties.pop()()


class _Scroll(QScrollArea):
    """Scrolls up and down only; its content is as wide as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def minimumSizeHint(self):
        """Need the width of the content, so that nothing can be cut without a sign."""
        hint = super().minimumSizeHint()
        if self.widget() is not None:
            hint.setWidth(self.widget().minimumSizeHint().width())
        hint.setHeight(60)
        return hint
