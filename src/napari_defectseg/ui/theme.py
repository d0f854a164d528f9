"""Our stylesheet, filled with the colours of napari's theme and renewed when it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.settings import get_settings
from napari.utils.theme import get_theme, template
from qtpy.QtGui import QColor, QFont
from qtpy.QtWidgets import QWidget

if TYPE_CHECKING:
    import napari

SPACE, GAP, MARGIN = 4, 7, 10
"""The three distances of every layout, in px."""

STYLE = """
QWidget { background: transparent; color: {{ text }}; font-size: {{ font_size }};
  border: 0; padding: 0; margin: 0;
  selection-background-color: {{ current }}; selection-color: {{ text }}; }
QWidget[ds="top"] { background: {{ background }}; }
QWidget:disabled { color: {{ opacity(text, 110) }}; }
QToolTip { background: {{ foreground }}; color: {{ text }}; border: 1px solid {{ secondary }};
  padding: 4px; font-size: {{ font_size }}; }

QLabel[ds="title"] { font-size: {{ increase(font_size, 3) }}; font-weight: 600; }
QLabel[ds="section"] { font-size: {{ decrease(font_size, 1) }}; font-weight: 600;
  color: {{ icon }}; }
QLabel[ds="strong"] { font-weight: 600; }
QLabel[ds="second"] { color: {{ icon }}; }
QLabel[ds="small"] { color: {{ icon }}; font-size: {{ decrease(font_size, 1) }}; }

QWidget[ds="card"] { background: {{ foreground }}; border-radius: 3px; }
QWidget[ds="strip"] { background: {{ foreground }}; border-left: 4px solid {{ secondary }}; }
QWidget[ds="strip"][kind="info"] { border-left-color: {{ current }}; }
QWidget[ds="strip"][kind="warning"] { border-left-color: {{ warning }}; }
QWidget[ds="strip"][kind="error"] { border-left-color: {{ error }}; }

QPushButton, QToolButton { background: {{ primary }}; border: 1px solid {{ secondary }};
  border-radius: 2px; padding: 3px 8px; min-height: 18px; }
QPushButton:hover, QToolButton:hover { background: {{ highlight }}; }
QPushButton:pressed, QToolButton:pressed, QPushButton:checked, QToolButton:checked {
  background: {{ current }}; }
QPushButton:disabled, QToolButton:disabled { background: {{ foreground }};
  border-color: {{ primary }}; color: {{ opacity(text, 110) }}; }
QPushButton:focus, QToolButton:focus { border: 1px solid {{ text }}; }
QPushButton[ds="primary"] { background: {{ current }}; border: 1px solid {{ current }};
  font-size: {{ increase(font_size, 1) }}; font-weight: 600; padding: 5px 8px; min-height: 20px; }
QPushButton[ds="primary"]:hover { border: 1px solid {{ icon }}; }
QPushButton[ds="primary"]:focus { border: 1px solid {{ text }}; }
QPushButton[ds="primary"]:disabled { background: {{ foreground }}; border-color: {{ secondary }}; }
QPushButton[ds="tight"] { padding: 3px 1px; }
QPushButton[ds="next"] { padding: 5px 8px; min-height: 20px; }
QPushButton[ds="link"] { background: transparent; border: 1px solid transparent;
  text-decoration: underline; padding: 1px 2px; min-height: 18px; text-align: left; }
QPushButton[ds="link"]:hover { background: {{ primary }}; }
QPushButton[ds="link"]:focus { border: 1px solid {{ text }}; }
QPushButton[ds="more"] { background: transparent; border: 1px solid transparent;
  text-align: left; padding: 2px; }
QPushButton[ds="more"]:focus { border: 1px solid {{ text }}; }
QPushButton[ds="row"] { text-align: left; background: {{ foreground }};
  border: 1px solid {{ foreground }}; }
QPushButton[ds="row"]:checked { border: 1px solid {{ text }}; }
QPushButton[ds="row"]:focus { border: 1px solid {{ text }}; }
QPushButton[ds="segment"] { border-radius: 0; padding: 3px 4px; background: {{ background }}; }
QPushButton[ds="segment"]:checked { background: {{ current }}; font-weight: 600; }
QPushButton[ds="segment"]:focus { border: 1px solid {{ text }}; }
QToolButton[ds="tool"] { padding: 3px 2px; min-height: 36px;
  font-size: {{ decrease(font_size, 1) }}; }
QToolButton[ds="tool"]:checked { border: 1px solid {{ text }}; }
QToolButton[ds="bare"] { background: transparent; border: 1px solid transparent; padding: 1px; }
QToolButton[ds="bare"]:hover { background: {{ primary }}; }
QToolButton[ds="bare"]:focus { border: 1px solid {{ text }}; }
QToolButton::menu-indicator { image: none; }
QWidget[ds="key"] { border: 1px solid {{ secondary }}; border-radius: 2px; padding: 1px 4px;
  color: {{ icon }}; font-size: {{ decrease(font_size, 1) }}; }

