from __future__ import annotations

from pathlib import Path

import pytest

from napari_defectseg.core.atomic import BESIDE, atomic_folder, atomic_path, write_text
from napari_defectseg.core.errors import AlreadyExists, NotSaved


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(BESIDE)]


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    write_text(target, "µm")
    assert target.read_text(encoding="utf-8") == "µm"
    assert not leftovers(target.parent)


def test_a_failure_keeps_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as part:
        part.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert not leftovers(tmp_path)


def test_a_full_disk_gets_a_sentence(tmp_path: Path) -> None:
    sentence = r"a\.txt could not be written: No space left"
    with pytest.raises(NotSaved, match=sentence), atomic_path(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(AlreadyExists, match="left as it is"):
        write_text(target, "new", overwrite=False)
    with pytest.raises(AlreadyExists), atomic_folder(tmp_path):
        pass
    assert target.read_text() == "old"


def test_a_folder_replaces_the_old_one_at_once(tmp_path: Path) -> None:
    target = tmp_path / "model"
    for text in ("one", "two"):
        with atomic_folder(target, overwrite=True) as part:
            (part / "card.json").write_text(text)
    assert (target / "card.json").read_text() == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with atomic_folder(target) as part:
        (part / "card.json").write_text("one")
    with pytest.raises(RuntimeError), atomic_folder(target, overwrite=True) as part:
        (part / "card.json").write_text("half")
        raise RuntimeError
    assert (target / "card.json").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_file_where_a_folder_should_be_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotSaved):
        write_text(tmp_path / "file" / "a.txt", "")
