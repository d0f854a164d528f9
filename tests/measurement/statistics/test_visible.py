"""The g·b rule gives the table of visible shares."""

from __future__ import annotations

import pytest

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.statistics.visible import true_numbers, visible


@pytest.mark.parametrize(
    ("family", "g", "seen", "variants", "weak"),
    [
        ("bcc 1/2<111>", "110", 2, 4, 0), ("bcc 1/2<111>", "200", 4, 4, 0),
        ("bcc 1/2<111>", "211", 3, 4, 0), ("bcc 1/2<111>", "220", 2, 4, 0),
        ("bcc <100>", "110", 2, 3, 0), ("bcc <100>", "200", 1, 3, 0),
        ("bcc <100>", "211", 3, 3, 0), ("bcc <100>", "220", 2, 3, 0),
        ("fcc 1/2<110>", "200", 4, 6, 0), ("fcc 1/2<110>", "111", 3, 6, 0),
        ("fcc 1/2<110>", "220", 5, 6, 0), ("fcc 1/2<110>", "311", 5, 6, 0),
        ("fcc 1/3<111>", "200", 4, 4, 0), ("fcc 1/3<111>", "111", 4, 4, 3),
        ("fcc 1/3<111>", "220", 2, 4, 0), ("fcc 1/3<111>", "311", 4, 4, 1),
        ("hcp <a>", "10-10", 2, 3, 0), ("hcp <a>", "10-11", 2, 3, 0),
        ("hcp <a>", "11-20", 3, 3, 0), ("hcp <a>", "0002", 0, 3, 0),
    ],
)  # fmt: skip
def test_visible_shares(family, g, seen, variants, weak):
    found = visible(family, g)
    assert (found.seen, found.variants) == (seen, variants)
    assert found.share == seen / variants
    if weak:
        assert found.weak == weak


@pytest.mark.parametrize(
    ("family", "g"), [("bcc <100>", "111"), ("fcc 1/2<110>", "110"), ("fcc 1/3<111>", "211")]
)
def test_reflections_that_the_lattice_forbids_are_refused(family, g):
    with pytest.raises(MeasurementError, match="no reflection"):
        visible(family, g)


@pytest.mark.parametrize("g", ["", "11", "000", "abc"])
def test_what_is_no_reflection_is_refused(g):
    with pytest.raises(MeasurementError, match="reflection"):
        visible("bcc <100>", g)


def test_signs_and_spaces_do_not_matter():
    assert visible("bcc <100>", "-1 1 0") == visible("bcc <100>", "110")


def test_two_reflections_tell_two_families_apart():
    families = ("bcc 1/2<111>", "bcc <100>")
    truth = {"bcc 1/2<111>": 40.0, "bcc <100>": 30.0}
    seen = {g: sum(visible(f, g).share * truth[f] for f in families) for g in ("200", "110")}
    assert true_numbers(seen, families) == pytest.approx(truth)
    with pytest.raises(MeasurementError, match="cannot tell"):
        true_numbers({"200": 12.0}, families)
