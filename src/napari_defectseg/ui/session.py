"""`Session`: what is current in one viewer; the only thing docks share.

A dock reads a field, listens to its signal in `Session.events`, sets one field, and
calls one public function through `Session.jobs`. Docks do not know each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload
from weakref import WeakKeyDictionary

from psygnal import Signal, SignalGroup

from napari_defectseg.core.acquisition import Acquisition
from napari_defectseg.ui.jobs import Jobs

if TYPE_CHECKING:
    import napari

    from napari_defectseg.labels.edit import Edit

T = TypeVar("T")


class SessionEvents(SignalGroup):
    """One signal a field, sent with the new value, and three that are no fields."""

    image = Signal(object)
    collection = Signal(object)
    index = Signal(object)
    model = Signal(object)
    prediction = Signal(object)
    labels = Signal(object)
    history = Signal(object)
    table = Signal(object)
    summary = Signal(object)
    dataset = Signal(object)
    recipe = Signal(object)
    selection = Signal(object)
    current_class = Signal(object)
    acquisition = Signal(object)
    space = Signal(object)
    decode = Signal(object)
    device = Signal(object)
    saved = Signal(object)
    edited = Signal(object)
    """An `Edit` (or None: everything may have changed) has been applied to the labels."""
    go = Signal(str, str)
    """Somebody wishes a dock in front: its name, and a place in it."""
    layer = Signal(object)
    """The napari layer that shows `image` was made or changed."""


class _Field(Generic[T]):
    """A field whose change is sent; setting the very same object is no change."""

    def __init__(self, default: T, *, by_value: bool = False) -> None:
        self._default = default
        self._by_value = by_value

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, session: None, owner: type) -> _Field[T]: ...
    @overload
    def __get__(self, session: Session, owner: type) -> T: ...
    def __get__(self, session: Session | None, owner: type) -> _Field[T] | T:
        if session is None:
            return self
        return session._values.get(self._name, self._default)

    def __set__(self, session: Session, value: T) -> None:
        old = session._values.get(self._name, self._default)
        # Values hold arrays: `==` would compare pixels, so identity decides for them.
        if old is value or (self._by_value and old == value):
            return
        session._values[self._name] = value
        getattr(session.events, self._name).emit(value)


class Session:
    """What is current: one a viewer, found by `session_of`.

    Parameters
    ----------
    jobs : Jobs, optional
        The worker; made here if not given.

    Attributes
    ----------
    image : CalibratedImage or None
        The subject, on top of every dock.
    collection, index : Collection or None, int
        The folder it belongs to and its place there; -1 outside a collection.
    model, prediction, labels, history, table, summary, dataset, recipe, space
        The values of the same names, None until there are any.
    selection : frozenset of int
        Numbers of the selected objects: canvas frame, table rows and bars agree through it.
    current_class : int
        Class value that drawing uses.
    acquisition : Acquisition
        What was said once for the folder.
    decode : DecodeSettings or None
        Thresholds and smallest object; None: the card's.
    device : DeviceChoice or None
        None until a worker has looked.
    saved : str
        State of the journal in words, empty while nothing was edited.
    """

    image = _Field["CalibratedImage | None"](None)
    collection = _Field["Collection | None"](None)
    index = _Field[int](-1, by_value=True)
    model = _Field["Model | None"](None)
    prediction = _Field["Prediction | None"](None)
    labels = _Field["LabelMap | None"](None)
    history = _Field["History | None"](None)
    table = _Field["RegionTable | None"](None)
    summary = _Field["Summary | None"](None)
    dataset = _Field["Dataset | None"](None)
    recipe = _Field["Recipe | None"](None)
    selection = _Field[frozenset[int]](frozenset(), by_value=True)
    current_class = _Field[int](1, by_value=True)
    acquisition = _Field[Acquisition](Acquisition(), by_value=True)
    space = _Field["ReferenceSpace | None"](None)
    decode = _Field["DecodeSettings | None"](None, by_value=True)
    device = _Field["DeviceChoice | None"](None)
    saved = _Field[str]("", by_value=True)

    def __init__(self, jobs: Jobs | None = None) -> None:
        self._values: dict[str, Any] = {}
        self.events = SessionEvents()
        self.jobs = jobs or Jobs()

    def select(self, numbers: Iterable[int]) -> None:
        """Make these objects the selection."""
        self.selection = frozenset(int(number) for number in numbers)

    def go_to(self, dock: str, place: str = "") -> None:
        """Ask for a dock in front, by name, and for a place in it."""
        self.events.go.emit(dock, place)

    def tell_edited(self, edit: Edit | None = None) -> None:
        """Say that labels changed in place, by `edit` or as a whole."""
        self.events.edited.emit(edit)

    def close(self) -> None:
        """Stop all work and forget what is held."""
        self.jobs.close()
        self._values.clear()


_sessions: WeakKeyDictionary[Any, Session] = WeakKeyDictionary()


def session_of(viewer: napari.Viewer) -> Session:
    """Return the session of a viewer, made at the first call.

    Parameters
    ----------
    viewer : napari.Viewer or ViewerModel
        Also as the proxy that napari hands to plugins.
    """
    real = getattr(viewer, "__wrapped__", viewer)
    if real not in _sessions:
        _sessions[real] = Session()
    return _sessions[real]
