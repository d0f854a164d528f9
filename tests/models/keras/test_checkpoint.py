"""Checkpoints of TensorFlow: table, numbers, checksums."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models import reference as ref
from tests.models.keras.writing import write_bundle

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.keras.checkpoint import checkpoint_at, index_of
from napari_defectseg.models.keras.checksum import LANES, SHORT, crc32c
from napari_defectseg.models.keras.table import entries_of


def plain_crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_the_checksum_is_castagnoli_s() -> None:
    """The check value of RFC 3720, and long data in lanes against the plain definition."""
    assert crc32c(b"123456789") == 0xE3069283
    data = np.random.default_rng(0).bytes(SHORT + 3 * LANES + 77)
    assert crc32c(data) == plain_crc(data)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300))
def test_short_checksums(data: bytes) -> None:
    assert crc32c(data) == plain_crc(data)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    named = {f"layer{i}/kernel": rng.normal(size=(3, 3, i + 1, 2)) for i in range(40)}
    named["step"] = np.float32(7)
    write_bundle(named, tmp_path / "net.ckpt")
    checkpoint = checkpoint_at(tmp_path / "net.ckpt.index")
    assert set(checkpoint.tensors) == set(named)
    for name, value in named.items():
        np.testing.assert_array_equal(checkpoint.read(name), np.asarray(value, np.float32))


def test_all_ways_to_name_a_checkpoint(tmp_path: Path) -> None:
    """Folder, index, data, and the text file beside them; paths in it stay in the folder."""
    write_bundle({"a": np.zeros(3)}, tmp_path / "net.ckpt")
    index = tmp_path / "net.ckpt.index"
    text = tmp_path / "checkpoint"
    text.write_text('model_checkpoint_path: "/elsewhere/net.ckpt"\n')
    for path in (tmp_path, index, tmp_path / "net.ckpt.data-00000-of-00001", text):
        assert index_of(path) == index
    text.write_text('model_checkpoint_path: "../../etc/passwd"\n')
    assert index_of(text) is None


def test_the_genuine_index_holds_what_tensorflow_wrote() -> None:
    """264 tensors with the slots of Adam; every numeric checksum fits."""
    path = ref.folder() / "defectsegnet" / "genuine" / "checkpoint.ckpt.index"
    checkpoint = checkpoint_at(path)
    assert len(checkpoint.tensors) == 264
    for name in checkpoint.tensors:
        checkpoint.read(name)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_index_is_a_sentence(data: st.DataObject) -> None:
    """Any bytes in place of some of the table."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder) / "net"
        write_bundle({f"w{i}": np.zeros((2, 3)) for i in range(5)}, prefix)
        content = bytearray(Path(f"{prefix}.index").read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    new = data.draw(st.binary(min_size=1, max_size=12))
    content[at : at + len(new)] = new
    try:
        entries_of(bytes(content), "net.index")
    except ModelError as error:
        assert "net.index" in error.sentence  # noqa: PT017 - either outcome is right


def test_packed_and_other_tables_are_refused(tmp_path: Path) -> None:
    write_bundle({"a": np.zeros(3)}, tmp_path / "net")
    content = (tmp_path / "net.index").read_bytes()
    with pytest.raises(ModelError, match="not a whole index"):
        entries_of(content[:-1], "net.index")
    with pytest.raises(ModelError, match="not a whole index"):
        entries_of(b"", "net.index")
