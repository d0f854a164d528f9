"""`MeasurementContract`: what a measurement of objects must do."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.progress import drive
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.measurement.collect import collect_steps
from napari_defectseg.measurement.columns.measurement import MEASUREMENTS, Kind, Measurement
from napari_defectseg.measurement.inputs import Inputs
from napari_defectseg.measurement.objects import Objects
from napari_defectseg.measurement.regions import take_in
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.measurement.tabulate import columns_before

Values = dict[str, NDArray[Any]]
SHAPES = {2: (40, 44), 3: (16, 18, 20)}
STEPS = {2: (0.7, 0.5), 3: (1.1, 0.7, 0.5)}


class MeasurementContract:
    """Inherit it and name the `measurement`.

    Attributes
    ----------
    measurement : Measurement
        As the entry point in the group ``napari_defectseg.measurements`` names it.
    tolerance : float
        Largest relative difference of numbers that must be equal.
    """

    measurement: Measurement
    tolerance: float = 1e-9

    def objects(self, ndim: int, *, scale: float = 1.0, empty: bool = False) -> Objects:
        """Return objects of all sizes: ellipsoids, lines, single pixels; in two frames."""
        rng = np.random.default_rng(3)
        labels = np.zeros((2, *SHAPES[ndim]), np.int32)
        if not empty:
            for number in range(1, 13):
                _draw(labels[number % 2], number, rng)
        classes = ClassMap.of(["void", "loop"])
        names = {number: 1 + number % 2 for number in range(1, 13)}
        steps = tuple(scale * step for step in STEPS[ndim])
        source = take_in(labels, None, steps, "nm", classes, names)
        grey = rng.normal(100, 20, labels.shape)
        scores = rng.random((2, *labels.shape), np.float32)
        settings = MeasureSettings(columns=("all",), axis=(1.0, 0.5, -2.0)[:ndim], blur=0.8)
        inputs = Inputs.of(source, grey, _space(labels.shape), scores, settings)
        return drive(collect_steps(source, inputs))

    def values(self, objects: Objects) -> Values:
        """Return the measurement's columns; what it needs is computed before."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            before = columns_before(self.measurement, objects)
            return self.measurement.values(objects.with_columns(before))

    def test_it_is_described(self) -> None:
        """A name for a heading, a known kind of unit, a sentence that defines it."""
        item = self.measurement
        assert item.name
        assert item.name == item.name.strip()
        assert not set(item.name) & set("[],\"'\n"), "it stands in the header of a CSV file"
        assert item.kind in get_args(Kind)
        assert item.definition.endswith(".")
        assert set(item.dims) <= {2, 3}
        assert item.dims

    def test_what_it_needs_is_there(self) -> None:
        """Other measurements that are known, and not itself."""
        assert self.measurement.name not in self.measurement.needs
        assert set(self.measurement.needs) <= set(MEASUREMENTS.names())

    def test_one_value_an_object(self) -> None:
        """Of numbers, truths or texts, under the names it promises."""
        for ndim in self.measurement.dims:
            objects = self.objects(ndim)
            found = self.values(objects)
            assert tuple(found) == self.measurement.names(ndim)
            for column in found.values():
                assert column.shape == (len(objects),)
                assert column.dtype.kind in "biufU"

    def test_no_objects_are_no_trouble(self) -> None:
        """An empty table has the columns of a full one, of the same types."""
        for ndim in self.measurement.dims:
            full = self.values(self.objects(ndim))
            empty = self.values(self.objects(ndim, empty=True))
            for name, column in empty.items():
                assert column.shape == (0,)
                assert column.dtype.kind == full[name].dtype.kind

    def test_it_grows_with_the_pixel_size_as_its_unit_says(self) -> None:
        """Lengths as the pixel, areas and volumes as its power, all others not at all."""
        for ndim in self.measurement.dims:
            powers = {"length": 1, "square": 2, "size": ndim}
            power = powers.get(self.measurement.kind, 0)
            once, thrice = self.values(self.objects(ndim)), self.values(self.objects(ndim, scale=3))
            grown = {n: v * 3.0**power if power else v for n, v in once.items()}
            self.assert_same(thrice, grown)

    def test_its_unit_follows_the_pixel_size(self) -> None:
        """Without a pixel size nothing is a length: the unit is px, or a power of it, or none."""
        for ndim in self.measurement.dims:
            calibration = self.objects(ndim).calibration
            unit = self.measurement.unit(calibration)
            bare = self.measurement.unit(type(calibration).uncalibrated(ndim))
            assert bare == unit.replace("nm", "px")

    def test_the_order_of_objects_does_not_matter(self) -> None:
        """Each object's value goes with it."""
        for ndim in self.measurement.dims:
            objects = self.objects(ndim)
            order = np.random.default_rng(0).permutation(len(objects))
            turned = self.values(objects.select(order))
            self.assert_same(turned, {n: v[order] for n, v in self.values(objects).items()})

    def test_a_local_one_looks_at_one_object_alone(self) -> None:
        """Where it says `local`, live tables measure only what an edit touched."""
        if not self.measurement.local:
            return
        for ndim in self.measurement.dims:
            objects = self.objects(ndim)
            some = np.arange(len(objects)) % 3 == 0
            alone = self.values(objects.select(some))
            self.assert_same(alone, {n: v[some] for n, v in self.values(objects).items()})

    def assert_same(self, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        """Fail unless both have the same columns with the same values."""
        assert found.keys() == wanted.keys()
        for name, column in found.items():
            if column.dtype.kind == "f":
                np.testing.assert_allclose(column, wanted[name], self.tolerance, err_msg=name)
            else:
                np.testing.assert_array_equal(column, wanted[name], err_msg=name)


def _space(shape: tuple[int, ...]) -> ReferenceSpace:
    """Return a specimen that ends within the image, so that some objects are cut and some open."""
    outside = np.zeros(shape, bool)
    outside[..., :3] = True
    return ReferenceSpace(shape, exclude=outside)


def _draw(labels: NDArray[np.int32], number: int, rng: np.random.Generator) -> None:
    """Draw one object of its own kind: single pixel, line, or ellipsoid, also over the border."""
    centre = rng.uniform(0, labels.shape)
    half = rng.uniform(1, 5, labels.ndim)
    if number <= 2:
        half[:] = 0.1
        centre = np.round(centre - 0.5).clip(0)
    elif number <= 4:
        half[:-1] = 0.1
        centre = np.round(centre - 0.5).clip(0)
    grids = np.ogrid[tuple(slice(0, n) for n in labels.shape)]
    level = sum(((g - c) / h) ** 2 for g, c, h in zip(grids, centre, half, strict=True))
    labels[level <= 1] = number
