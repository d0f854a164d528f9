"""`ClassColormap`, `ShadeColormap`: objects in the colours of classes or of a column's values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from napari.utils.colormaps import DirectLabelColormap
from pydantic import PrivateAttr

from napari_defectseg.components.compiled import compiled
from napari_defectseg.core.classes import DefectClass

BYTE = 255


class ClassColormap(DirectLabelColormap):
    """Colours by object number through one table, number to class.

    napari's own direct colour map holds a colour for every object, and builds it anew when one
    object is added; this one changes an entry of an array. Its `color_dict`, which napari looks
    at to see how many colours there are, holds the classes under negative keys: no object has
    such a number.
    """

    _table: np.ndarray = PrivateAttr(default_factory=lambda: np.zeros(2, np.uint8))
    _hidden: frozenset[int] = PrivateAttr(default=frozenset())

    @classmethod
    def of(cls, classes: Iterable[DefectClass], lookup: np.ndarray | None = None) -> ClassColormap:
        """Return the colours of some classes.

        Parameters
        ----------
        classes : iterable of DefectClass
        lookup : ndarray of uint8, optional
            Class value of each object number; 0: not shown.
        """
        colours = {-item.value: item.colour for item in classes}
        made = cls(color_dict={None: "transparent", 0: "transparent", **colours})
        made.set_all(np.zeros(1, np.uint8) if lookup is None else lookup)
        return made

    @property
    def hidden(self) -> frozenset[int]:
        """Classes that are not shown."""
        return self._hidden

    def set_all(self, lookup: np.ndarray, hidden: frozenset[int] | None = None) -> None:
        """Take another table, class value of each object number.

        Parameters
        ----------
        lookup : ndarray of uint8
        hidden : frozenset of int, optional
            Classes that are not shown from now on; None: those that were not shown before.
        """
        self._hidden = self._hidden if hidden is None else hidden
        places = np.zeros(256, self._texture_type)
        for key, place in self._label_mapping_and_color_dict[0].items():
            if key is not None and key < 0 and -key not in self._hidden:
                places[-key] = place
        # One entry more than objects: numbers above all that are known are shown like background.
        self._table = np.append(places[lookup], self._texture_type(0))

    def set_some(self, changed: Mapping[int, int | None]) -> None:
        """Give some objects another class; None or 0: not shown."""
        if not changed:
            return
        highest = max(changed)
        if highest >= self._table.size - 1:
            room = np.zeros(highest + 2 + highest // 4, self._texture_type)
            room[: self._table.size] = self._table
            self._table = room
        places = self._label_mapping_and_color_dict[0]
        for number, value in changed.items():
            shown = value and value not in self._hidden
            self._table[number] = places.get(-value, 0) if shown else 0

    @property
    def _texture_type(self) -> type[np.unsignedinteger]:
        # As napari chooses it: background and unknown numbers need a place of their own.
        return np.uint8 if self._num_unique_colors + 2 <= BYTE else np.uint16

    def _data_to_texture(self, values):
        """Return what is sent to the graphics card; called by the layer for each change."""
        if self.use_selection:
            shown = np.asarray(values == self.selection).astype(np.uint8)
        else:
            shown = look_up(self._table, values)
        return shown if isinstance(values, np.ndarray) else shown[()]

    def _values_mapping_to_minimum_values_set(self, apply_selection: bool = True):
        """Return what the places of the texture mean; called when colours are sent."""
        if self.use_selection and apply_selection:
            return {self.selection: 1, None: 0}, {0: np.zeros(4), 1: self._colour(self.selection)}
        return self._label_mapping_and_color_dict

    def map(self, values):
        """Return colours, shape (*values, 4), for thumbnails and swatches."""
        if isinstance(values, int | np.integer):
            hidden = self.use_selection and values != self.selection
            return np.zeros(4) if hidden else self._colour(int(values))
        numbers = np.asarray(values)
        places = np.take(self._table, numbers, mode="clip")
        colours = self._label_mapping_and_color_dict[1]
        mapped = np.stack([colours[place] for place in range(len(colours))])[places]
        if self.use_selection:
            mapped[numbers != self.selection] = 0
        return mapped

    def _colour(self, number: int) -> np.ndarray:
        place = int(np.take(self._table, number, mode="clip"))
        return np.asarray(self._label_mapping_and_color_dict[1][place])


class ShadeColormap(ClassColormap):
    """Colours by a shade an object, such as that of a measured value.

    It knows the classes too, so that those that are hidden stay so: what tells it of classes is
    the same as for `ClassColormap`.
    """

    _class_of: np.ndarray = PrivateAttr(default_factory=lambda: np.zeros(1, np.uint8))
    _shade_of: np.ndarray = PrivateAttr(default_factory=lambda: np.zeros(1, np.uint8))
    _unknown: int = PrivateAttr(default=1)

    @classmethod
    def of_shades(cls, colours: np.ndarray, unknown: np.ndarray) -> ShadeColormap:
        """Return a map without objects.

        Parameters
        ----------
        colours : ndarray of float, shape (n, 4)
            Of the shades 1 … n; n at most 252.
        unknown : ndarray of float, shape (4,)
            Of objects without a shade; it is number n + 1.
        """
        listed = {-place: colour for place, colour in enumerate((*colours, unknown), start=1)}
        made = cls(color_dict={None: "transparent", 0: "transparent", **listed})
        made._unknown = len(listed)
        made.set_all(np.zeros(1, np.uint8))
        return made

    def set_all(self, lookup: np.ndarray, hidden: frozenset[int] | None = None) -> None:
        """Take another table of classes; see `ClassColormap.set_all`."""
        self._hidden = self._hidden if hidden is None else hidden
        self._class_of = np.asarray(lookup, np.uint8)
        self._renew()

    def set_shades(self, shade_of: np.ndarray) -> None:
        """Take another table of shades, a number from 1 an object; 0: unknown."""
        self._shade_of = np.asarray(shade_of, np.uint8)
        self._renew()

    def set_some(self, changed: Mapping[int, int | None]) -> None:
        """Give some objects another class; new ones have no shade yet."""
        if not changed:
            return
        highest = max(changed)
        if highest >= self._class_of.size:
            missing = highest + 1 - self._class_of.size
            self._class_of = np.pad(self._class_of, (0, missing))
        else:
            self._class_of = self._class_of.copy()
        for number, value in changed.items():
            self._class_of[number] = value or 0
        self._renew()

    def _renew(self) -> None:
        count = self._class_of.size
        shades = np.zeros(count, np.uint8)
        known = min(count, self._shade_of.size)
        shades[:known] = self._shade_of[:known]
        shades[shades == 0] = self._unknown
        shades[(self._class_of == 0) | np.isin(self._class_of, list(self._hidden))] = 0
        listed = self._label_mapping_and_color_dict[0]
        places = np.zeros(self._unknown + 1, self._texture_type)
        for shade in range(1, places.size):
            places[shade] = listed[-shade]
        self._table = np.append(places[shades], self._texture_type(0))


def look_up(table: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return ``table[numbers]``; numbers outside give the last entry, negative ones the first.

    As ``numpy.take(mode="clip")``, some ten times as fast for large planes.
    """
    plain = isinstance(numbers, np.ndarray) and numbers.dtype == np.int32 and numbers.size > 0
    if plain and numbers.ndim and (numbers.ndim == 2 or numbers.flags.c_contiguous):
        found = np.empty(numbers.shape, table.dtype)
        length = numbers.shape[-1]
        _look_up(table, numbers.reshape(-1, length), found.reshape(-1, length))
        return found
    return np.take(table, numbers, mode="clip")


@compiled
def _look_up(table: np.ndarray, numbers: np.ndarray, found: np.ndarray) -> None:
    last = table.size - 1
    for y in range(numbers.shape[0]):
        for x in range(numbers.shape[1]):
            found[y, x] = table[min(max(numbers[y, x], 0), last)]