QWidget[ds="rail"] { background: {{ foreground }}; }
QToolButton[ds="rail"] { background: transparent; border: 0; border-left: 3px solid transparent;
  border-radius: 0; padding: 2px 0; font-size: {{ decrease(font_size, 1) }}; }
QToolButton[ds="rail"]:hover { background: {{ primary }}; }
QToolButton[ds="rail"]:checked { background: {{ background }};
  border-left: 3px solid {{ text }}; }
QToolButton[ds="rail"]:focus { border: 1px solid {{ text }}; border-left-width: 3px; }
QWidget[ds="bar"] { border-bottom: 1px solid {{ secondary }}; }
QWidget[ds="footer"] { border-top: 1px solid {{ secondary }}; }
QWidget[ds="status"] { border-top: 1px solid {{ secondary }}; }
QWidget[ds="status"] QPushButton { background: transparent; border: 1px solid transparent;
  padding: 0 2px; font-size: {{ decrease(font_size, 1) }}; text-align: left; }
QWidget[ds="status"] QPushButton:hover { background: {{ primary }}; }
QWidget[ds="status"] QPushButton:focus { border: 1px solid {{ text }}; }

QLineEdit, QPlainTextEdit, QAbstractSpinBox, QComboBox { background: {{ primary }};
  border: 1px solid {{ secondary }}; border-radius: 2px; padding: 1px 4px; min-height: 20px;
  min-width: 24px; }
QLineEdit:hover, QAbstractSpinBox:hover, QComboBox:hover { background: {{ highlight }}; }
QLineEdit:focus, QPlainTextEdit:focus, QAbstractSpinBox:focus, QComboBox:focus {
  border: 1px solid {{ text }}; }
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled { background: {{ foreground }}; }
QLineEdit[wrong="true"] { border: 1px solid {{ error }}; border-left: 4px solid {{ error }}; }
QAbstractSpinBox QLineEdit, QComboBox QLineEdit { border: 0; background: transparent;
  min-height: 0; padding: 0; }
