"""`GalleryTurn`: objects as tiles, sorted by any column, decided many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.ui import numbers
from napari_defectseg.ui.crops import crops
from napari_defectseg.ui.places import fly_to
from napari_defectseg.ui.turn import Turn
from napari_defectseg.ui.widgets.gallery_page import GalleryPage
from napari_defectseg.ui.widgets.object_card import diameter
from napari_defectseg.ui.widgets.object_tiles import ObjectTile

if TYPE_CHECKING:
    from napari_defectseg.labels.edit import Edit
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.ui.docks.review import ReviewDock

MOST = 2000
"""So many tiles are shown; the rest comes when these are decided or filtered."""
AT_ONCE = 6
"""Pictures that are cut before the window answers again."""
BASIC = (("doubt", "doubt"), ("size", "size"), ("number", "number"), ("class", "class"))


class GalleryTurn(Turn):
    """What is done on the page of the gallery."""

    def __init__(self, dock: ReviewDock) -> None:
        super().__init__(dock)
        self.page = GalleryPage()
        self._labels: LabelMap | None = None
        self._shown: tuple[Any, ...] = ()
        self._missing: list[int] = []
        tiles = self.page.tiles
        tiles.chosen.connect(self._on_chosen)
        tiles.opened.connect(self._go_to)
        tiles.wanted.connect(self._want)
        self.page.arranged.connect(self.arrange)
        self.page.accepted.connect(self.accept)
        self.page.deleted.connect(self.reject)
        self.page.class_chosen.connect(self.relabel)

    # -- showing ---------------------------------------------------------------------------

    def show(self) -> None:
        """Show the objects as they are, and how far one has come."""
        labels = self.session.labels
        assert labels is not None
        if labels is not self._labels:
            self._labels, self._shown = labels, ()
            self.page.tiles.forget_pictures()
            self.page.show_classes(labels.classes)
        self.page.show_orders(self._orders())
        state = (labels.revision, id(self.session.table), id(self.reviewer.queue))
        if state != self._shown:
            self._shown = state
            self.arrange()
        else:
            self.page.tiles.select(self.hand.selected())
            self._say()
        done, count = self.reviewer.progress
        self.dock.checked.show_progress(done, count, self.reviewer.seconds_left)
        some = bool(self.page.tiles.numbers)
        tip = "Choose the next unchecked object" if some else "The filter leaves none"
        self.dock.footer.offer("Next unchecked   N", tip, enabled=some)

    def forget(self, edit: Edit | None) -> None:
        """Cut the pictures of what an edit touched anew; None: of everything."""
        self.page.tiles.forget_pictures(None if edit is None else edit.objects)

    def _orders(self) -> list[tuple[str, str]]:
        table = self.session.table
        columns = [] if table is None else [c for c in table.columns if _numeric(table[c])]
        known = {"label"} | {value for value, _ in BASIC}
        return [*BASIC, *((c, c.replace("_", " ")) for c in columns if c not in known)]

    def arrange(self) -> None:
        """Sort and filter anew."""
        labels = self.session.labels
        if labels is None:
            return
        try:
            kept = self._filtered(labels)
        except DefectSegError as error:
            self.page.filter.complain(str(error))
            return
        self.page.filter.complain("")
        order = self._sorted(labels, kept)
        tiles = [self._tile(labels, number) for number in order[:MOST]]
        self._left_out = len(order) - len(tiles)
        self.page.tiles.show_tiles(tiles, self.hand.selected())
        self._say()

    def _filtered(self, labels: LabelMap) -> list[int]:
        wish, table = self.page.filter.edit.text().strip(), self.session.table
        everything = list(labels.object_classes)
        if not wish or table is None:
            return everything
        chosen = set(table.where(wish)["label"].tolist())
        return [number for number in everything if number in chosen]

    def _sorted(self, labels: LabelMap, kept: list[int]) -> list[int]:
        by = str(self.page.order.currentData() or "doubt")
        values = self._values(labels, by)
        sign = -1 if self.page.downwards else 1
        known = sorted((n for n in kept if n in values), key=lambda n: (sign * values[n], n))
        return known + sorted(n for n in kept if n not in values)

    def _values(self, labels: LabelMap, by: str) -> dict[int, float]:
        if by == "doubt":
            queue = self.reviewer.queue
            return {} if queue is None else {n: d.value for n, d in queue.doubts.items()}
        if by == "size":
            return {n: float(labels.index.size(n)) for n in labels.object_classes}
        if by == "number":
            return {n: float(n) for n in labels.object_classes}
        table = self.session.table
        if by == "class" or table is None or by not in table:
            return {n: float(value) for n, value in labels.object_classes.items()}
        pairs = zip(table["label"].tolist(), np.asarray(table[by], float).tolist(), strict=True)
        return {int(n): value for n, value in pairs if np.isfinite(value)}

    def _tile(self, labels: LabelMap, number: int) -> ObjectTile:
        called = labels.classes.by_value(labels.object_classes[number]).name
        size = numbers.with_unit(*diameter(labels, number))
        doubt = self.reviewer.doubt(number)
        said = [f"Object {number}", called, size]
        if doubt is not None:
            said.append(f"doubt {numbers.fixed(doubt.value, 2)}: {doubt.why}")
        checked = number in labels.checked
        said += ["checked"] if checked else []
        return ObjectTile(number, f"{'✓ ' if checked else ''}{size}", ", ".join(said))

    def _say(self) -> None:
        tiles = self.page.tiles
        self.page.show_chosen(len(tiles.selected), len(tiles.numbers), self._left_out)

    # -- pictures ---------------------------------------------------------------------------

    def _want(self, wanted: list[int]) -> None:
        self._missing = wanted
        self.dock.pictures.start(0)

    def show_pictures(self) -> None:
        """Cut a few pictures; the window answers between two handfuls."""
        labels = self.session.labels
        now, self._missing = self._missing[:AT_ONCE], self._missing[AT_ONCE:]
        for number in now:
            if labels is not None and number in labels.object_classes:
                found = dict(crops(self.session, number))
                if "mask" in found:
                    self.page.tiles.set_picture(number, found["mask"])
        if self._missing:
            self.dock.pictures.start(0)

    # -- deciding ---------------------------------------------------------------------------

    def _on_chosen(self, chosen: list[int]) -> None:
        self.session.select(chosen)
        self._say()

    def _go_to(self, number: int) -> None:
        self.visit(number)

    def next(self) -> None:
        """Choose the next unchecked object in this order."""
        self._step(1)

    def back(self) -> None:
        """Choose the unchecked object before."""
        self._step(-1)

    def _step(self, way: int) -> None:
        labels, order = self.session.labels, self.page.tiles.numbers
        if labels is None or not order:
            return
        chosen = self.page.tiles.selected
        here = order.index(chosen[-1 if way > 0 else 0]) if chosen else (-1 if way > 0 else 0)
        turned = [order[(here + way * step) % len(order)] for step in range(1, len(order) + 1)]
        found = next((n for n in turned if n not in labels.checked), None)
        if found is not None:
            self.visit(found)
            self.page.tiles.select([found])
            self._say()

    def accept(self) -> None:
        """Find all chosen objects right."""
        self._then_next(self.hand.accept)

    def reject(self) -> None:
        """Remove all chosen objects."""
        self._then_next(self.hand.delete)

    def relabel(self, value: int) -> None:
        """Give all chosen objects another class."""
        self.hand.relabel(value)

    def next_class(self) -> None:
        """Open the menu of classes."""
        self.page.open_classes()

    def _then_next(self, act: Any) -> None:
        """Decide about what is chosen and stand at what comes behind it."""
        order, chosen = self.page.tiles.numbers, set(self.page.tiles.selected)
        last = max((order.index(n) for n in chosen), default=-1)
        labels = self.session.labels
        assert labels is not None
        behind = [n for n in order[last + 1 :] if n not in chosen and n not in labels.checked]
        if act() is not None and behind:
            self.session.select(behind[:1])
            fly_to(self.viewer, self.session, behind[0])

    def leave(self) -> None:
        """Cut no more pictures."""
        self._missing = []


def _numeric(column: Any) -> bool:
    return np.asarray(column).dtype.kind in "fiu"
