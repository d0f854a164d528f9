"""Inputs of a settings form: one a kind of value, made of magicgui's widgets."""

from __future__ import annotations

import math
import re
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from magicgui.type_map import get_widget_class
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.setting import Setting
from napari_defectseg.core.units import Quantity, parse_quantity
from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.text import name as name_widget
from napari_defectseg.ui.widgets.text import text

NARROW = 48
"""Px that an input gives way to in a narrow dock."""
LARGEST = 2**31 - 1


class NotANumber(DefectSegError, ValueError):
    """Something was typed that is not what the field holds."""


class Input(QWidget):
    """One field of a form.

    Parameters
    ----------
    hint : type
        What magicgui's type map is asked for.
    said : Setting
    words, tip : str
        Accessible name, and help.
    options : any
        For the magicgui widget.
    """

    changed = Signal()
    wide = False
    """Whether it needs the place of its label too."""

    def __init__(self, hint: Any, said: Setting, words: str, tip: str, **options: Any) -> None:
        super().__init__()
        self.said, self.words = said, words
        kind, found = get_widget_class(annotation=hint)
        self.inner = kind(**{**found, "nullable": False, **options})
        self.inner.changed.connect(self._on_inner)
        self.focus: QWidget = self.inner.native
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACE)
        row.addWidget(self.focus, 1)
        self.focus.setMinimumWidth(NARROW)
        self.focus.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusProxy(self.focus)
        name_widget(self.focus, words, tip)

    @property
    def value(self) -> Any:
        """The value of the field."""
        return self.inner.value

    def set_value(self, value: Any) -> None:
        """Show a value."""
        self.inner.value = value

    def described(self) -> str:
        """Return the value in words."""
        return str(self.value)

    def _on_inner(self, _: Any = None) -> None:
        self.changed.emit()


class NumberInput(Input):
    """A whole or a floating-point number in its range, with its unit behind it."""

    def __init__(self, hint: type, said: Setting, words: str, tip: str) -> None:
        whole = hint is int and said.scale == 1
        low = -LARGEST if said.low is None else said.low / said.scale
        high = LARGEST if said.high is None else said.high / said.scale
        step = said.step or (1 if whole else 0.1)
        shown = int if whole else float
        limits = {"min": shown(low), "max": shown(high), "step": shown(step)}
        super().__init__(shown, said, words, tip, value=shown(min(max(low, 0), high)), **limits)
        self._whole = whole
        self.focus.setKeyboardTracking(False)
        if not whole:
            self.focus.setDecimals(max(0, -math.floor(math.log10(step) + 1e-9)))
        if said.unit:
            # A label, because magicgui's whole numbers have no suffix.
            self.layout().addWidget(text(said.unit, "second", wrap=False))

    @property
    def value(self) -> Any:
        """The number, in the value's own measure."""
        shown = self.inner.value
        return int(shown) if self._whole else shown * self.said.scale

    def set_value(self, value: Any) -> None:
        """Show a number."""
        self.inner.value = int(value) if self._whole else value / self.said.scale

    def described(self) -> str:
        """Return the number with its unit."""
        return f"{self.inner.value:g} {self.said.unit}".strip()


class CheckInput(Input):
    """Yes or no; its words stand in the box itself."""

    wide = True

    def __init__(self, hint: type, said: Setting, words: str, tip: str) -> None:
        super().__init__(hint, said, words, tip, text=words)

    def described(self) -> str:
        """Return yes or no."""
        return "on" if self.value else "off"


class ChoiceInput(Input):
    """One of a few words."""

    def __init__(self, hint: Any, said: Setting, words: str, tip: str) -> None:
        choices = [(said.called(str(one)), one) for one in get_args(hint)]
        super().__init__(hint, said, words, tip, choices=choices)
        self.focus.setMinimumContentsLength(3)

    def set_value(self, value: Any) -> None:
        """Show a choice; one that is not offered yet is from now on."""
        if value not in self.inner.choices:
            known = [(self.said.called(str(one)), one) for one in (*self.inner.choices, value)]
            self.inner.choices = known
        super().set_value(value)

    def described(self) -> str:
        """Return what the choice is called."""
        return self.said.called(str(self.value))


class TextInput(Input):
    """Words as they are typed; sent when they are whole."""

    def __init__(self, said: Setting, words: str, tip: str) -> None:
        super().__init__(str, said, words, tip)
        self.inner.changed.disconnect()
        if said.none != Setting.none:
            self.focus.setPlaceholderText(said.none)
        self.focus.editingFinished.connect(self._on_inner)


