"""From result folders and analyses to what is reported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from napari_defectseg.core.errors import RecipeError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.reports.reported import Reported, of_measured
from napari_defectseg.results.analysis import Analysis
from napari_defectseg.results.stored import StoredResult, read_measured, read_result

Source: TypeAlias = "Analysis | str | Path"


def gather_steps(sources: Sequence[Source]) -> Steps[tuple[Reported, ...]]:
    """Read every result.

    Parameters
    ----------
    sources : sequence of Analysis or path
        Result folders, folders of one image in them, or what ``defectseg measure`` left.

    Raises
    ------
    FileMissing, RecipeError
        If there is no result, or it cannot be read.
    """
    if not sources:
        raise RecipeError("A report needs a result.", hint="Name a result folder.")
    found: list[Analysis | StoredResult | Reported] = []
    for source in sources:
        found.extend(_opened(source))
    read: list[Reported] = []
    for number, one in enumerate(found):
        yield Step(number, len(found), f"reading {_name(one)}")
        if isinstance(one, Reported):
            read.append(one)
        elif isinstance(one, Analysis):
            read.append(Reported.of_analysis(one))
        else:
            read.append(Reported.of_stored(one))
    return tuple(read)


def _opened(source: Source) -> Sequence[Analysis | StoredResult | Reported]:
    if isinstance(source, Analysis):
        return [source]
    folder = Path(source)
    measured = read_measured(folder)
    if measured is not None:
        return [of_measured(measured)]
    return read_result(folder)[1]


def _name(one: Analysis | StoredResult | Reported) -> str:
    if isinstance(one, Reported):
        return one.name
    return one.image.name if isinstance(one, Analysis) else one.folder.name
