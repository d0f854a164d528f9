"""Can this dataset be trusted? Every question in turn, with the pairs that each is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.datasets.checks import duplicates, files, leaks, masks, shifts
from napari_defectseg.datasets.checks.look import look
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.datasets.finding import Finding


@dataclass(frozen=True)
class Report:
    """What a check found.

    Parameters
    ----------
    dataset : str
        Its folder.
    pairs : int
        How many were looked at.
    findings : tuple of Finding
        Errors first.
    """

    dataset: str
    pairs: int
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Those that make scores or training wrong."""
        return tuple(found for found in self.findings if found.severity == "error")

    def of(self, kind: str) -> tuple[Finding, ...]:
        """Return the findings of one kind."""
        return tuple(found for found in self.findings if found.kind == kind)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "dataset": self.dataset,
            "pairs": self.pairs,
            "errors": len(self.errors),
            "warnings": len(self.findings) - len(self.errors),
            "findings": [found.as_dict() for found in self.findings],
        }


def check_steps(dataset: Dataset) -> Steps[Report]:
    """Ask every question of a dataset; nothing is changed.

    Hashes, values that are no class, pictures that are there twice (turned, mirrored,
    re-scaled), specimens or places that two sets share, masks that lie beside their objects,
    objects that look like another class, objects of one pixel, rare classes.
    """
    pairs = dataset.pairs()
    found = files.missing(dataset.broken())
    looks = []
    for number, pair in enumerate(pairs):
        yield Step(number, len(pairs), f"checking {pair.id}")
        wrong = [*files.changed(pair), *files.readable(pair)]
        found += wrong
        if any(each.kind == "hash" and not each.values for each in wrong):
            continue  # it cannot be read
        looks.append(look(pair))
        found += [*masks.unlabelled(pair), *masks.specks(pair), *shifts.shifted(looks[-1])]
    found += duplicates.duplicates(looks)
    found += [*leaks.shared_specimens(pairs), *leaks.shared_places(pairs)]
    found += yield from leaks.overlapping_steps(looks)
    found += masks.misnamed(looks)
    found += masks.balance(dataset.info(), pairs)
    return Report(str(dataset.path), len(pairs), tuple(_sorted(found)))


def check(dataset: Dataset) -> Report:
    """Ask every question of a dataset; see `check_steps`."""
    return drive(check_steps(dataset))


def _sorted(found: list[Finding]) -> list[Finding]:
    """Return errors first; a shared place that is also a duplicate or a known file only once."""
    kept: dict[tuple[str, frozenset[str]], Finding] = {}
    for each in sorted(found, key=lambda one: one.severity != "error"):
        together = each.kind in ("leak", "duplicate") and len(each.pairs) == 2
        key = ("together" if together else each.kind + each.sentence, frozenset(each.pairs))
        kept.setdefault(key, each)
    return list(kept.values())
