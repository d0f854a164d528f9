"""Many images, or the tiles of a few, over the workers of a cluster."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from napari_defectseg.batch.analyse import AnalyseSettings, open_recipe_model, settled
from napari_defectseg.batch.bench import Bench, analyse_there
from napari_defectseg.batch.cluster import Cluster, ClusterSettings, cluster_for, new_name
from napari_defectseg.batch.crew import team_for
from napari_defectseg.batch.folder import (
    Outcome,
    analyse_many_steps,
    failed,
    refuse_taken,
    report_on,
)
from napari_defectseg.batch.landed import LandedRun
from napari_defectseg.core.atomic import BESIDE
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.inference.shared import can_share, shared
from napari_defectseg.results.folder import check_free
from napari_defectseg.results.naming import stems
from napari_defectseg.results.recipe import Recipe

if TYPE_CHECKING:
    from distributed import Future

    from napari_defectseg.models.model import Model

LOOKS = 0.1
"""Seconds between two looks whether an image is done."""
Sent: TypeAlias = "dict[Future[Outcome], int]"


def spread_steps(
    images: Sequence[str | Path],
    recipe: Recipe,
    out: str | Path,
    settings: AnalyseSettings | None = None,
    *,
    cluster: ClusterSettings,
    model: Model | None = None,
) -> Steps[tuple[Outcome, ...]]:
    """Analyse images as `analyse_many_steps` does, on the workers of a cluster.

    Where there are fewer images than workers, each image's tiles are shared, if its model lets
    them; else each worker takes one image after the other. The results are those of one machine.
    What a worker that dies was doing is done again by another.

    Parameters
    ----------
    images : sequence of path
    recipe : Recipe
        Its model and the images lie where the workers see them under the same paths.
    out : path
        The result folder, where the workers see it too.
    settings : AnalyseSettings, optional
    cluster : ClusterSettings
    model : Model, optional
        The recipe's model where it is open already.

    Raises
    ------
    DeviceError
        If there are no workers, or they do not fit; what is finished is kept.
    ModelError, RecipeError, AlreadyExists
        As `analyse_many_steps` does.
    """
    settings = settings or AnalyseSettings()
    yield Step(0, 0, "opening the model")
    model = model or open_recipe_model(recipe)
    recipe = settled(recipe, model)
    yield Step(0, 0, "waiting for workers")
    with cluster_for(cluster) as workers:
        yield Step(0, len(images), workers.words)
        if len(images) < workers.workers and can_share(model):
            team = shared(model, lambda number: team_for(workers, recipe, number), workers.told)
            return (yield from analyse_many_steps(images, recipe, out, settings, model=team))
        place = Path(out).resolve()
        refuse_taken(place, recipe, settings.overwrite)
        found = yield from _Run(images, recipe, place, settings, workers).steps()
        yield from report_on(found, place, recipe, overwrite=settings.overwrite)
        return found


class _Run:
    """Images on their way, two a worker, so that none of them waits for the next."""

    def __init__(
        self,
        images: Sequence[str | Path],
        recipe: Recipe,
        out: Path,
        settings: AnalyseSettings,
        cluster: Cluster,
    ) -> None:
        self._images, self._stems = [str(image) for image in images], stems(images)
        self._out, self._settings, self._cluster = out, settings, cluster
        self._bench = Bench(recipe, new_name("images"))
        self._found: dict[int, Outcome] = {}

    def steps(self) -> Steps[tuple[Outcome, ...]]:
        """Analyse them; the outcomes are in the order of the images."""
        coming = iter(range(len(self._images)))
        sent: Sent = {}
        try:
            with self._cluster.bench(self._bench):
                while len(self._found) < len(self._images):
                    yield from self._send(coming, sent)
                    done = [future for future in sent if future.done()]
                    for future in done:
                        yield self._take(future, sent.pop(future))
                    if sent and not done:
                        yield Step(len(self._found), len(self._images), self._words(sent))
                        time.sleep(LOOKS)
        finally:
            for future in sent:
                future.cancel(reason="nobody waits for this image any more", msg=False)
            self._clear()
        return tuple(self._found[number] for number in range(len(self._images)))

    def _send(self, coming: Iterator[int], sent: Sent) -> Iterator[Step]:
        while len(sent) < 2 * self._cluster.workers:
            number = next(coming, None)
            if number is None:
                return
            image, stem = self._images[number], self._stems[number]
            try:
                self._check(stem)
            except DefectSegError as error:
                yield self._end(number, failed(image, self._out / stem, str(error)))
                continue
            # The place is free or may be taken: what lies there later is of a worker that died.
            own = replace(self._settings, stem=stem, overwrite=True)
            goes_on = not self._settings.overwrite
            call = (self._bench.name, _absolute(image), str(self._out), own, goes_on)
            sent[self._cluster.submit(analyse_there, *call)] = number

    def _check(self, stem: str) -> None:
        """Refuse a place that is taken, also by a run that was stopped, unless told otherwise."""
        known, place = self._settings, self._out / stem
        if not known.resume:
            check_free(place, overwrite=known.overwrite)
            LandedRun(place, resume=False, overwrite=known.overwrite).check_begun()

    def _take(self, future: Future[Outcome], number: int) -> Step:
        image, stem = self._images[number], self._stems[number]
        try:
            outcome: Outcome = replace(self._cluster.result(future), image=image)
        except MemoryError:
            problem = f"There is not enough memory for {image}."
            outcome = failed(image, self._out / stem, problem)
        except DefectSegError as error:
            if not self._cluster.alive:
                raise
            outcome = failed(image, self._out / stem, str(error))
        return self._end(number, outcome)

    def _end(self, number: int, outcome: Outcome) -> Step:
        self._found[number] = outcome
        title = f"{self._stems[number]} ({len(self._found)} of {len(self._images)})"
        return Step(len(self._found), len(self._images), title, partial=outcome)

    def _words(self, sent: Sent) -> str:
        names = [self._stems[number] for number in sent.values()]
        return f"{names[0]} and {len(names) - 1} others" if len(names) > 1 else names[0]

    def _clear(self) -> None:
        """Take away what workers that died have left half done."""
        for stem in self._stems:
            for left in self._out.glob(f"{BESIDE}{'[0-9a-f]' * 8}-{escape(stem)}"):
                shutil.rmtree(left, ignore_errors=True)


def _absolute(image: str) -> str:
    """Return a path that is right in other folders, too; ``FILE::part`` keeps its part."""
    file, mark, part = image.partition("::")
    return f"{Path(file).expanduser().resolve()}{mark}{part}"
