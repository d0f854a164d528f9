"""`form_for`: a settings type becomes a form, with magicgui's type map choosing the widgets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from inspect import cleandoc
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QWidget

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.setting import Setting
from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.inputs import Input, make_input
from napari_defectseg.ui.widgets.text import named, text

T = TypeVar("T")


class SettingsForm(QWidget, Generic[T]):
    """The fields of one settings value.

    ``valueChanged`` is sent with the new value when a person or `setValue` changes it; a value
    that the type refuses is not sent, its sentence stands below the fields instead.

    Parameters
    ----------
    value : settings
        A frozen dataclass; fields that are not shown stay as they are here.
    shown : sequence of str
        The fields, in this order; empty: all that a form can hold.
    """

    valueChanged = Signal(object)  # noqa: N815 (Qt's own manner)

    def __init__(self, value: T, shown: Sequence[str] = ()) -> None:
        super().__init__()
        self._value = self._first = value
        self._quiet = False
        self.fields: dict[str, Input] = {}
        """The inputs by name of their field."""
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(theme.SPACE)
        grid.setColumnStretch(1, 1)
        for row, (name, field) in enumerate(_inputs(value, shown).items()):
            self._add(grid, row, name, field)
        self.complaint = text("", "strong")
        self.complaint.hide()
        grid.addWidget(self.complaint, grid.rowCount(), 0, 1, 2)

    @property
    def value(self) -> T:
        """The value as it is set; the last good one where a field is refused."""
        return self._value

    def setValue(self, value: T) -> None:
        """Show another value; from now on it is what `changed_words` compares with."""
        self._first = value
        self._show(value)

    def reset(self) -> None:
        """Go back to the value that was set last."""
        self._show(self._first)

    def changed_words(self) -> tuple[str, ...]:
        """Return what differs from the value that was set, for the line that hides the form."""
        return tuple(
            f"{one.words[:1].lower()}{one.words[1:]} {one.described()}"
            for name, one in self.fields.items()
            if getattr(self._value, name) != getattr(self._first, name)
        )

    def _add(self, grid: QGridLayout, row: int, name: str, field: Input) -> None:
        self.fields[name] = field
        field.changed.connect(self._on_changed)
        if field.wide:
            grid.addWidget(field, row, 0, 1, 2)
            return
        label = text(field.words, wrap=False)
        grid.addWidget(named(label, field.focus, tip=field.focus.toolTip()), row, 0)
        grid.addWidget(field, row, 1)

    def _show(self, value: T) -> None:
        self._quiet = True
        for name, one in self.fields.items():
            one.set_value(getattr(value, name))
        self._quiet = False
        self._take(value)

    def _on_changed(self) -> None:
        if self._quiet:
            return
        try:
            changes = {name: one.value for name, one in self.fields.items()}
            value = replace(self._value, **changes)  # type: ignore[type-var]
        except (DefectSegError, ValueError) as error:
            self.complaint.setText(str(error))
            self.complaint.show()
            return
        self._take(value)

    def _take(self, value: T) -> None:
        self.complaint.hide()
        if value != self._value:
            self._value = value
            self.valueChanged.emit(value)


def form_for(
    kind: type[T] | T, value: T | None = None, *, shown: Sequence[str] = ()
) -> SettingsForm[T]:
    """Return a form for a settings type: name, unit, range and help come from the type.

    Parameters
    ----------
    kind : type or value
        A frozen dataclass, see `core.setting.Setting` for what its annotations may say; or a
        value of one.
    value : settings, optional
        What is shown first; by default the type's own defaults.
    shown : sequence of str
        Which fields, in which order; empty: all that a form can hold.
    """
    if not isinstance(kind, type):
        return SettingsForm(kind, shown)
    return SettingsForm(kind() if value is None else value, shown)


def help_of(kind: type) -> dict[str, str]:
    """Return what a type's docstring says of each of its fields, as one paragraph each."""
    found: dict[str, str] = {}
    names: list[str] = []
    lines = cleandoc(kind.__doc__ or "").partition("Parameters\n----------\n")[2].splitlines()
    for line in lines:
        if not line.strip():
            names = []
        elif not line.startswith(" "):
            head = line.partition(" : ")[0]
            if " : " not in line or not re.fullmatch(r"[\w, ]+", head):
                break
            names = [name.strip() for name in head.split(",")]
        else:
            for name in names:
                found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return {name: words.replace("``", "").replace("`", "") for name, words in found.items()}


def setting_of(kind: type, name: str) -> tuple[Any, Setting]:
    """Return the bare annotation of a field and what is said of it."""
    hint = get_type_hints(kind, include_extras=True)[name]
    said = Setting()
    if get_origin(hint) is Annotated:
        bare, *extras = get_args(hint)
        said = next((one for one in extras if isinstance(one, Setting)), said)
        hint = bare
    return hint, said


def _inputs(value: Any, shown: Sequence[str]) -> dict[str, Input]:
    kind = type(value)
    if not is_dataclass(kind):
        raise TypeError(f"{kind.__name__} is no settings type.")
    told = help_of(kind)
    known = {field.name: field for field in fields(kind)}
    found: dict[str, Input] = {}
    for name in shown or known:
        hint, said = setting_of(kind, name)
        words = said.words or name.replace("_", " ").capitalize()
        made = make_input(hint, said, words, _tip(told.get(name, ""), known[name], said))
        if made is None:
            if shown:
                raise TypeError(f"There is no input for {name} of {kind.__name__}.")
            continue
        made.set_value(getattr(value, name))
        found[name] = made
    return found


def _tip(told: str, field: Field[Any], said: Setting) -> str:
    """Return the help of a field with its usual value."""
    usual = field.default
    if usual is MISSING or usual in (None, "", ()) or isinstance(usual, bool):
        return told
    if isinstance(usual, tuple):
        return told
    shown = usual / said.scale if isinstance(usual, int | float) else said.called(str(usual))
    words = f"{shown:g} {said.unit}".strip() if isinstance(shown, int | float) else shown
    return f"{told} Usually {words}.".strip()
