"""What the project promises about itself: dependencies, licence, sizes, public names."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "napari_defectseg"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAMED = {"napari", "magicgui", "torch", "numpy", "scikit-image", "qtpy", "npe2"}
BINDINGS = {"pyqt5", "pyqt6", "pyside2", "pyside6"}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~;\s]", text)[0].lower() for text in requirements}


def test_dependencies_name_what_users_were_told_and_no_qt_binding() -> None:
    found = names(PROJECT["dependencies"])
    assert found >= NAMED
    assert not found & BINDINGS
    assert "pytest-qt" in names(PROJECT["optional-dependencies"]["test"])


def test_every_dependency_has_a_line_of_reason() -> None:
    page = (ROOT / "docs" / "explanation" / "dependencies.md").read_text(encoding="utf-8").lower()
    for name in names(PROJECT["dependencies"]):
        assert re.search(rf"[| ,]{re.escape(name)}[ ,|]", page), name


def test_every_pin_fits_its_lower_bound() -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower()
    for name in names(PROJECT["dependencies"]):
        assert re.search(rf"^{re.escape(name)}==", pins, re.MULTILINE), name


def test_gpl_packages_are_optional() -> None:
    assert "rosettasciio" not in names(PROJECT["dependencies"])
    assert "rosettasciio" in names(PROJECT["optional-dependencies"]["containers"])


def test_the_package_is_typed_and_licensed() -> None:
    assert (SOURCE / "py.typed").exists()
    assert PROJECT["license"] == "BSD-3-Clause"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("BSD 3-Clause")


def test_public_names_stand_in_the_reference() -> None:
    import napari_defectseg

    page = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    missing = [n for n in napari_defectseg.__all__ if not re.search(rf"\b{n}\b", page)]
    assert not missing


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: p.name)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400, "a file of more than 400 lines: two rooms would be easier"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert code_lines(node) <= 60, f"{node.name} is too long"


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its first statement after the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_no_colour_is_written_in_the_docks() -> None:
    """Colours come from the theme and from the classes, so that both themes are readable."""
    for path in sorted((SOURCE / "ui").rglob("*.py")):
        found = re.findall(r"""["']#[0-9a-fA-F]{3,8}["']""", path.read_text(encoding="utf-8"))
        assert not found, path


def test_shipped_models_are_small() -> None:
    for path in sorted((SOURCE / "shipped").glob("*/weights.safetensors")):
        assert path.stat().st_size < 3_000_000, path
