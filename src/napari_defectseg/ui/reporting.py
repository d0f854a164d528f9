"""The report of what a window holds, written in the worker."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

from qtpy.QtWidgets import QFileDialog

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.ui.follow import follower_of
from napari_defectseg.ui.saving import Snapshot, analysis_of, snapshot_of

if TYPE_CHECKING:
    from napari_defectseg.ui.docks.base import DockPage

REPORT = "report"
"""Lane, and topic of messages."""


class Reporter:
    """Writes the report of the current image, for one page.

    Parameters
    ----------
    page : DockPage
        Shows what came of it.
    """

    def __init__(self, page: DockPage) -> None:
        self._page = ref(page)

    def ask(self) -> None:
        """Ask for a file and write the report."""
        page = self._page()
        image = page.session.image if page is not None else None
        stem = image.name if image is not None else "defects"
        path, _ = QFileDialog.getSaveFileName(
            page, "Write a report", f"{stem}-report.html", "Report (*.html)"
        )
        if path:
            # The system's dialog has asked about overwriting.
            self.write(Path(path))

    def write(self, path: Path) -> None:
        """Write the report as HTML, and as PDF beside it."""
        page = self._page()
        if page is None:
            return
        try:
            taken = snapshot_of(page.session, follower_of(page.session).settings)
        except DefectSegError as error:
            page.say_error(REPORT, error)
            return
        if taken is None:
            return
        page.run(
            REPORT,
            _steps(taken, path),
            text=f"writing the report of {taken.image.name}",
            on_done=lambda written: page.messages.say(
                REPORT, "info", f"The report is in {written[0]}, and as PDF beside it."
            ),
            on_failed=lambda error: page.say_error(REPORT, error, (("Another file…", self.ask),)),
        )


def _steps(taken: Snapshot, path: Path) -> Steps[tuple[Path, ...]]:
    """Run in a worker; touches no widget."""
    from napari_defectseg.reports.report import report_steps

    try:
        yield Step(0, 0, "measuring")
        if taken.written is not None:
            taken.written.result()
        analysis = analysis_of(taken)
        return (
            yield from report_steps([analysis], path, pdf=path.with_suffix(".pdf"), overwrite=True)
        )
    finally:
        if taken.journal is not None:
            shutil.rmtree(taken.journal, ignore_errors=True)