class MaybeInput(TextInput):
    """A number, or nothing: an empty field says what nothing means."""

    def __init__(self, kind: type, said: Setting, words: str, tip: str) -> None:
        super().__init__(said, words, tip)
        self._kind = kind
        self.focus.setPlaceholderText(said.none)

    @property
    def value(self) -> Any:
        """The number, or None."""
        typed = self.inner.value.strip().removesuffix(self.said.unit).strip()
        if not typed:
            return None
        if self._kind is str:
            return typed
        number = _number(typed, self.words) * self.said.scale
        low, high = self.said.low, self.said.high
        if (low is not None and number < low) or (high is not None and number > high):
            raise NotANumber(f"{self.words}: {typed} is out of range.")
        return round(number) if self._kind is int else number

    def set_value(self, value: Any) -> None:
        """Show a number, or that there is none."""
        if value is None or isinstance(value, str):
            self.inner.value = value or ""
            return
        self.inner.value = f"{value / self.said.scale:g} {self.said.unit}".strip()

    def described(self) -> str:
        """Return the number, or what none means."""
        return self.inner.value.strip() or self.said.none


class QuantityInput(TextInput):
    """A number with its doubt and unit, or nothing: ``85 ± 10 nm``."""

    def __init__(self, said: Setting, words: str, tip: str) -> None:
        super().__init__(said, words, tip)
        self.focus.setPlaceholderText(said.none)

    @property
    def value(self) -> Quantity | None:
        """The quantity, or None."""
        typed = self.inner.value.strip()
        return parse_quantity(typed, self.said.unit) if typed else None

    def set_value(self, value: Any) -> None:
        """Show a quantity, or that there is none."""
        self.inner.value = "" if value is None else str(value)

    def described(self) -> str:
        """Return the quantity, or that it is not known."""
        return self.inner.value.strip() or "not known"


class NumbersInput(TextInput):
    """Several numbers: ``128 × 128``."""

    def __init__(self, kind: type, said: Setting, words: str, tip: str) -> None:
        super().__init__(said, words, tip)
        self._kind = kind

    @property
    def value(self) -> tuple[Any, ...]:
        """The numbers."""
        parts = [part for part in re.split(r"[\s,;×x*]+", self.inner.value) if part]
        return tuple(self._kind(_number(part, self.words)) for part in parts)

    def set_value(self, value: Any) -> None:
        """Show numbers."""
        self.inner.value = " × ".join(f"{one:g}" for one in value)

    def described(self) -> str:
        """Return the numbers."""
        return self.inner.value


class ChoicesInput(QWidget):
    """Some of a few words, each with a box of its own."""

    changed = Signal()
    wide = True

    def __init__(self, said: Setting, words: str, tip: str) -> None:
        super().__init__()
        self.said, self.words = said, words
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.boxes: dict[str, Input] = {}
        for choice in said.choices:
            called = said.called(choice)
            box = CheckInput(bool, Setting(), called, tip)
            name_widget(box.focus, f"{words}: {called}", tip)
            box.changed.connect(self.changed)
            column.addWidget(box)
            self.boxes[choice] = box
        self.focus: QWidget = next(iter(self.boxes.values())).focus

    @property
    def value(self) -> tuple[str, ...]:
        """What is chosen, in the order of the choices."""
        return tuple(choice for choice, box in self.boxes.items() if box.value)

    def set_value(self, value: Any) -> None:
        """Show what is chosen."""
        for choice, box in self.boxes.items():
            box.set_value(choice in value)

    def described(self) -> str:
        """Return what is chosen in words."""
        return ", ".join(self.said.called(one) for one in self.value) or "none"


def make_input(hint: Any, said: Setting, words: str, tip: str) -> Any:
    """Return the input for an annotation, None if there is none for it."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is bool:
        return CheckInput(hint, said, words, tip)
    if hint in (int, float):
        return NumberInput(hint, said, words, tip)
    if hint is str and said.choices:
        hint = Literal[said.choices]
        return ChoiceInput(hint, said, words, tip)
    if hint is str:
        return TextInput(said, words, tip)
    if origin is Literal:
        return ChoiceInput(hint, said, words, tip)
    if origin in (Union, UnionType) and len(parts) == 2 and NoneType in parts:
        kind = next(part for part in parts if part is not NoneType)
        if kind is Quantity:
            return QuantityInput(said, words, tip)
        return MaybeInput(kind, said, words, tip) if kind in (int, float, str) else None
    if origin is tuple and parts[1:] == (Ellipsis,):
        if parts[0] in (int, float, float | None):
            return NumbersInput(int if parts[0] is int else float, said, words, tip)
        if parts[0] is str and said.choices:
            return ChoicesInput(said, words, tip)
    return None


def _number(typed: str, words: str) -> float:
    try:
        return float(typed.replace(",", "."))
    except ValueError as error:
        raise NotANumber(f"{words}: {typed!r} is not a number.") from error
