"""Who changed a result by hand, as its journal tells."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from napari_defectseg.core.errors import RecipeError
from napari_defectseg.labels.journalfile import LINES, read_lines


def people_of(journal: Path | None) -> dict[str, int]:
    """Return how many edits of each person are in force; none without a journal.

    Parameters
    ----------
    journal : Path or None
        Folder with ``edits.jsonl``.

    Raises
    ------
    RecipeError
        If it cannot be read.
    """
    if journal is None:
        return {}
    done: list[str] = []
    undone: list[str] = []
    try:
        for fields, _ in read_lines(journal / LINES):
            if fields is None:
                break
            if fields["do"] == "edit":
                done.append(str(fields["who"]))
                undone.clear()
            elif fields["do"] == "undo" and done:
                undone.append(done.pop())
            elif fields["do"] == "redo" and undone:
                done.append(undone.pop())
    except (OSError, ValueError, KeyError) as error:
        raise RecipeError(f"{journal / LINES} cannot be read: {error}.") from error
    return dict(sorted(Counter(done).items()))
