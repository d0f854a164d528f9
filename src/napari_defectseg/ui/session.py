"""`Session`: what is current in one viewer; the only thing docks share.

A dock reads a field, listens to its signal in `Session.events`, sets one field, and
calls one public function through `Session.jobs`. Docks do not know each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload
from weakref import WeakKeyDictionary

from psygnal import Signal, SignalGroup

from napari_defectseg.core.acquisition import Acquisition
from napari_defectseg.ui.jobs import Jobs

if TYPE_CHECKING:
    import napari

    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.labels.edit import Edit
    from napari_defectseg.labels.history import History
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.measurement.table import RegionTable
    from napari_defectseg.ui.population import Measured

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
    results = Signal(object)
    space = Signal(object)
    decode = Signal(object)
    computing = Signal(object)
    device = Signal(object)
    saved = Signal(object)
    edited = Signal(object)
    """An `Edit` (or None: everything may have changed) has been applied to the labels."""
    go = Signal(str, str)
    """Somebody wishes a dock in front: its name, and a place in it."""
    standing = Signal(str)
    """A dock was opened beside the workbench: its name."""
    closed = Signal()
    """All work has been stopped and the session holds nothing more."""
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


OF_THE_IMAGE = (
    "prediction", "labels", "history", "table", "summary", "selection", "space", "decode", "saved",
)  # fmt: skip
"""Fields that belong to one image: put by when another becomes the subject, brought back later."""


WORK = ("prediction", "labels", "space", "decode")
"""Those of them that a person would miss."""


class _Subject(_Field["CalibratedImage | None"]):
    """The image: with another one, everything that belongs to the image changes too."""

    def __set__(self, session: Session, value: CalibratedImage | None) -> None:
        old = session._values.get(self._name)
        if old is value:
            return
        session._values[self._name] = value
        changed: list[str] = []
        if old is None or value is None or old.data is not value.data:
            changed = session._change_work(old, value)
        elif session.labels is not None:
            session.labels.calibration = value.calibration
        session.events.image.emit(value)
        for name in changed:
            getattr(session.events, name).emit(getattr(session, name))


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
        The values of the same names, None until there are any. A label map that is set
        without a history gets a new one. Those of `OF_THE_IMAGE` change with the image.
    selection : frozenset of int
        Numbers of the selected objects: canvas frame, table rows and bars agree through it.
    current_class : int
        Class value that drawing uses.
    acquisition : Acquisition
        What was said once for the folder.
    results : tuple of Measured
        Tables of other images, from a result folder that was opened or saved.
    decode : DecodeSettings or None
        Thresholds and smallest object; None: the card's.
    computing : PredictSettings or None
        How predictions are computed; None: as napari's preferences say.
    device : DeviceChoice or None
        None until a worker has looked.
    saved : str
        State of the journal in words, empty while nothing was edited.
    """

    image = _Subject(None)
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
    results = _Field[tuple["Measured", ...]](())
    space = _Field["ReferenceSpace | None"](None)
    decode = _Field["DecodeSettings | None"](None, by_value=True)
    computing = _Field["PredictSettings | None"](None, by_value=True)
    device = _Field["DeviceChoice | None"](None)
    saved = _Field[str]("", by_value=True)

    def __init__(self, jobs: Jobs | None = None) -> None:
        self._values: dict[str, Any] = {}
        self._put_by: dict[int, tuple[CalibratedImage, dict[str, Any]]] = {}
        self.events = SessionEvents()
        self.jobs = jobs or Jobs()
        self.events.labels.connect(self._on_labels)
        self.events.history.connect(self._on_history)

    def select(self, numbers: Iterable[int]) -> None:
        """Make these objects the selection."""
        self.selection = frozenset(int(number) for number in numbers)

    def go_to(self, dock: str, place: str = "") -> None:
        """Ask for a dock in front, by name, and for a place in it."""
        self.events.go.emit(dock, place)

    def take_labels(self, labels: LabelMap, history: History | None = None) -> None:
        """Make a label map current, with its history; a new one is begun if none is given."""
        if history is not None:
            self.history = history
        self.labels = labels

    def edit(self, edit: Edit | None) -> Edit | None:
        """Apply an edit through the history; everyone hears of it by the signal `edited`.

        Returns
        -------
        Edit or None
            As it was kept; None if there was nothing to do.

        Raises
        ------
        LabelError
            If it was made for another state; nothing is changed then.
        """
        return self._kept(lambda history: history.push(edit))

    def replace_labels(self, new: LabelMap, name: str, *, fold: bool = False) -> Edit | None:
        """Replace all objects by others of the same image and classes, as one step.

        Parameters
        ----------
        new : LabelMap
            Not kept.
        name : str
            For the undo button: ``"prediction"``, ``"threshold"``, …
        fold : bool
            For sliders, see `History.replace`.

        Raises
        ------
        LabelError
            If the other map does not fit; nothing is changed then.
        """
        return self._kept(lambda history: history.replace(new, name, fold=fold))

    def undo(self) -> Edit | None:
        """Take back the last edit; None if there is none."""
        return self._kept(lambda history: history.undo())

    def redo(self) -> Edit | None:
        """Do the last undone edit again; None if there is none."""
        return self._kept(lambda history: history.redo())

    def tell_edited(self, edit: Edit | None = None) -> None:
        """Say that labels changed in place: None, as a whole. Histories call it by themselves."""
        self.events.edited.emit(edit)

    def tables(self) -> list[tuple[CalibratedImage, RegionTable]]:
        """Return what was measured of the images at hand, the current one first."""
        held = [(image, values["table"]) for image, values in self._put_by.values()]
        if self.image is not None:
            held.insert(0, (self.image, self.table))
        return [(image, table) for image, table in held if table is not None]

    def works(self) -> Iterator[dict[str, Any]]:
        """Yield the values of every image by their names, the current one's first.

        What is changed in them is not told; whoever changes it sends the signals.
        """
        yield self._values
        for _, values in self._put_by.values():
            yield values

    def has_work(self, image: CalibratedImage) -> bool:
        """Return whether something was done with an image that is not the subject now."""
        return id(image.data) in self._put_by

    def forget(self, image: CalibratedImage) -> None:
        """Drop what was put by for an image that is no longer shown."""
        self._put_by.pop(id(image.data), None)

    def close(self) -> None:
        """Stop all work and forget what is held."""
        self.jobs.close()
        self.events.closed.emit()
        self._values.clear()
        self._put_by.clear()

    def _kept(self, change: Callable[[History], Edit | None]) -> Edit | None:
        """Change something through the history, if there is one."""
        return None if self.history is None else change(self.history)

    def _change_work(self, old: CalibratedImage | None, new: CalibratedImage | None) -> list[str]:
        """Put the old image's values by, bring the new one's back; return what differs."""
        before = {name: getattr(self, name) for name in OF_THE_IMAGE}
        # An image that nothing was done with is not kept: hundreds may be looked through.
        if old is not None and any(before[name] is not None for name in WORK):
            self._put_by[id(old.data)] = (old, before)
        found = self._put_by.pop(id(new.data), None) if new is not None else None
        after = found[1] if found is not None else {}
        for name in OF_THE_IMAGE:
            self._values.pop(name, None)
            if name in after:
                self._values[name] = after[name]
        if new is not None and self.labels is not None:
            self.labels.calibration = new.calibration
        return [name for name in OF_THE_IMAGE if getattr(self, name) is not before[name]]

    def _on_labels(self, labels: LabelMap | None) -> None:
        if labels is None:
            self.history = None
        elif self.history is None or self.history.labelmap is not labels:
            from napari_defectseg.labels.history import History

            self.history = History(labels)

    def _on_history(self, history: History | None) -> None:
        if history is not None and self.tell_edited not in history.listeners:
            history.listeners.append(self.tell_edited)


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
