"""What tests of several rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real micrographs and tomograms, or a skip with a sentence."""
    folder = Path(os.environ.get("DEFECTSEG_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(
            f"No real images at {folder}: set DEFECTSEG_TEST_DATA to their folder to run this test."
        )
    return folder
