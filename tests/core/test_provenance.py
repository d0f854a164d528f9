from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from napari_defectseg.core.provenance import now, sha256_of_array, sha256_of_file, versions


def test_the_hash_of_a_file_is_the_usual_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert sha256_of_file(path) == hashlib.sha256(b"abc").hexdigest()


def test_the_hash_of_an_array_depends_on_values_shape_and_dtype_only() -> None:
    a = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert sha256_of_array(a) == sha256_of_array(np.asfortranarray(a))
    assert sha256_of_array(a) != sha256_of_array(a.reshape(3, 2))
    assert sha256_of_array(a) != sha256_of_array(a.astype(np.int64))


def test_the_time_is_utc_and_versions_are_named() -> None:
    assert now().endswith("+00:00")
    assert versions()["numpy"] == np.__version__
