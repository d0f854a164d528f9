"""Times and counts as a person says them."""

import pytest

from napari_defectseg.ui import words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(170, "3 min"), (4.2, "4 s"), (33, "35 s"), (0.1, "1 s"), (7300, "2 h")],
)
def test_a_time_to_come_is_never_more_exact_than_known(seconds, text):
    assert words.about(seconds) == text


def test_a_time_that_has_passed():
    assert words.took(5.83) == "5.8 s"
    assert words.took(3725) == "1 h 2 min"


def test_counts_name_what_is_counted():
    assert words.objects(1) == "1 object"
    assert words.counted(2000, "edit") == "2\u2009000 edits"
    assert words.size(4e8) == "0.4 GB"
