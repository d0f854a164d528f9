"""`defectseg predict --workers` and `--scheduler`: the numbers of one machine."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def ask(model_folder: Path, tmp_path: Path) -> list[object]:
    return ["--model", model_folder, "--device", "cpu"]


@pytest.mark.long
def test_workers_give_what_one_process_gives(
    defectseg, ask: list[object], two_images: list[Path], tmp_path: Path
) -> None:
    pytest.importorskip("distributed", reason="workers need dask.distributed")
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    said = defectseg("predict", *two_images, *ask, "--out", shared, "--workers", 2, "--json")
    assert said.status == 0, said.err
    assert defectseg("predict", *two_images, *ask, "--out", alone).status == 0
    for result in said.document["results"]:
        folder = Path(result["folder"])
        other = alone / folder.name
        assert (folder / "objects.csv").read_bytes() == (other / "objects.csv").read_bytes()
        assert (folder / "mask.ome.tif").read_bytes() == (other / "mask.ome.tif").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--workers", "2", "--scheduler", "tcp://a:1"], "not both"),
        (["--workers", "2", "--watch"], "this machine"),
        (["--workers", "2", "--device", "all"], "one device"),
    ],
)
def test_what_does_not_go_together_is_told(
    defectseg, ask: list[object], arguments: list[str], sentence: str, tmp_path: Path
) -> None:
    said = defectseg("predict", "a.tif", *ask[:2], "--out", tmp_path / "out", *arguments)
    assert said.status == 2
    assert sentence in " ".join(said.err.replace("│", " ").split())


def test_a_scheduler_that_does_not_answer_makes_the_status_1(
    defectseg,
    ask: list[object],
    two_images: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("distributed", reason="workers need dask.distributed")
    monkeypatch.setattr("napari_defectseg.batch.cluster.CONNECT", 0.5)
    said = defectseg(
        "predict", *two_images, *ask, "--out", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9"
    )
    assert said.status == 1
    assert "no scheduler at tcp://127.0.0.1:9" in said.err
