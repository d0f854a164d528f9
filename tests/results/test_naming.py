"""Folders of images never clash."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defectseg.results.naming import stem_of, stems


@pytest.mark.parametrize(
    ("path", "stem"),
    [
        ("a/steel.tif", "steel"),
        ("a/steel.ome.tif", "steel"),
        ("steel.OME.TIF", "steel"),
        ("map.mrc.gz", "map"),
        ("vol.ome.zarr", "vol"),
        ("fov 0.5nm.png", "fov 0.5nm"),
        ("slices", "slices"),
        ("shot.h5::entry/data", "shot-entry-data"),
        (".hidden", ".hidden"),
    ],
)
def test_stem(path: str, stem: str) -> None:
    assert stem_of(path) == stem


def test_two_images_of_one_stem_get_their_parents_name() -> None:
    found = stems(["/d/A3/field.tif", "/d/B1/field.tif", "/d/B1/other.tif"])
    assert found == ("A3__field", "B1__field", "other")
    assert stems(["/d/A/x.tif", "/d/A/X.png"]) == ("A__x", "A__X-2")


@given(st.lists(st.sampled_from(["a/x.tif", "a/x.png", "b/x.tif", "b/X.tif", "c/y.tif"])))
def test_names_differ_by_more_than_capitals(paths: list[str]) -> None:
    found = stems(paths)
    assert len({name.casefold() for name in found}) == len(paths)
