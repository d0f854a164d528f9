"""Which specimen an image belongs to: its folder, or what a pattern finds in its path."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from napari_defectseg.core.errors import ImageError

PLACE = "{specimen}"


def specimen_of(
    path: str | Path, pattern: str | None = None, root: str | Path | None = None
) -> str:
    """Return the name of the specimen, empty if the pattern finds none.

    Parameters
    ----------
    path : path
        The image.
    pattern : str, optional
        Where the name stands in the path: a template such as ``"{specimen}_*"`` or
        ``"{specimen}/*.tif"``, or a regular expression whose group ``specimen`` (or first group,
        or whole match) is the name. Without one, the name of the image's folder.
    root : path, optional
        The folder that was scanned: the pattern sees the path from there on.

    Raises
    ------
    ImageError
        If the pattern makes no sense.

    Examples
    --------
    >>> specimen_of("scan/A3_bf_07.tif", "{specimen}_*")
    'A3'
    >>> specimen_of("scan/A3/bf_07.tif")
    'A3'
    """
    file = Path(path)
    if not pattern:
        return file.parent.name or file.resolve().parent.name
    inside = root is not None and file.is_relative_to(root)
    text = file.relative_to(str(root)).as_posix() if inside else file.name
    found = _compiled(pattern).search(text)
    if not found:
        return ""
    if "specimen" in found.groupdict():
        return found["specimen"] or ""
    return (found[1] if found.re.groups else found[0]) or ""


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    if PLACE in pattern:
        text = re.escape(pattern).replace(re.escape("*"), ".*").replace(re.escape("?"), ".")
        first, _, rest = text.partition(re.escape(PLACE))
        return re.compile(f"(?:^|/){first}(?P<specimen>[^/]+?){rest}$")
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ImageError(
            f"{pattern!r} does not say where the specimen's name stands: {error}.",
            hint="Write it like {specimen}_* , or as a regular expression with one group.",
        ) from error
