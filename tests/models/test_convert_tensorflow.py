"""The converter of TensorFlow: what it takes, what it calls, and that it stays apart."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from napari_defectseg.models import convert_tensorflow as converter


def test_it_needs_the_standard_library_alone() -> None:
    tree = ast.parse(Path(converter.__file__).read_text(encoding="utf-8"))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in getattr(node, "names", [])]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert modules <= set(sys.stdlib_module_names)


def test_what_is_no_model_of_tensorflow_gets_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.h5").write_text("x")
    assert converter.main([str(tmp_path / "m.h5"), str(tmp_path / "o.onnx")]) == 1
    assert "open without conversion" in capsys.readouterr().err


def test_a_saved_model_is_given_to_tf2onnx_in_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = tmp_path / "saved", tmp_path / "o.onnx"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"")
    called: list[list[str]] = []

    def run(command: list[str], failure: str) -> str:
        called.append(command)
        out.write_bytes(b"x")
        return ""

    monkeypatch.setattr(converter, "_run", run)
    environment = tmp_path / "environment"
    environment.mkdir()
    (environment / "ready").write_text("")
    converter.convert(folder, out, environment=environment)
    (command,) = called
    assert command[0].startswith(str(environment))
    assert command[3:5] == ["--saved-model", str(folder)]
    with pytest.raises(converter.Failed, match="exists already"):
        converter.convert(folder, out, environment=environment)
