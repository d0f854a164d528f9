"""The question what a layer of code does: asked in the Model dock, never answered by running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from napari_defectseg.models.graphs.code import REPLACEMENTS, CodeLayer, HoldsCode
from napari_defectseg.ui import recent
from napari_defectseg.ui.widgets.strip import Action

LATER = "Not now"


@dataclass(frozen=True)
class CodeQuestion:
    """A layer about which a person has to decide before the model opens.

    Parameters
    ----------
    where : str
        The file.
    sha256 : str
        Its hash, by which the answer is kept.
    layer : CodeLayer
    more : int
        Further layers that are asked about after it.
    """

    where: str
    sha256: str
    layer: CodeLayer
    more: int = 0

    @classmethod
    def of(cls, where: str, error: HoldsCode) -> CodeQuestion:
        """Return the question about the first layer that nothing was said about."""
        said = recent.said_about_code(error.sha256)
        left = [layer for layer in error.layers if layer.field not in said]
        return cls(where, error.sha256, left[0], len(left) - 1)

    @property
    def sentence(self) -> str:
        """What the layer is, what was read in it, and what follows from an answer."""
        others = {0: "", 1: " One more is asked about then."}
        more = others.get(self.more, f" {self.more} more are asked about then.")
        known = REPLACEMENTS.get(self.layer.seems)
        like = f" It seems to be {known.words}." if known else ""
        what = (
            f"{Path(self.where).name} has the layer {self.layer.name[:60]!r}, a Lambda: program "
            "code of the model's author, which is never run here."
        )
        asked = (
            f"What does it do to a grey value x? A layer of ours does it then.{more} If it is "
            "none of these, replace it where the model was made, or export that to ONNX."
        )
        return "\n".join([what, f"{self.layer.says}{like}", asked])

    def actions(self, answer: Callable[[str], object], later: Callable[[], object]) -> list[Action]:
        """Return the links that answer it, what it seems to do first."""
        words = sorted(REPLACEMENTS, key=lambda word: word != self.layer.seems)
        choices: list[Action] = [(REPLACEMENTS[w].words, partial(answer, w)) for w in words]
        return [*choices, (LATER, later)]

    def remember(self, word: str) -> None:
        """Keep the answer for this file."""
        recent.remember_code(self.sha256, self.layer.field, word)
