"""`RemoteCrew`: workers of a cluster that share the tiles of one image."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.batch.bench import TileBench, about_engine, tile_there
from napari_defectseg.batch.cluster import Cluster, new_name
from napari_defectseg.core.errors import ModelError
from napari_defectseg.inference.crew import Crew
from napari_defectseg.inference.job import Job
from napari_defectseg.inference.layers import Layers
from napari_defectseg.inference.shared import Team
from napari_defectseg.results.recipe import Recipe

if TYPE_CHECKING:
    from distributed import Future as Sent

Array = np.ndarray[Any, Any]


class RemoteCrew(Crew):
    """An engine that lets the workers of a cluster compute.

    A tile of a worker that dies goes to another one.

    Parameters
    ----------
    cluster : Cluster
    bench : str
        Name of the run's bench on the workers.
    engine : str
        What runs the network there.
    threads : int
        Of the processor that each of them uses.
    """

    def __init__(self, cluster: Cluster, bench: str, engine: str, threads: int) -> None:
        self.name = engine
        self._cluster, self._bench, self._count = cluster, bench, threads
        self._sent: set[Sent[Array]] = set()
        self._lock = threading.Lock()
        self._layers = Layers()

    @property
    def layers(self) -> Layers:
        """They run elsewhere, so when they begin is not known."""
        return self._layers

    @property
    def lanes(self) -> int:
        """How many tiles are on their way: two a worker, so that none waits for pixels."""
        return 2 * self._cluster.workers

    @property
    def threads(self) -> int:
        """Threads of the processor that each worker uses."""
        return self._count

    @property
    def members(self) -> int:
        """Networks of an ensemble come one by one; each is one."""
        return 1

    def submit(self, block: Array) -> Future[Array]:
        """Send a tile to a worker, and return where its scores will be."""
        ours: Future[Array] = Future()
        sent = self._cluster.submit(tile_there, self._bench, np.ascontiguousarray(block))
        with self._lock:
            self._sent.add(sent)

        def hand_over(done: Sent[Array]) -> None:
            try:
                scores: Array = self._cluster.result(done)
            except BaseException as error:  # whoever waits for it is told
                ours.set_exception(error)
            else:
                ours.set_result(scores)
            with self._lock:
                self._sent.discard(done)

        sent.add_done_callback(hand_over)
        return ours

    def run_batch(self, blocks: Array) -> Array:
        """Return the scores of several tiles that are computed side by side."""
        waiting = [self.submit(block) for block in blocks]
        return np.stack([one.result() for one in waiting])

    def logits(self, blocks: Array, member: int | None = None) -> Array:
        """Refuse: networks that need it are not shared."""
        raise ModelError("A network that looks at the whole image is not computed by workers.")

    def activated(self, logits: Array) -> Array:
        """Refuse, see `logits`."""
        raise ModelError("A network that looks at the whole image is not computed by workers.")

    def close(self) -> None:
        """Call back what nobody waits for any more."""
        with self._lock:
            left = list(self._sent)
        for one in left:
            one.cancel(reason="nobody waits for this tile any more", msg=False)


def team_for(cluster: Cluster, recipe: Recipe, member: int) -> Team:
    """Return who computes the tiles of a model of a recipe.

    Parameters
    ----------
    cluster : Cluster
    recipe : Recipe
        The workers open its models.
    member : int
        Which of them it is, see `members_of`.
    """

    @contextmanager
    def team(job: Job, kept: int) -> Iterator[Crew]:
        bench = TileBench(recipe, new_name("tiles"), job, member, kept)
        with cluster.bench(bench):
            found = cluster.ask(about_engine, bench.name)[0]
            crew = RemoteCrew(cluster, bench.name, found.engine, found.threads)
            try:
                yield crew
            finally:
                crew.close()

    return team
