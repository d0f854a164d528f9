"""`defectseg predict --watch`: frames as they arrive, and how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from napari_defectseg.batch.frames import FILE


@pytest.fixture
def inbox(two_images: list[Path], tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    for number, path in enumerate(two_images):
        path.rename(folder / f"scan_{number}.ome.tif")
    return folder


@pytest.fixture
def ask(model_folder: Path, tmp_path: Path) -> list[object]:
    return ["--model", model_folder, "--out", tmp_path / "out", "--device", "cpu", "--settle", 0.1]


def test_frames_are_done_until_nothing_new_comes(
    defectseg, ask: list[object], inbox: Path, tmp_path: Path
) -> None:
    said = defectseg("predict", "--watch", inbox, *ask, "--until-idle", 0.3, "--json")
    assert said.status == 0, said.err
    frames = said.document["frames"]
    assert [frame["image"] for frame in frames] == ["scan_0.ome.tif", "scan_1.ome.tif"]
    assert set(frames[0]["objects"]) == {"void", "loop"}
    assert Path(frames[0]["folder"], "objects.csv").is_file()
    assert said.err.count("s after it was written") >= 2
    again = defectseg("predict", "--watch", inbox, *ask, "--frames", 2)
    assert again.status == 0, again.err
    assert "2 of 2 frames" in again.out
    assert "after it was written" not in again.err


def test_a_pattern_chooses_and_a_broken_frame_makes_the_status_1(
    defectseg, ask: list[object], inbox: Path, tmp_path: Path
) -> None:
    (inbox / "scan_2.tif").write_bytes(b"II*\x00 and so on")
    (inbox / "other.txt").write_text("no frame")
    said = defectseg(
        "predict", "--watch", inbox / "scan_[12]*", *ask, "--until-idle", 0.2, "--patience", 0.2,
        "--json",
    )  # fmt: skip
    assert said.status == 1
    assert [one["image"] for one in said.document["frames"]] == ["scan_1.ome.tif"]
    assert "scan_2.tif" in said.document["failed"][0]["sentence"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["a", "b", "--watch"], "one folder"), (["a", "--frames", "3"], "needs --watch")],
)
def test_wrong_use_is_told(
    defectseg, ask: list[object], arguments: list[str], sentence: str
) -> None:
    said = defectseg("predict", *arguments, *ask)
    assert said.status == 2
    assert sentence in said.err


@pytest.mark.long
def test_ctrl_c_says_what_is_kept(ask: list[object], inbox: Path, tmp_path: Path) -> None:
    call = [sys.executable, "-m", "napari_defectseg.cli.main", "predict", "--watch", inbox, *ask]
    with subprocess.Popen([str(one) for one in call], stderr=subprocess.PIPE, text=True) as process:
        table = tmp_path / "out" / FILE
        while not (table.is_file() and table.read_text().count("\n") > 2):
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "2 finished frames kept" in said
