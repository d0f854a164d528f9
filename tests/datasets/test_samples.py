"""Samples: made here, or from a server, whole and checked; sentences where that fails."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import AlreadyExists, Cancelled, NotSaved, SampleError
from napari_defectseg.core.progress import Step
from napari_defectseg.datasets import samples
from napari_defectseg.datasets.catalogue import Sample, SampleFile, catalogue, sample
from napari_defectseg.datasets.samples import fetch
from napari_defectseg.images.open import open_image
from napari_defectseg.images.save import save_array

IDENTICAL = {
    "tem-loops-316l": "tem_loops_316l",
    "tem-defect-free": "tem_defect_free",
    "powder-bed": "powder_bed_layers",
    "file-formats": "containers",
    "file-formats-gpl": "containers/gpl3",
}
"""Samples whose files lie unchanged in a folder of the real data."""


class Server(ThreadingHTTPServer):
    """Gives away bytes by path, and counts what it was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.goes_on = threading.Event()
        self.goes_on.set()
        super().__init__(("127.0.0.1", 0), partial(_Answer))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = unquote(self.path).lstrip("/")
        self.server.asked.append(path)
        content = self.server.files.get(path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.server.goes_on.wait(10)
        with suppress(ConnectionError):  # the other side has hung up
            self.wfile.write(content[len(content) // 2 :])

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def serve(server: Server, known: Sample, folder: Path) -> None:
    for file in known.files:
        server.files[file.url_path] = (folder / file.local).read_bytes()


def small(server: Server, content: bytes, **fields: object) -> Sample:
    """Serve `content` as the only file of a sample."""
    url = "owner/name/commit/a folder/é #1.tif"
    server.files[url] = content
    file = SampleFile(
        url_path=url,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        local="images/one.tif",
        **fields,
    )
    return Sample(name="small", title="One", text="", licence="MIT", made_by="owner", files=(file,))


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch):
    """Put a sample into the place of the catalogue."""

    def put(one: Sample) -> None:
        monkeypatch.setattr(samples, "sample", lambda name: one)

    return put


def test_every_sample_of_the_catalogue_is_complete() -> None:
    names = [one.name for one in catalogue()]
    assert len(set(names)) == len(names)
    for one in catalogue():
        assert one.title
        assert one.licence
        assert one.made_by
        assert bool(one.phantom) != bool(one.files)
        locals_ = [file.local for file in one.files]
        assert len(set(locals_)) == len(locals_)
        assert len({file.original for file in one.files}) == len(one.files)
        for file in one.files:
            assert len(file.sha256) == 64
            assert not Path(file.local).is_absolute()
            assert ".." not in file.local
            assert len(file.url_path.split("/")[2]) == 40  # a commit, never a branch


@pytest.mark.parametrize("name", IDENTICAL)
def test_real_files_arrive_byte_for_byte(
    server: Server, real_data: Path, tmp_path: Path, name: str
) -> None:
    source = real_data / IDENTICAL[name]
    serve(server, sample(name), source)
    fetched = fetch(name, tmp_path / "out", server=server.address)
    for file in sample(name).files:
        assert (tmp_path / "out" / file.local).read_bytes() == (source / file.local).read_bytes()
    asked = len(server.asked)
    assert asked == len(sample(name).files)
    fetch(name, tmp_path / "out", server=server.address)
    assert len(server.asked) == asked, "what is there is not downloaded again"
    assert all(path.exists() for path in (*fetched.images, *fetched.masks))


def test_the_pixel_size_of_the_catalogue_is_used_and_named(
    server: Server, real_data: Path, tmp_path: Path
) -> None:
    serve(server, sample("tem-loops-316l"), real_data / "tem_loops_316l")
    fetched = fetch("tem-loops-316l", tmp_path, server=server.address)
    image = fetched.open(3)
    assert image.shape == (512, 512)
    assert image.calibration.spacing == (0.390625, 0.390625)
    assert image.calibration.unit == "nm"
    assert "catalogue" in image.calibration.source
    assert [path.name for path in fetched.images] == [path.name for path in fetched.masks]


def test_progress_is_told_in_bytes(server: Server, known, tmp_path: Path) -> None:
    content = bytes(300_000)
    known(small(server, content))
    steps: list[Step] = []
    fetch("small", tmp_path, server=server.address, on_step=steps.append)
    done = [step.done for step in steps]
    assert len(done) > 3
    assert done[-1] == steps[-1].total == 300_000
    assert "file 1 of 1" in steps[-1].text
    assert (tmp_path / "images" / "one.tif").read_bytes() == content


def test_stopping_leaves_no_half_file(server: Server, known, tmp_path: Path) -> None:
    known(small(server, bytes(4_000_000)))
    server.goes_on.clear()
    with pytest.raises(Cancelled):
        fetch("small", tmp_path, server=server.address, cancelled=lambda: True)
    server.goes_on.set()
    assert not list(tmp_path.rglob("one.tif"))
    fetch("small", tmp_path, server=server.address)
    assert (tmp_path / "images" / "one.tif").stat().st_size == 4_000_000


def test_offline_there_is_a_sentence(known, server: Server, tmp_path: Path) -> None:
    known(small(server, b"x"))
    with pytest.raises(SampleError, match=r"no connection to 127\.0\.0\.1:9\. Check the network"):
        fetch("small", tmp_path, server="http://127.0.0.1:9")


def test_a_file_that_is_gone_gets_a_sentence(known, server: Server, tmp_path: Path) -> None:
    known(small(server, b"x"))
    server.files.clear()
    with pytest.raises(SampleError, match=r"does not give one\.tif away any more \(404\)"):
        fetch("small", tmp_path, server=server.address)


@pytest.mark.parametrize("sent", [b"<html>please log in</html>", bytes(3_000_000)])
def test_other_content_is_not_kept(known, server: Server, tmp_path: Path, sent: bytes) -> None:
    known(small(server, b"what it should be"))
    server.files = dict.fromkeys(server.files, sent)
    with pytest.raises(SampleError, match=r"sent something else than one\.tif"):
        fetch("small", tmp_path, server=server.address)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_files_of_others_are_not_replaced_unasked(known, server: Server, tmp_path: Path) -> None:
    known(small(server, b"new"))
    mine = tmp_path / "images" / "one.tif"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    with pytest.raises(AlreadyExists):
        fetch("small", tmp_path, server=server.address)
    assert mine.read_bytes() == b"mine"
    fetch("small", tmp_path, server=server.address, overwrite=True)
    assert mine.read_bytes() == b"new"


def test_a_place_that_cannot_be_written_gets_a_sentence(
    known, server: Server, tmp_path: Path
) -> None:
    known(small(server, b"x"))
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(NotSaved):
        fetch("small", tmp_path / "file", server=server.address)


def test_a_part_is_cut_out_of_the_original_in_grey(known, server: Server, tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 255, (40, 60), np.uint8)
    save_array(
        np.stack([grey] * 3, axis=-1),
        tmp_path / "original.tif",
        axes="yxc",
        calibration=Calibration.of((0.5, 0.5), "nm"),
    )
    crop = {"y": (10, 30), "x": (0, 50)}
    content = (tmp_path / "original.tif").read_bytes()
    known(small(server, content, crop=crop, grey=True))
    fetched = fetch("small", tmp_path / "out", server=server.address)
    image = open_image(fetched.images[0])
    np.testing.assert_array_equal(image.read(), grey[10:30, :50])
    assert image.calibration.spacing == (0.5, 0.5)
    known(small(server, content, crop={"y": (30, 50)}))
    with pytest.raises(SampleError, match="too small for the part"):
        fetch("small", tmp_path / "other", server=server.address)


def test_samples_that_are_made_here_need_no_network(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(samples, "download_steps", lambda *given: pytest.fail("downloaded"))
    fetched = fetch("micrograph", tmp_path)
    image, mask = fetched.open(), open_image(fetched.masks[0])
    assert image.calibration.calibrated
    assert mask.shape[-2:] == image.shape
    assert (tmp_path / "micrograph_objects.csv").read_text("utf-8").startswith("label")
    before = fetched.images[0].stat().st_mtime_ns
    assert fetch("micrograph", tmp_path).images[0].stat().st_mtime_ns == before


def test_a_name_that_is_not_known_lists_those_that_are() -> None:
    with pytest.raises(SampleError, match=r"There is no sample 'gold'\. Known: micrograph"):
        fetch("gold")
