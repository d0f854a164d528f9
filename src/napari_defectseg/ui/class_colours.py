"""Objects in the colour of their class: one small lookup instead of one entry an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap
from pydantic import PrivateAttr

from napari_defectseg.core.classes import ClassMap

ROOM = 1024
"""Numbers of new objects that fit before the lookup has to grow."""


class ClassColormap(DirectLabelColormap):
    """Maps object numbers to the colours of their classes.

    napari's own direct colormap wants an entry for every object, which takes long for 10⁵ of
    them and has to be made anew after each edit. Here an object is looked up in an array of
    class values, which an edit changes in place. Numbers that are not there yet have the colour
    of the class that is being drawn.
    """

    _class_of: np.ndarray = PrivateAttr(default_factory=lambda: np.zeros(ROOM, np.uint8))
    _drawn: int = PrivateAttr(default=0)
    _hidden: frozenset[int] = PrivateAttr(default=frozenset())

    @classmethod
    def of(cls, classes: ClassMap, lookup: np.ndarray[Any, np.dtype[np.uint8]]) -> ClassColormap:
        """Return the colormap of some classes.

        Parameters
        ----------
        classes : ClassMap
        lookup : ndarray of uint8
            Class value of each object number; see `LabelMap.class_lookup`.
        """
        colours: dict[int | None, Any] = {item.value: item.colour for item in classes}
        colormap = cls(color_dict={None: "transparent", 0: "transparent", **colours})
        colormap.set_lookup(lookup)
        return colormap

    def set_lookup(self, lookup: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        """Take over the classes of all objects."""
        room = np.zeros(lookup.size + ROOM, np.uint8)
        room[: lookup.size] = lookup
        room[lookup.size :] = self._drawn
        self._class_of = room

    def set_drawn(self, class_value: int, first_free: int) -> None:
        """Show numbers from `first_free` on as the class that is being drawn."""
        self._drawn = class_value
        self._reserve(first_free)
        self._class_of[first_free:] = class_value

    def update(self, classes: Mapping[int, int | None], first_free: int) -> None:
        """Take over what an edit changed."""
        self._reserve(max([first_free, *classes]))
        for number, value in classes.items():
            self._class_of[number] = value or 0
        self._class_of[first_free:] = self._drawn

    def hide(self, class_values: frozenset[int]) -> None:
        """Do not show objects of these classes."""
        self._hidden = class_values

    @property
    def hidden(self) -> frozenset[int]:
        """Classes that are not shown."""
        return self._hidden

    def map(self, values: Any) -> np.ndarray:
        """Return the colours of object numbers, RGBA."""
        if np.ndim(values) == 0:
            return np.asarray(super().map(int(self._classes(np.asarray(values)))))
        return np.asarray(super().map(self._classes(np.asarray(values))))

    def _data_to_texture(self, values: Any) -> Any:
        found = self._texture_of()[self._classes(np.asarray(values))]
        return found if np.ndim(values) else found[()]

    def _classes(self, values: np.ndarray) -> np.ndarray:
        return np.take(self._class_of, values, mode="clip")

    def _texture_of(self) -> np.ndarray:
        """Return the texture value of each class value."""
        places = self._label_mapping_and_color_dict[0]
        table = np.full(256, places[0], np.uint8)
        for value, place in places.items():
            if value is not None and value not in self._hidden:
                table[value] = place
        return table

    def _reserve(self, number: int) -> None:
        missing = number + 1 + ROOM - self._class_of.size
        if missing > ROOM // 2:
            more = np.full(missing + self._class_of.size // 2, self._drawn, np.uint8)
            self._class_of = np.concatenate([self._class_of, more])
