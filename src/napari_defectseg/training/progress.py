"""`Progress`: what a curve needs to know after each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_defectseg.core.atomic import write_text


@dataclass(frozen=True)
class Progress:
    """One epoch.

    Parameters
    ----------
    epoch : int
        Counted from 1.
    seconds : float
        Since training began.
    train_loss, validation_loss : float
    scores : mapping of str to float
        Dice of each class on the validation images; nan where a class is not there.
    best : bool
        Whether this is the best epoch so far, by validation loss.
    """

    epoch: int
    seconds: float
    train_loss: float
    validation_loss: float
    scores: Mapping[str, float] = field(default_factory=dict)
    best: bool = False

    @property
    def mean_score(self) -> float:
        """Mean Dice of the classes that are there, nan if none is."""
        known = [value for value in self.scores.values() if value == value]
        return sum(known) / len(known) if known else float("nan")


def write_curves(path: Path, epochs: Sequence[Progress]) -> None:
    """Write the epochs as CSV, for any plotting program."""
    names = list(epochs[0].scores) if epochs else []
    rows = [
        ["epoch", "seconds [s]", "train_loss", "validation_loss", *(f"dice {n}" for n in names)]
    ]
    rows += [
        [
            str(e.epoch),
            f"{e.seconds:.1f}",
            repr(e.train_loss),
            repr(e.validation_loss),
            *(repr(e.scores[n]) for n in names),
        ]
        for e in epochs
    ]
    write_text(path, "\n".join(",".join(row) for row in rows) + "\n")
