"""A new model beside the old one: on the hold-out and on earlier data, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from napari_defectseg.core.classes import UNLABELLED, ClassMap
from napari_defectseg.core.errors import TrainingError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.model import TorchModel
from napari_defectseg.training.judge import Seen, planes_like

Array = np.ndarray[Any, Any]
Verdict = Literal["better", "worse", "no clear difference", "not there"]
DRAWS = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Compared:
    """One class on one set of images.

    Parameters
    ----------
    name : str
    old, new : float
        Dice, pooled; nan where the class is not there.
    low, high : float
        Interval of the difference new - old over specimens; nan with a single specimen.
    verdict : str
    """

    name: str
    old: float
    new: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True)
class Guard:
    """What became better, and what worse.

    Parameters
    ----------
    hold_out, earlier : tuple of Compared
        On images of the new data that chose nothing, and on earlier data.
    """

    hold_out: tuple[Compared, ...]
    earlier: tuple[Compared, ...]

    @property
    def accepted(self) -> bool:
        """Whether nothing is worse anywhere and something better on the hold-out."""
        worse = any(c.verdict == "worse" for c in (*self.hold_out, *self.earlier))
        return not worse and any(c.verdict == "better" for c in self.hold_out)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values, None where undefined."""
        return {
            "accepted": self.accepted,
            "hold_out": [_plain(asdict(one)) for one in self.hold_out],
            "earlier": [_plain(asdict(one)) for one in self.earlier],
        }


def guard_steps(
    old: TorchModel,
    new: TorchModel,
    hold_out: Sequence[Seen],
    earlier: Sequence[Seen] = (),
    settings: PredictSettings | None = None,
    *,
    seed: int = 0,
) -> Steps[Guard]:
    """Predict all images with both models and compare them.

    Parameters
    ----------
    old, new : TorchModel
        Of the same classes.
    hold_out, earlier : sequence of Pair
        Images that neither was trained on.
    settings : PredictSettings, optional
    seed : int
        Of the drawing of specimens.

    Raises
    ------
    TrainingError
        If the models have other classes, or there are no images.
    """
    if old.card.classes.names != new.card.classes.names:
        raise TrainingError(
            f"{old.card.name} knows {', '.join(old.card.classes.names)}; {new.card.name} "
            f"{', '.join(new.card.classes.names)}: they cannot be compared."
        )
    if not hold_out:
        raise TrainingError("There are no images to compare the models on.")
    settings = settings or PredictSettings(device="cpu")
    found = []
    for number, pairs in enumerate((hold_out, earlier)):
        counts: list[Array] = []
        for place, pair in enumerate(pairs):
            yield Step(place, len(pairs), "comparing the new model with the old one")
            counts.append(np.stack([_counts(model, pair, settings) for model in (old, new)]))
        specimens = [pair.specimen for pair in pairs]
        rng = np.random.default_rng([seed, number])
        found.append(_compare(new.card.classes.names, specimens, counts, rng))
    return Guard(found[0], found[1])


def guard(
    old: TorchModel,
    new: TorchModel,
    hold_out: Sequence[Seen],
    earlier: Sequence[Seen] = (),
    settings: PredictSettings | None = None,
) -> Guard:
    """Compare two models; see `guard_steps`."""
    return drive(guard_steps(old, new, hold_out, earlier, settings))


def _counts(model: TorchModel, pair: Seen, settings: PredictSettings) -> Array:
    """Return twice the overlap, and the sum of sizes, of each class: shape (class, 2)."""
    shown = predict(model, pair.image(), settings).mask()
    truth = planes_like(pair.mask(), shown, model.card.classes)
    return np.array(
        [
            (2 * np.count_nonzero(a & b), np.count_nonzero(a) + np.count_nonzero(b))
            for a, b in _planes(truth, shown, model.card.classes)
        ],
        float,
    )


def _planes(truth: Array, shown: Array, classes: ClassMap) -> list[tuple[Array, Array]]:
    known = truth != UNLABELLED
    if classes.exclusive:
        return [(truth == v, (shown == v) & known) for v in classes.values]
    return [(t == 1, (s == 1) & k) for t, s, k in zip(truth, shown, known, strict=True)]


def _compare(
    names: Sequence[str],
    specimens: Sequence[str],
    counts: Sequence[Array],
    rng: np.random.Generator,
) -> tuple[Compared, ...]:
    if not counts:
        return ()
    known = sorted(set(specimens))
    summed = np.stack(
        [
            np.sum([c for c, s in zip(counts, specimens, strict=True) if s == one], axis=0)
            for one in known
        ]
    )
    chosen = rng.integers(0, len(known), (DRAWS, len(known)))
    drawn = summed[chosen].sum(axis=1)
    whole = _dice(summed.sum(axis=0))
    differences = np.diff(_dice(drawn), axis=1)[:, 0]
    return tuple(
        _verdict(name, whole[:, k], differences[:, k], len(known)) for k, name in enumerate(names)
    )


def _dice(counts: Array) -> Array:
    """Return Dice of counts, shape (…, model, class, 2)."""
    top, below = counts[..., 0], counts[..., 1]
    found: Array = np.divide(top, below, out=np.full(top.shape, np.nan), where=below > 0)
    return found


def _verdict(name: str, dice: Array, differences: Array, specimens: int) -> Compared:
    old, new = float(dice[0]), float(dice[1])
    seen = differences[np.isfinite(differences)]
    if not np.isfinite(dice).all():
        return Compared(name, old, new, float("nan"), float("nan"), "not there")
    if specimens < 2 or not seen.size:
        return Compared(name, old, new, float("nan"), float("nan"), "no clear difference")
    tail = 50 * (1 - LEVEL)
    low, high = (float(q) for q in np.percentile(seen, [tail, 100 - tail]))
    verdict: Verdict = "better" if low > 0 else "worse" if high < 0 else "no clear difference"
    return Compared(name, old, new, low, high, verdict)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(v, float) and not np.isfinite(v) else v for key, v in values.items()
    }
