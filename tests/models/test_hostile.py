"""Files made to do harm, opened from Python, by the command line and by a drop on the dock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from published import reference
from tests.models import hostile

WORKER = Path(__file__).with_name("hostile_worker.py")
SECONDS = 10.0
ROOT = Path(__file__).resolve().parents[2]
HARMLESS = {
    "p12_after_stop.pth",
    "m01_monai",
    "i01_ome_entity_bomb.ome.tif",
    "i02_circular_ifd.tif",
}
"""Those of the reference that may open: what is harmful in them is not looked at."""
WEIGHTS_ALONE = {"ts01_forward_writes.pt", "ts02_setstate_writes.pt", "e01_sample_inputs.pt2",
                 "e02_sympy_expression.pt2", "e03_pickled_weight.pt2"}  # fmt: skip


WAYS = ("python", "command", "drop")


def outcomes(
    paths: list[Path], tmp_path: Path, ways: tuple[str, ...] = WAYS
) -> dict[tuple[str, str], tuple[str, float]]:
    """Open files in a process with 2 GB to spare; return what became of each path and way."""
    listed, work = tmp_path / "paths.txt", tmp_path / "work"
    work.mkdir()
    listed.write_text("\n".join(map(str, paths)))
    mark = tmp_path / "MARKER"
    usual = {"OMP_NUM_THREADS": "1", "DEFECTSEG_MARKER": str(mark), "HOME": str(work)}
    done = subprocess.run(
        [sys.executable, str(WORKER), str(listed), *ways],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        cwd=work,
        env={**os.environ, **usual, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
    )
    rows: list[list[Any]] = [json.loads(row) for row in done.stdout.splitlines()]
    ended = {(Path(p).name, way): (said, s) for p, way, said, s in rows if said != "START"}
    assert len(ended) == len(ways) * len(paths), f"{rows[-1:]}: {done.stderr[-3000:]}"
    assert not mark.exists(), "something in a file was run"
    assert not list(tmp_path.rglob("*pwned.marker"))
    for what, (said, seconds) in ended.items():
        assert not said.startswith("FAULT"), f"{what}: {said}"
        assert seconds < SECONDS, f"{what} took {seconds:.1f} s: {said}"
    return ended


def test_our_own_attacks_end_in_sentences(tmp_path: Path) -> None:
    """More than a hundred: nothing runs, nothing dies, 10 s and 2 GB at most."""
    paths = hostile.write(tmp_path / "own")
    assert len(paths) >= 75
    ended = outcomes(paths, tmp_path, ("python",))
    assert not [what for what, (said, _) in ended.items() if said == "opened"]


@pytest.mark.long
def test_our_own_attacks_end_in_sentences_whichever_way(tmp_path: Path) -> None:
    """Also by the command line, and by a drop on the window or the Model dock."""
    ended = outcomes(hostile.write(tmp_path / "own"), tmp_path, ("command", "drop"))
    # A drop reads card and weights; whether they fit shows when the network is first needed.
    assert not [what for what, (said, _) in ended.items() if said == "opened" and what[1] != "drop"]


@pytest.mark.long
def test_the_attacks_of_the_reference_end_as_they_must(tmp_path: Path) -> None:
    """All 75 of its list: refused, or opened as data where nothing in them would run."""
    folder = tmp_path / "hostile"
    script = reference("formats/make_hostile.py")
    subprocess.run([sys.executable, str(script), str(folder)], check=True, capture_output=True)
    table = json.loads((folder / "manifest.json").read_text())
    assert len(table) == 75
    tops = {entry["file"].split("/")[0] for entry in table}
    ended = outcomes(sorted(folder / top for top in tops), tmp_path)
    opened = {what[0] for what, (said, _) in ended.items() if said == "opened"}
    assert opened <= HARMLESS | WEIGHTS_ALONE
