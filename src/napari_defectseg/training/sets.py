"""Three sets: one to learn from, one to stop early by, and one that nothing chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from napari_defectseg.core.errors import TrainingError
from napari_defectseg.datasets.dataset import SPLITS, Dataset
from napari_defectseg.datasets.pair import Pair


@dataclass(frozen=True)
class Sets:
    """The pairs of a dataset by what they are for.

    Parameters
    ----------
    train, validation, test : tuple of Pair
    shared : tuple of str
        Specimens that are in more than one set, at different places.
    """

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    test: tuple[Pair, ...]
    shared: tuple[str, ...] = ()

    def count(self) -> dict[str, int]:
        """Return the number of images of each set."""
        return {name: len(getattr(self, name)) for name in SPLITS}


def sets_of(dataset: Dataset) -> Sets:
    """Return the three sets as the dataset's split says.

    Raises
    ------
    TrainingError
        If a set is empty, or the same place of an image is in two sets.
    """
    found = {name: dataset.pairs(split=name) for name in SPLITS}
    empty = [name for name in SPLITS if not found[name]]
    if empty:
        raise TrainingError(
            f"The dataset {dataset.path} has no images for {' and '.join(empty)}.",
            hint="Split it first, by specimen, or by place where there is only one: "
            "defectseg dataset split.",
        )
    for one, other in combinations(SPLITS, 2):
        _refuse_overlap(found[one], found[other], f"{one} and {other}")
    specimens = [{pair.specimen for pair in found[name]} for name in SPLITS]
    shared = set().union(*(a & b for a, b in combinations(specimens, 2)))
    return Sets(found["train"], found["validation"], found["test"], tuple(sorted(shared)))


def _refuse_overlap(some: Sequence[Pair], others: Sequence[Pair], where: str) -> None:
    for one in some:
        for other in others:
            if _overlap(one, other):
                raise TrainingError(
                    f"{one.id} and {other.id} show the same place but are in {where}: "
                    "the score would not be honest.",
                    hint="Split by specimen, or by place with a gap.",
                )


def _overlap(one: Pair, other: Pair) -> bool:
    if one.origin.file == "" or one.origin.file != other.origin.file:
        return False
    if one.origin.region is None or other.origin.region is None:
        return True
    return all(
        a < d and c < b
        for (a, b), (c, d) in zip(one.origin.region, other.origin.region, strict=True)
    )
