"""What a check of a dataset found, as strips with a way to the picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_defectseg.datasets.check import Report
from napari_defectseg.datasets.finding import Finding
from napari_defectseg.ui import words

MOST = 2
"""Findings that get a strip, errors first; more are counted."""


def show(
    messages: Any,
    report: Report,
    show_pair: Callable[[str], object],
    exclude: Callable[[str], object],
) -> None:
    """Say the findings; those of an earlier check go.

    Parameters
    ----------
    messages : Messages
        The dock's strips.
    report : Report
    show_pair, exclude : callable
        Take the name of a pair: show its picture, leave it out.
    """
    for topic in messages.topics():
        if topic.startswith("check"):
            messages.take_back(topic)
    for place, found in enumerate(report.findings[:MOST]):
        messages.say(
            f"check {place}", found.severity, found.sentence, _actions(found, show_pair, exclude)
        )
    left = len(report.findings) - MOST
    if left > 0:
        told = f"{left} more: defectseg dataset check {report.dataset}"
        messages.say("check more", "info", told)
    if not report.findings:
        told = f"{words.counted(report.pairs, 'picture')} checked: nothing was found."
        messages.say("check", "info", told)


def _actions(
    found: Finding, show_pair: Callable[[str], object], exclude: Callable[[str], object]
) -> tuple[tuple[str, Callable[[], object]], ...]:
    if not found.pairs:
        return ()
    last = found.pairs[-1]
    shown = ("Show it", lambda: show_pair(last))
    if found.kind in ("duplicate", "hash", "empty"):
        return (shown, ("Leave it out", lambda: exclude(last)))
    return (shown,)
