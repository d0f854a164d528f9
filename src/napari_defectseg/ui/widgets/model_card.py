"""The card of a model: what it is, what it was made for, and whether it may be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel

from napari_defectseg.ui import evidence, icons, theme
from napari_defectseg.ui.consent import trust_of
from napari_defectseg.ui.widgets.card import Card
from napari_defectseg.ui.widgets.text import ElidedLabel, Link, name, text

if TYPE_CHECKING:
    from napari_defectseg.models.model import Model

LINE = 22
"""Height of a row, in px, with or without something to click."""
ROWS = (("", "From"), ("pixel_size", "Pixels"), ("preprocessing", "Grey"))
"""Field whose source is shown beside it, and what it is called."""


class ModelView(Card):
    """Shows a model; ``evidence_asked`` is sent with a field when its source word is clicked."""

    evidence_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        head = QHBoxLayout()
        head.setSpacing(theme.GAP)
        sign = QLabel()
        icons.set_icon(sign, "model", size=18)
        sign.setFixedWidth(20)
        self.title = ElidedLabel(role="strong")
        head.addWidget(sign)
        head.addWidget(self.title, 1)
        self.column.addLayout(head)
        self.kind = text("", "second")
        self.column.addWidget(self.kind)
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GAP)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        self.values: dict[str, ElidedLabel] = {}
        self.sources: dict[str, Link] = {}
        for row in range(len(ROWS) + 1):
            grid.setRowMinimumHeight(row, LINE)
        for row, (field, words) in enumerate(ROWS):
            grid.addWidget(text(words, "second", wrap=False), row, 0)
            self.values[words] = ElidedLabel()
            grid.addWidget(self.values[words], row, 1, 1, 1 if field else 2)
            if field:
                self.sources[field] = link = Link("card")
                link.clicked.connect(lambda _=False, field=field: self.evidence_asked.emit(field))
                grid.addWidget(link, row, 2)
        grid.addWidget(text("Trust", "second", wrap=False), len(ROWS), 0)
        grid.addLayout(self._build_trust(), len(ROWS), 1, 1, 2)
        self.column.addLayout(grid)
        self.about = text("", "second")
        self.column.addWidget(self.about)

    def _build_trust(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self._trust_sign = QLabel()
        self._trust_sign.setFixedWidth(16)
        row.addWidget(self._trust_sign)
        self.trust = ElidedLabel()
        row.addWidget(self.trust, 1)
        self.trust_link = Link("why")
        name(self.trust_link, "Trust: why", "What this file may do, and how to change it")
        self.trust_link.clicked.connect(lambda: self.evidence_asked.emit("trust"))
        row.addWidget(self.trust_link)
        return row

    def show_model(self, model: Model, title: str) -> None:
        """Show a model under the name that a person knows it by."""
        card = model.card
        self.title.setText(title)
        kind_of_trust, trusted, why = trust_of(model)
        icons.set_icon(self._trust_sign, kind_of_trust, size=14)
        self.trust.setText(trusted)
        self.trust.setToolTip(why)
        count = len(card.classes)
        kind = f"{evidence.kind_of(card)} · {evidence.learnt(card)}"
        self.kind.setText(f"{kind} · {count} class{'' if count == 1 else 'es'}")
        shown = Path(model.path).name if model.path else "made here, not saved"
        self.values["From"].setText(shown)
        self.values["From"].setToolTip(model.path or shown)
        for field, words in ROWS[1:]:
            self.values[words].setText(evidence.described(card, field))
            source = card.sources.get(field, "card")
            self.sources[field].setText(source + (" ⚠" if field in card.missing else ""))
            name(self.sources[field], f"{words}: {source}", "How this is known")
        self.about.setText(card.description)
        self.about.setVisible(bool(card.description))
        name(self, f"Model {title}. {kind}. Made for {evidence.range_of(card)}. {trusted}.")
