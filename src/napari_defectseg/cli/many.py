"""What ``predict`` and ``run`` share: many images, and one account of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_defectseg.cli.work import Work

if TYPE_CHECKING:
    from napari_defectseg.batch.analyse import AnalyseSettings
    from napari_defectseg.batch.folder import Outcome
    from napari_defectseg.core.progress import Step
    from napari_defectseg.models.model import Model
    from napari_defectseg.results.recipe import Recipe


def analyse_images(
    work: Work,
    images: Sequence[str],
    recipe: Recipe,
    out: Path,
    settings: AnalyseSettings,
    *,
    model: Model | None = None,
) -> None:
    """Analyse images and report; a failed one makes the exit status 1, the others go on."""
    from napari_defectseg.batch.folder import Outcome, analyse_many_steps, expand

    finished: list[Outcome] = []

    def count(step: Step) -> None:
        if isinstance(step.partial, Outcome):
            finished.append(step.partial)
            good = [one for one in finished if not one.problem]
            if good:
                plural = "s" * (len(good) != 1)
                work.kept = f"{len(good)} finished image{plural} kept in {out}."
            if step.partial.problem:
                work.complain(step.partial.problem)
        kept_in = getattr(step.partial, "kept_in", None)
        if kept_in is not None:
            work.kept = (
                f"{step.done} of {step.total} tiles are kept in {kept_in}: go on with --resume."
            )

    files = expand(images)
    work.run(analyse_many_steps(files, recipe, out, settings, model=model), count)
    good = [one for one in finished if not one.problem]
    for warning in dict.fromkeys(note for one in good for note in one.warnings):
        work.note(warning)
    work.result(_document(out, finished), _words(out, finished))


def _document(out: Path, finished: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "out": str(out),
        "results": [
            {
                "image": one.image,
                "folder": str(one.folder),
                "objects": one.objects,
                "classes": one.summary.as_dict()["classes"],
                "warnings": list(one.warnings),
            }
            for one in finished
            if one.summary is not None
        ],
        "failed": [
            {"image": one.image, "sentence": one.problem} for one in finished if one.problem
        ],
    }


def _words(out: Path, finished: Sequence[Outcome]) -> str:
    good = [one for one in finished if not one.problem]
    lines = [
        f"{one.folder.name}: "
        + ", ".join(
            f"{numbers['objects'].value:g} {name}" for name, numbers in one.summary.classes.items()
        )
        for one in good
        if one.summary is not None
    ]
    total = f"{len(good)} of {len(finished)} images into {out}" if finished else ""
    return "\n".join([*lines, total])
