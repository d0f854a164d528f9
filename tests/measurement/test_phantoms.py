"""Synthetic images whose truth is known: what is measured on their masks is that truth."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.measurement.populations import summarise
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.phantoms.make import phantom
from napari_defectseg.phantoms.phantom import Phantom

SEEDS = range(6)
SHAPES = {"micrograph": (384, 384), "tomogram": (56, 56, 56), "surface": (448, 448)}


@pytest.fixture(scope="module", params=sorted(SHAPES))
def phantoms(request) -> list[Phantom]:
    return [phantom(request.param, seed=seed, shape=SHAPES[request.param]) for seed in SEEDS]


def measured(made: Phantom, *, objects: bool = True):
    """Return the table of a phantom's instances (or of its mask)."""
    space = None if made.space is None else ReferenceSpace(made.mask.shape, roi=made.space)
    listed = zip(made.objects["label"].tolist(), made.objects["class_value"].tolist(), strict=True)
    return measure_regions(
        made.instances if objects else made.mask,
        image=made.image,
        classes=made.classes,
        object_classes=dict(listed) if objects else None,
        space=space,
    )


def whole_rows(made: Phantom, table) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of table and list of the objects that nothing cuts or hides."""
    listed = made.objects
    whole = ~listed["cut_by_border"] & ~listed["hidden"] & (listed["pixels"] > 0)
    if "open_to_surface" in listed:
        whole &= ~listed["open_to_surface"]
    labels = listed["label"][whole]
    return np.searchsorted(table["label"], labels), np.flatnonzero(whole)


def test_every_object_has_the_pixels_and_class_of_the_list(phantoms):
    for made in phantoms:
        table = measured(made)
        seen = made.objects["pixels"] > 0
        assert np.array_equal(np.sort(made.objects["label"][seen]), table["label"])
        order = np.argsort(made.objects["label"][seen])
        assert np.array_equal(made.objects["pixels"][seen][order], table["num_pixels"])
        assert np.array_equal(made.objects["class"][seen][order], table["class"])


def test_equivalent_diameters_are_without_bias(phantoms):
    """Over all whole objects of 30 pixels or more, in the unit of the image."""
    ratios = []
    for made in phantoms:
        table = measured(made)
        assert table.column("equivalent_diameter_area").unit == made.image.calibration.unit
        here, there = whole_rows(made, table)
        large = table["num_pixels"][here] >= 30
        truth = made.objects["equivalent_diameter_area"][there]
        ratios.append((table["equivalent_diameter_area"][here] / truth)[large])
    ratio = np.concatenate(ratios)
    assert ratio.size > 15
    assert abs(ratio.mean() - 1) < max(0.003, 4 * ratio.std(ddof=1) / np.sqrt(ratio.size))
    assert ratio.std() < 0.05


def test_centroids_of_compact_objects_are_those_of_the_list(phantoms):
    """Lines are listed by the middle of their length, which is not quite that of their area."""
    for made in phantoms:
        table = measured(made)
        here, there = whole_rows(made, table)
        steps = made.image.calibration.steps
        listed = made.objects
        compact = listed["axis_major_length"][there] < 3 * listed["axis_minor_length"][there]
        for axis, step in enumerate(steps):
            off = table[f"centroid-{axis}"][here] - made.objects[f"centroid-{axis}"][there]
            assert np.abs(off[compact] / step).max(initial=0) < 0.6


def test_fractions_and_counts_are_those_of_the_mask(phantoms):
    """Each class over the specimen, pixels counted once."""
    for made in phantoms:
        summary = summarise(measured(made))
        inside = made.mask.size if made.space is None else int(made.space.sum())
        for item in made.classes:
            pixels = int(np.count_nonzero(made.mask == item.value))
            numbers = summary[item.name]
            assert numbers["pixels"].value == pixels
            assert numbers["fraction"].value == pytest.approx(pixels / inside, rel=1e-12)
            listed = (made.objects["class"] == item.name) & (made.objects["pixels"] > 0)
            assert numbers["objects"].value == np.count_nonzero(listed)


def test_a_mask_without_object_numbers_gives_the_same_fractions(phantoms):
    """Touching objects become one, so counts may be lower, never higher than pieces allow."""
    for made in phantoms:
        by_objects, by_mask = summarise(measured(made)), summarise(measured(made, objects=False))
        for item in made.classes:
            one, other = by_objects[item.name], by_mask[item.name]
            assert one["fraction"].value == other["fraction"].value


def test_porosity_of_a_tomogram_is_the_fact(phantoms):
    for made in phantoms:
        if "porosity" in made.facts:
            found = summarise(measured(made))["pore"]["fraction"].value
            assert found == pytest.approx(made.facts["porosity"], rel=1e-9)
