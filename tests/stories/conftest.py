"""What the stories of the window share: the window, own settings, and no thread left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No story reads or writes the settings of whoever runs it."""
    for kind in ("CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))


@pytest.fixture
def open_window(
    own_settings: None, make_napari_viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Open napari with the workbench, as often as is wished; what works in it ends with it."""
    from qtpy.QtCore import QThreadPool
    from tests.stories.window import Window

    opened: list[Window] = []

    def make(**options: Any) -> Window:
        opened.append(Window(make_napari_viewer(show=True), qtbot, monkeypatch, **options))
        return opened[-1]

    yield make
    for window in opened:
        window.session.close()
    limit = time.monotonic() + 10
    while QThreadPool.globalInstance().activeThreadCount() and time.monotonic() < limit:
        time.sleep(0.02)
    assert QThreadPool.globalInstance().activeThreadCount() == 0
    assert not [job for window in opened for job in window.session.jobs.alive()]


@pytest.fixture
def window(open_window: Callable[..., Any]) -> Any:
    """One window of 1366 × 768 pixels."""
    return open_window()
