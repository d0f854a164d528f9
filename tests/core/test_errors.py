from __future__ import annotations

import inspect

from napari_defectseg.core import errors
from napari_defectseg.core.errors import DefectSegError, ImageError


def test_a_sentence_and_what_to_do() -> None:
    error = ImageError("a.tif is empty.", hint="Copy it again.")
    assert str(error) == "a.tif is empty. Copy it again."
    assert isinstance(error, ValueError)


def test_every_error_is_drawn_in_the_tree() -> None:
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, DefectSegError):
            assert name in (errors.__doc__ or "")
