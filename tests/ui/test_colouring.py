"""Objects are coloured by their class, as napari's own direct colour map would, but faster."""

from __future__ import annotations

import copy
from time import perf_counter

import numpy as np
import pytest
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.ui.colouring import ClassColormap, look_up

CLASSES = ClassMap.of([f"class {number}" for number in range(1, 13)])


@pytest.fixture
def lookup() -> np.ndarray:
    values = np.random.default_rng(1).integers(0, 13, 200).astype(np.uint8)
    values[0] = 0
    return values


def napari_colours(lookup: np.ndarray) -> DirectLabelColormap:
    by_value = {item.value: item.colour for item in CLASSES}
    shown = {n: by_value[value] for n, value in enumerate(lookup.tolist()) if value}
    return DirectLabelColormap(color_dict={None: "transparent", 0: "transparent", **shown})


def test_colours_are_those_of_naparis_own_map(lookup):
    ours, theirs = ClassColormap.of(CLASSES, lookup), napari_colours(lookup)
    numbers = np.arange(-2, 250, dtype=np.int32).reshape(4, -1)
    np.testing.assert_allclose(ours.map(numbers), theirs.map(numbers))


def test_texture_and_its_colours_agree(lookup):
    """What the graphics card gets (places, and a colour a place) gives the class's colour."""
    ours, theirs = ClassColormap.of(CLASSES, lookup), napari_colours(lookup)
    numbers = np.arange(0, 220, dtype=np.int32)
    places = ours._data_to_texture(numbers)
    colours = ours._values_mapping_to_minimum_values_set()[1]
    assert places.dtype == np.uint8
    np.testing.assert_allclose([colours[place] for place in places], theirs.map(numbers))


def test_the_layer_stays_in_direct_colours_without_any_object():
    layer = Labels(np.zeros((4, 4), np.int32), colormap=ClassColormap.of(CLASSES))
    assert isinstance(layer.colormap, ClassColormap)


def test_some_objects_change_class_and_the_table_grows():
    colours = ClassColormap.of(CLASSES, np.array([0, 1, 2], np.uint8))
    colours.set_some({1: None, 500: 3})
    shown = colours.map(np.array([1, 2, 500, 501]))
    assert shown[0, 3] == 0
    assert shown[3, 3] == 0
    np.testing.assert_allclose(shown[2], colours.map(500))
    assert not np.allclose(shown[1], shown[2])


def test_only_the_selected_object_is_shown_where_napari_asks_for_it():
    layer = Labels(
        np.array([[0, 1, 2]], np.int32), colormap=ClassColormap.of(CLASSES, np.array([0, 1, 2]))
    )
    layer.selected_label = 2
    layer.show_selected_label = True
    assert layer.colormap._data_to_texture(layer.data).tolist() == [[0, 0, 1]]
    assert layer.colormap.map(layer.data)[0, :, 3].tolist() == [0, 0, 1]
    assert layer.colormap.map(1)[3] == 0


def test_a_copy_is_its_own(lookup):
    ours = ClassColormap.of(CLASSES, lookup)
    other = copy.deepcopy(ours)
    other.set_some({1: 4, 2: 5})
    np.testing.assert_allclose(ours.map(np.arange(200)), napari_colours(lookup).map(np.arange(200)))


def test_a_hundred_thousand_objects_cost_no_more_than_few():
    """Adding one object to 10⁵ takes far less than a millisecond; napari's own map a second."""
    colours = ClassColormap.of(CLASSES, np.tile(np.arange(1, 11, dtype=np.uint8), 10_000))
    began = perf_counter()
    for number in range(100_000, 100_100):
        colours.set_some({number: 3})
    assert (perf_counter() - began) / 100 < 1e-3


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_looking_up_is_taking_with_clipped_numbers(kind):
    rng = np.random.default_rng(2)
    table = rng.integers(0, 255, 40).astype(kind)
    numbers = rng.integers(-5, 60, (30, 20)).astype(np.int32)
    for shown in (
        numbers,
        numbers[:, ::2],
        numbers.T,
        numbers.astype(np.int64),
        numbers[:0],
        numbers[0, 0],
    ):
        expected = np.take(table, shown, mode="clip")
        np.testing.assert_array_equal(look_up(table, shown), expected)
