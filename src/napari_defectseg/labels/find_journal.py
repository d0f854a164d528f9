"""`find_journal`: another person's edits of an image, in a folder that was handed over."""

from __future__ import annotations

from pathlib import Path

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.journalfile import LINES
from napari_defectseg.labels.restore import JournalInfo, list_journals


def find_journal(folder: Path, image_sha256: str) -> JournalInfo:
    """Return the journal of an image in a result folder, or in a folder of results.

    Parameters
    ----------
    folder : Path
        Holds ``edits.jsonl`` itself, or folders that do.
    image_sha256 : str
        Hash of the pixels of the image; empty: any image.

    Raises
    ------
    LabelError
        If there are no edits, or those of other images alone.
    """
    here = (folder / LINES).is_file()
    found = [
        info
        for info in list_journals(folder.parent if here else folder, aside=True)
        if not here or info.path == folder
    ]
    if not found:
        raise LabelError(
            f"{folder} holds no edits.",
            hint=f"Choose the folder of a result that was corrected: it holds {LINES}.",
        )
    fits = [info for info in found if image_sha256 in ("", info.image_sha256)]
    if not fits:
        names = ", ".join(sorted({info.image for info in found}))
        raise LabelError(
            f"The edits in {folder} were made on other images: {names}.",
            hint="Open the image they were made on, then merge.",
        )
    return fits[0]
