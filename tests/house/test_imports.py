"""The house: who may know whom, and what importing costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "napari", "qtpy", "PyQt6", "PySide6", "pandas", "numba", "skimage", "pydantic")


def loaded_by(code: str, names: tuple[str, ...] = HEAVY) -> set[str]:
    """Names out of `names` that a fresh interpreter has loaded after running `code`."""
    script = f"{code}\nimport sys; print(*[n for n in {names!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import napari_defectseg") == set()


def test_listing_the_public_names_loads_nothing_heavy() -> None:
    assert loaded_by("import napari_defectseg; dir(napari_defectseg)") == set()


@pytest.mark.parametrize(
    "name", ["open_image", "measure_regions", "summarise", "evaluate", "Dataset"]
)
def test_measuring_never_loads_torch(name: str) -> None:
    code = f"import napari_defectseg; napari_defectseg.{name}"
    assert not loaded_by(code) & {"torch", "napari", "qtpy"}


def test_every_public_name_exists() -> None:
    import napari_defectseg

    for name in napari_defectseg.__all__:
        assert getattr(napari_defectseg, name) is not None, name
    with pytest.raises(AttributeError):
        _ = napari_defectseg.no_such_name
