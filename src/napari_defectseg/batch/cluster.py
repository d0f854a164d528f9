"""`Cluster`: workers of dask.distributed, on this machine or on others."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from napari_defectseg.core.errors import DefectSegError, DeviceError

if TYPE_CHECKING:
    from distributed import Client, Future, WorkerPlugin

    from napari_defectseg.batch.bench import About

T = TypeVar("T")
CONNECT = 10.0
"""Seconds in which a scheduler answers."""
COME = 60.0
"""Seconds in which the first worker comes."""
INSTALL = 'Install them with: pip install "napari-defectseg[cluster]".'


@dataclass(frozen=True)
class ClusterSettings:
    """Who computes.

    Parameters
    ----------
    scheduler : str
        Address of a scheduler: ``"tcp://node7:8786"``; its workers see the images, the model and
        the result folder under the same paths as this machine.
    workers : int
        Without a scheduler: how many processes are started on this machine.
    device : str
        What each worker computes on; the worker's own where ``"auto"``.
    """

    scheduler: str = ""
    workers: int = 0
    device: str = "auto"

    @property
    def wanted(self) -> bool:
        """Whether others compute at all."""
        return bool(self.scheduler) or self.workers > 0


class Cluster:
    """Workers that are there; what is sent to them is done again elsewhere where one dies.

    Parameters
    ----------
    client : distributed.Client
    about : tuple of About
        What they are.
    """

    def __init__(self, client: Client, about: tuple[About, ...]) -> None:
        self._client = client
        self.about = about

    @property
    def workers(self) -> int:
        """How many there are now, one at least."""
        return max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))

    @property
    def alive(self) -> bool:
        """Whether the scheduler answers."""
        return bool(self._client.status == "running")

    @property
    def told(self) -> dict[str, Any]:
        """What a plan says of them."""
        return {"device": self.about[0].device, "workers": len(self.about)}

    @property
    def words(self) -> str:
        """Who they are, for a person."""
        count = len(self.about)
        devices = ", ".join(sorted({one.device for one in self.about}))
        return f"{count} worker{'s' * (count != 1)} ({devices})"

    def submit(self, function: Callable[..., T], *args: Any) -> Future[T]:
        """Send a call to a worker.

        Raises
        ------
        DeviceError
            If the scheduler is gone.
        """
        import dask

        # The arguments of a tile are its pixels, on purpose: a worker that dies loses nothing.
        with _told(), dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TiB"}):
            sent: Future[T] = self._client.submit(function, *args, pure=False)
        return sent

    def result(self, future: Future[Any]) -> Any:
        """Return what a call that is done has given; errors are those of the worker.

        Raises
        ------
        DeviceError
            If several workers died of it, or the scheduler is gone.
        """
        with _told():
            return future.result()

    @contextmanager
    def bench(self, plugin: WorkerPlugin) -> Iterator[None]:
        """Give every worker what it needs for a run, those that come later too."""
        with _told():
            self._client.register_plugin(plugin)
        try:
            yield
        finally:
            with suppress(OSError, RuntimeError):  # whoever is gone keeps nothing
                self._client.unregister_worker_plugin(plugin.name)

    def ask(self, function: Callable[..., About], *args: Any) -> tuple[About, ...]:
        """Ask every worker what it is.

        Raises
        ------
        DefectSegError
            What one of them says against it.
        DeviceError
            If none of them can answer.
        """
        with _told():
            found = self._client.run(function, *args, on_error="return").values()
        for one in found:
            if isinstance(one, DefectSegError):
                raise one
        answers = tuple(one for one in found if not isinstance(one, BaseException))
        if not answers:
            reason = next((str(one) for one in found), "there are none")
            raise DeviceError(
                f"The workers cannot compute: {reason}.",
                hint="Install napari-defectseg of this version where they run.",
            )
        return answers


@contextmanager
def cluster_for(settings: ClusterSettings) -> Iterator[Cluster]:
    """Give the workers of a scheduler, or start some on this machine and end them afterwards.

    Parameters
    ----------
    settings : ClusterSettings

    Raises
    ------
    DeviceError
        If dask.distributed is not installed, the scheduler does not answer, no worker comes, or
        they have another version of this program.
    """
    try:
        import distributed
    except ImportError as error:
        raise DeviceError("Workers need dask.distributed.", hint=INSTALL) from error
    if settings.scheduler:
        with _connected(distributed, settings.scheduler) as client:
            yield _checked(client, settings)
        return
    with _started(distributed, settings.workers) as local, _connected(distributed, local) as client:
        yield _checked(client, settings)


def new_name(what: str) -> str:
    """Return a name that no other run has."""
    return f"napari-defectseg-{what}-{uuid.uuid4().hex[:12]}"


@contextmanager
def _started(distributed: Any, count: int) -> Iterator[Any]:
    """Start processes that share the cores and listen to this machine alone."""
    import logging

    threads = max(1, (os.cpu_count() or 1) // count)
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), threads)
    local = distributed.LocalCluster(
        n_workers=count,
        threads_per_worker=threads,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
        env={name: str(value) for name, value in limits.items()},
    )
    try:
        yield local
    finally:
        local.close()


@contextmanager
def _connected(distributed: Any, address: Any) -> Iterator[Client]:
    try:
        client = distributed.Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise DeviceError(
            f"There is no scheduler at {address}: {error}.",
            hint="Start one with: dask scheduler; and give the address that it says.",
        ) from error
    try:
        yield client
    finally:
        client.close()


def _checked(client: Client, settings: ClusterSettings) -> Cluster:
    """Return the workers once they are there and fit.

    Raises
    ------
    DeviceError
        If they do not.
    """
    from napari_defectseg import __version__
    from napari_defectseg.batch.bench import about

    try:
        client.wait_for_workers(max(1, settings.workers), timeout=COME)
    except TimeoutError as error:
        raise DeviceError(
            f"No worker came to the scheduler within {COME:.0f} s.",
            hint="Start workers with: dask worker ADDRESS --nthreads 4",
        ) from error
    found = Cluster(client, ()).ask(about, settings.device)
    others = {one.version for one in found} - {__version__}
    if others:
        raise DeviceError(
            f"The workers have version {', '.join(sorted(others))} of napari-defectseg; here it "
            f"is {__version__}.",
            hint="Install the same version everywhere: results would differ.",
        )
    return Cluster(client, found)


@contextmanager
def _told() -> Iterator[None]:
    """Turn the errors of dask.distributed into ours."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError

    try:
        yield
    except KilledWorker as error:
        raise DeviceError(
            "Several workers ended, one after the other, while they did the same work.",
            hint="It probably needs more memory than a worker has: use fewer workers, or --memory.",
        ) from error
    except (FutureCancelledError, CommClosedError) as error:
        raise DeviceError(
            f"The scheduler or its workers are gone: {error or type(error).__name__}.",
            hint="What is finished is kept; start again.",
        ) from error
