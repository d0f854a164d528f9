"""`evaluate`: how well a prediction agrees with a truth, in pixels and in objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.comparison import Compared, Comparison, Spacing
from napari_defectseg.measurement.evaluation import REPORTED, Evaluation
from napari_defectseg.measurement.matching import MatchRule
from napari_defectseg.measurement.populations import NO_CLASSES
from napari_defectseg.measurement.side import Masks
from napari_defectseg.measurement.tally import Tally

__all__ = ["Evaluation", "evaluate", "evaluate_many"]


def evaluate(
    truth: Masks,
    prediction: Masks,
    *,
    classes: ClassMap | None = None,
    match: str | MatchRule = "iou:0.5",
    spacing: Spacing | None = None,
    axes: Axes | None = None,
    connectivity: int | None = None,
) -> Evaluation:
    """Compare a prediction with a truth.

    Pixels of value 255 (unlabelled) in either of them are left out. Of bare arrays, bool and
    uint8 are class masks, whose objects are their connected parts; other whole numbers are
    object numbers unless `classes` are given and all values are class values.

    Parameters
    ----------
    truth, prediction : LabelMap or ndarray
        Of one shape; where `classes` may overlap, one plane a class in front.
    classes : ClassMap or None
        None: those of the label maps, else one for each value of the masks.
    match : str or MatchRule
        ``"iou:0.5"``: objects are the same when their IoU is at least 0.5; ``"distance:8"``:
        when their centres are 8 apart at most, in the unit of the pixel size.
    spacing : float or sequence of float or None
        Pixel size of each spatial axis, for distances. None: the label maps', else 1. Two
        numbers for an array of three axes say that the first one is time.
    axes : tuple of str or None
        Axes of bare arrays without the class axis; objects of different times never join.
    connectivity : int or None
        For masks: 1 faces, 2 edges too, 3 corners too; None: all neighbours.

    Returns
    -------
    Evaluation

    Raises
    ------
    MeasurementError
        If the two do not belong together; a sentence says how.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[1, 1, 0, 0]], np.uint8)
    >>> found = evaluate(truth, np.array([[1, 0, 0, 0]], np.uint8))
    >>> found["object"]["iou"], found["object"]["precision"], found["object"]["recall"]
    (0.5, 1.0, 0.5)
    """
    return evaluate_many(
        [(truth, prediction)],
        classes=classes,
        match=match,
        spacing=spacing,
        axes=axes,
        connectivity=connectivity,
    )


def evaluate_many(
    pairs: Iterable[tuple[Masks, Masks]],
    *,
    classes: ClassMap | None = None,
    match: str | MatchRule = "iou:0.5",
    spacing: Spacing | None = None,
    axes: Axes | None = None,
    connectivity: int | None = None,
) -> Evaluation:
    """Compare many predictions with their truths; pixels and objects are pooled over the set.

    Parameters
    ----------
    pairs : iterable of (truth, prediction)
        Taken one by one, so that a generator needs the memory of one pair.
    classes, match, spacing, axes, connectivity
        As for `evaluate`, the same for all pairs.

    Raises
    ------
    MeasurementError
        If there is no pair, or the two of a pair do not belong together.
    """
    rule = MatchRule.parse(match) if isinstance(match, str) else match
    rules = tuple(dict.fromkeys((rule, *REPORTED)))
    compared: list[Compared] = []
    known = classes
    for truth, prediction in pairs:
        known = known or _classes_of(truth, prediction)
        case = Comparison(known, spacing, axes, connectivity)
        compared.append(case.compare(truth, prediction, rules))
    if not compared:
        raise MeasurementError("There is nothing to compare: no pair of truth and prediction.")
    names = _names(known, compared)
    images = tuple(
        {name: pair.classes.get(value, _absent(pair)) for value, name in names.items()}
        for pair in compared
    )
    return Evaluation(
        {name: sum((image[name] for image in images), Tally()) for name in names.values()},
        rule,
        sum((pair.background for pair in compared), Tally())
        if known is None or known.exclusive
        else None,
        images,
        tuple(dict.fromkeys(note for pair in compared for note in pair.notes)),
    )


def _classes_of(truth: Masks, prediction: Masks) -> ClassMap | None:
    for masks in (truth, prediction):
        if isinstance(masks, LabelMap):
            return masks.classes
    return None


def _absent(pair: Compared) -> Tally:
    return Tally(pixels=pair.background.pixels)


def _names(classes: ClassMap | None, compared: Sequence[Compared]) -> dict[int, str]:
    if classes is not None:
        return {item.value: item.name for item in classes}
    values = sorted({value for pair in compared for value in pair.classes})
    if values in ([], [1]):
        return {1: NO_CLASSES}
    return {value: f"class {value}" for value in values}
