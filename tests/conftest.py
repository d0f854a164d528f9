"""What tests of several rooms share."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ONE_IN = 8


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run every long test, not a seeded part")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep a seeded part of the long tests, the same on every machine, unless --all is given."""
    if config.getoption("--all"):
        return
    later = pytest.mark.skip(reason="a long test outside the seeded part; `dev.py test --all`")
    for item in items:
        if item.get_closest_marker("long") and zlib.crc32(item.nodeid.encode()) % ONE_IN:
            item.add_marker(later)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real micrographs and tomograms, or a skip with a sentence."""
    folder = Path(os.environ.get("DEFECTSEG_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(
            f"No real images at {folder}: set DEFECTSEG_TEST_DATA to their folder to run this test."
        )
    return folder