QAbstractSpinBox { padding-right: 16px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { subcontrol-origin: border;
  width: 14px; background: transparent; border: 0; }
QAbstractSpinBox::up-button { subcontrol-position: top right; height: 11px; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; height: 11px; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {
  background: {{ current }}; }
QAbstractSpinBox::up-arrow { image: url("theme_{{ id }}:/plus_50.svg"); width: 8px; height: 8px; }
QAbstractSpinBox::down-arrow { image: url("theme_{{ id }}:/minus_50.svg");
  width: 8px; height: 8px; }
QComboBox { padding-right: 18px; }
QComboBox::drop-down { border: 0; width: 18px; }
QComboBox::down-arrow { image: url("theme_{{ id }}:/drop_down_50.svg"); width: 11px; height: 11px; }
QComboBox QAbstractItemView, QMenu { background: {{ primary }}; border: 1px solid {{ secondary }};
  padding: 2px; outline: 0; }
QComboBox QAbstractItemView::item { min-height: 22px; padding: 1px 4px; }
QComboBox QAbstractItemView::item:selected, QMenu::item:selected { background: {{ current }}; }
QMenu::item { padding: 4px 14px; }
QMenu::item:disabled { color: {{ opacity(text, 110) }}; }
QMenu::separator { height: 1px; background: {{ secondary }}; margin: 3px 6px; }

QCheckBox, QRadioButton { spacing: 6px; min-height: 22px; border: 1px solid transparent; }
QCheckBox:focus, QRadioButton:focus { border: 1px solid {{ text }}; }
QCheckBox::indicator { width: 14px; height: 14px; background: {{ primary }};
  border: 1px solid {{ secondary }}; border-radius: 2px; }
QCheckBox::indicator:checked { background: {{ current }};
  image: url("theme_{{ id }}:/check.svg"); }
QRadioButton::indicator { width: 14px; height: 14px; border-radius: 7px;
  background: {{ primary }}; border: 1px solid {{ secondary }}; }
QRadioButton::indicator:checked { background: {{ current }}; border: 1px solid {{ text }}; }

QSlider { min-height: 22px; border: 1px solid transparent; }
QSlider:focus { border: 1px solid {{ text }}; border-radius: 2px; }
QSlider::groove:horizontal { background: {{ primary }}; height: 6px; border-radius: 3px; }
QSlider::sub-page:horizontal { background: {{ secondary }}; border-radius: 3px; }
QSlider::handle:horizontal { background: {{ icon }}; width: 12px; height: 12px;
  margin: -3px 0; border-radius: 6px; }
QSlider::handle:horizontal:hover { background: {{ text }}; }
QSlider::handle:horizontal:disabled { background: {{ secondary }}; }

QProgressBar { background: {{ primary }}; border: 0; border-radius: 2px; max-height: 6px;
  min-height: 6px; }
QProgressBar::chunk { background: {{ current }}; border-radius: 2px; }

QScrollArea, QStackedWidget { background: transparent; border: 0; }
QScrollBar:vertical { background: {{ foreground }}; width: 11px; margin: 0; border: 0; }
QScrollBar:horizontal { background: {{ foreground }}; height: 11px; margin: 0; border: 0; }
QScrollBar::handle { background: {{ secondary }}; border-radius: 4px; margin: 1px; }
QScrollBar::handle:vertical { min-height: 26px; }
QScrollBar::handle:horizontal { min-width: 26px; }
QScrollBar::handle:hover { background: {{ highlight }}; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {
  width: 0; height: 0; background: transparent; }

QAbstractItemView { background: {{ background }}; border: 1px solid {{ secondary }};
  alternate-background-color: {{ foreground }}; outline: 0; gridline-color: {{ foreground }}; }
QAbstractItemView:focus { border: 1px solid {{ text }}; }
QTableView::item, QTreeView::item, QListView::item { padding: 1px 4px; border: 0; }
QTableView::item:selected, QTreeView::item:selected, QListView::item:selected {
  background: {{ current }}; color: {{ text }}; }
QHeaderView { background: {{ foreground }}; border: 0; }
QHeaderView::section { background: {{ foreground }}; border: 0;
  border-right: 1px solid {{ secondary }}; border-bottom: 1px solid {{ secondary }};
  padding: 3px 4px; font-weight: 600; }
QTableCornerButton::section { background: {{ foreground }}; border: 0; }
QWidget[ds="drop"] { border: 1px dashed {{ secondary }}; border-radius: 3px; }
QWidget[ds="drop"][over="true"] { border: 2px solid {{ text }}; }
"""


def colours(theme_id: str = "") -> dict[str, str]:
    """Return the colours of a theme by role, as ``"rgb(…)"``; the theme in use by default."""
    values: dict[str, str] = get_theme(theme_id or _in_use()).to_rgb_dict()
    return values


def colours_of(widget: QWidget) -> dict[str, str]:
    """Return the colours a widget is shown in."""
    above: QWidget | None = widget
    while above is not None:
        if above.property("ds_theme"):
            return colours(str(above.property("ds_theme")))
        above = above.parentWidget()
    return colours()


def colour(widget: QWidget, role: str) -> QColor:
    """Return one colour of a widget's theme, to paint with."""
    return as_colour(colours_of(widget)[role])


def as_colour(rgb: str) -> QColor:
    """Return a theme's ``"rgb(1, 2, 3)"`` as a Qt colour."""
    red, green, blue = (int(part) for part in rgb[rgb.index("(") + 1 : -1].split(",")[:3])
    return QColor(red, green, blue)


def apply(top: QWidget, theme_id: str) -> None:
    """Dress `top` and everything below it in a theme."""
    from napari_defectseg.ui import icons

    values = colours(theme_id)
    top.setProperty("ds_theme", theme_id)
    top.setStyleSheet(template(STYLE, **values))
    icons.repaint(top, values)
    for widget in top.findChildren(QWidget):
        renew = getattr(widget, "theme_changed", None)
        if renew is not None:
            renew()


class Follower:
    """Keeps a widget in the theme of its viewer until it is stopped.

    Widgets below it that paint themselves have a method ``theme_changed()``.
    """

    def __init__(self, top: QWidget, viewer: napari.Viewer) -> None:
        self._top, self._viewer = top, viewer
        apply(top, viewer.theme)
        viewer.events.theme.connect(self._renew)
        get_settings().appearance.events.font_size.connect(self._renew)

    def stop(self) -> None:
        """Stop following."""
        self._viewer.events.theme.disconnect(self._renew)
        get_settings().appearance.events.font_size.disconnect(self._renew)

    def _renew(self, event: Any = None) -> None:
        apply(self._top, self._viewer.theme)


def hook(widget: QWidget, **properties: Any) -> None:
    """Set properties that the stylesheet looks at, and let it look again."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def tabular(widget: QWidget) -> None:
    """Give a widget figures of equal width, where Qt can (6.7 or newer)."""
    font = widget.font()
    if hasattr(QFont, "Tag") and hasattr(font, "setFeature"):
        font.setFeature(QFont.Tag(b"tnum"), 1)
        widget.setFont(font)


def _in_use() -> str:
    name = str(get_settings().appearance.theme)
    if name != "system":
        return name
    from napari.utils.theme import get_system_theme

    return get_system_theme()
