"""Three sets that share no specimen, or, of one specimen, no place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from napari_defectseg.core.errors import DatasetError
from napari_defectseg.datasets.bands import Interval, choose_bands, pieces
from napari_defectseg.datasets.dataset import SPLITS, Dataset, Split
from napari_defectseg.datasets.pair import Pair

FRACTIONS = (0.7, 0.15, 0.15)


def split(
    dataset: Dataset,
    *,
    by: Literal["specimen", "place", "quarters"] = "specimen",
    fractions: Sequence[float] = FRACTIONS,
    seed: int = 0,
    gap: int | None = None,
    keep: bool = True,
) -> dict[str, int]:
    """Put every pair into one of the sets ``train``, ``validation``, ``test``.

    Training learns from the first, stops by the second, and is judged by the third.

    Parameters
    ----------
    dataset : Dataset
    by : {"specimen", "place", "quarters"}
        ``"specimen"``: all pairs of a specimen go to one set. ``"place"``: for one specimen;
        whole image files where there are three or more, else bands of each image with a gap
        between, from the regions its pairs were cut from; a pair that covers an image alone is
        cut in three. ``"quarters"``: as DefectSegNet divides its micrographs: three quarters of
        each image train, the halves of the fourth stop and test. What lies in a gap becomes
        ``"unused"``.
    fractions : sequence of 3 floats
        Wanted shares of the labelled pixels; they are made to sum to 1.
    seed : int
        The same seed and pairs give the same sets.
    gap : int, optional
        Pixels (frames along time) between two sets of one image; a sixteenth of the image's
        length, at most 64, by default.
    keep : bool
        Specimens that have a set already stay there, so that a test set remains unseen while
        the dataset grows. Not used with ``by="place"``.

    Returns
    -------
    dict of str to int
        Pairs of each set afterwards.

    Raises
    ------
    DatasetError
        If there are too few specimens or places.
    """
    shares = _shares(fractions)
    pairs = dataset.pairs()
    if not pairs:
        raise DatasetError(f"{dataset.path} holds no pairs to split.", hint="Add images first.")
    rng = np.random.default_rng(seed)
    if by == "specimen":
        dataset.assign(_by_specimen(pairs, shares, rng, keep))
    elif by == "place":
        _by_place(dataset, pairs, shares, rng, gap)
    elif by == "quarters":
        for pair in pairs:
            dataset.cut_up(pair.id, quarters(pair))
    else:
        raise DatasetError(
            f"A dataset cannot be split by {by!r}.", hint="Use specimen, place or quarters."
        )
    return dict(dataset.info().splits)


def quarters(pair: Pair) -> list[tuple[Split, tuple[slice, ...]]]:
    """Return the five regions of Roberts et al. 2019: three quarters, and a fourth in halves.

    Raises
    ------
    DatasetError
        If the image is no flat picture of 32 pixels or more.
    """
    if len(pair.label_shape) != 2 or min(pair.label_shape) < 32:
        raise DatasetError(f"{pair.id} is no flat picture that can be divided into five regions.")
    y, x = (n // 2 for n in pair.label_shape)
    quarter = x // 2
    top, bottom, left, right = slice(0, y), slice(y, 2 * y), slice(0, x), slice(x, 2 * x)
    return [
        ("train", (top, left)),
        ("train", (top, right)),
        ("train", (bottom, left)),
        ("validation", (bottom, slice(x, x + quarter))),
        ("test", (bottom, slice(x + quarter, 2 * x))),
    ]


def _shares(fractions: Sequence[float]) -> dict[Split, float]:
    values = [float(value) for value in fractions]
    if len(values) != len(SPLITS) or not all(0 < value < np.inf for value in values):
        raise DatasetError(
            f"Three positive fractions are needed; {list(fractions)} were given.",
            hint="For example 0.7 0.15 0.15 for train, validation and test.",
        )
    return {name: value / sum(values) for name, value in zip(SPLITS, values, strict=True)}


def _by_specimen(
    pairs: Sequence[Pair], shares: Mapping[Split, float], rng: np.random.Generator, keep: bool
) -> dict[str, str]:
    groups = _grouped(pairs, {pair.id: pair.specimen for pair in pairs})
    if len(groups) < len(SPLITS):
        raise DatasetError(
            f"{len(groups)} specimen{'s' if len(groups) > 1 else ''} cannot fill three sets.",
            hint="Add specimens, or split by place.",
        )
    return _assign(groups, shares, rng, _settled(groups) if keep else {})


def _settled(groups: Mapping[str, Sequence[Pair]]) -> dict[str, Split]:
    """Return the groups that lie in one of the sets already, and in one only."""
    found: dict[str, Split] = {}
    for name, members in groups.items():
        sets = {pair.event.split for pair in members} - {""}
        for split_name in SPLITS:
            if sets == {split_name}:
                found[name] = split_name
    return found


def _assign(
    groups: Mapping[str, Sequence[Pair]],
    shares: Mapping[Split, float],
    rng: np.random.Generator,
    settled: Mapping[str, Split],
) -> dict[str, str]:
    """Give each group to the set that lacks most, large ones first, and every set at least one."""
    size = {name: max(1, sum(map(_labelled, members))) for name, members in groups.items()}
    total = sum(size.values())
    have = dict.fromkeys(shares, 0.0)
    sets = dict(settled)
    for name, chosen in settled.items():
        have[chosen] += size[name] / total
    names = [name for name in sorted(groups) if name not in settled]
    order = [names[k] for k in rng.permutation(len(names))]
    order.sort(key=lambda name: -size[name])
    for place, name in enumerate(order):
        empty = [chosen for chosen in shares if chosen not in sets.values()]
        open_sets = empty if len(order) - place <= len(empty) else list(shares)
        chosen = max(open_sets, key=lambda each: shares[each] - have[each])
        sets[name] = chosen
        have[chosen] += size[name] / total
    return {
        pair.id: sets[name]
        for name, members in groups.items()
        for pair in members
        if pair.event.split != sets[name]
    }


def _by_place(
    dataset: Dataset,
    pairs: Sequence[Pair],
    shares: Mapping[Split, float],
    rng: np.random.Generator,
    gap: int | None,
) -> None:
    groups = _grouped(pairs, {pair.id: pair.origin.file or pair.id for pair in pairs})
    if len(groups) >= len(SPLITS):
        dataset.assign(_assign(groups, shares, rng, {}))
        return
    order: list[Split] = [SPLITS[k] for k in rng.permutation(len(SPLITS))]
    ordered = {name: shares[name] for name in order}
    for members in groups.values():
        if len(members) == 1:
            dataset.cut_up(members[0].id, list(_pieces(members[0], ordered, gap).items()))
        else:
            dataset.assign(_bands(members, ordered, gap))


def _pieces(
    pair: Pair, shares: Mapping[Split, float], gap: int | None
) -> dict[Split, tuple[slice, ...]]:
    axes = [name for name in pair.axes if name != "c"]
    along = 0 if axes[0] == "t" else int(np.argmax(pair.label_shape))
    spans = pieces(pair.label_shape[along], shares, gap)
    if spans is None:
        raise DatasetError(
            f"{pair.id} is too small to be cut in three with a gap between.",
            hint="Add images, or use a smaller gap.",
        )
    whole = [slice(0, length) for length in pair.label_shape]
    return {
        name: (*whole[:along], slice(start, stop), *whole[along + 1 :])
        for name, (start, stop) in spans.items()
    }


def _bands(pairs: Sequence[Pair], shares: Mapping[Split, float], gap: int | None) -> dict[str, str]:
    places = {pair.id: pair.origin.region for pair in pairs}
    known = {name: place for name, place in places.items() if place is not None}
    if len(known) < len(places):
        raise DatasetError(
            f"{pairs[0].origin.file or pairs[0].id} has several pairs, and it is not known from "
            "which part of it each was cut.",
            hint="Add them with their region.",
        )
    weights = {pair.id: float(max(1, _labelled(pair))) for pair in pairs}
    axes = range(len(next(iter(known.values()))))
    found = [
        choose_bands([Interval(*known[p.id][k], weights[p.id]) for p in pairs], shares, gap)
        for k in axes
    ]
    best = min((bands for bands in found if bands is not None), key=lambda b: b.cost, default=None)
    if best is None:
        raise DatasetError(
            f"The pairs of {pairs[0].origin.file or pairs[0].specimen} lie too close together "
            "for three sets with a gap between.",
            hint="Use a smaller gap, or add images from other places.",
        )
    return {pair.id: name or "unused" for pair, name in zip(pairs, best.sets, strict=True)}


def _grouped(pairs: Sequence[Pair], key: Mapping[str, str]) -> dict[str, list[Pair]]:
    found: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        found[key[pair.id]].append(pair)
    return dict(found)


def _labelled(pair: Pair) -> int:
    return int(np.prod(pair.label_shape)) - pair.event.pixels.get("unlabelled", 0)
