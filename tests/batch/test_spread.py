"""Workers of a cluster: the results of one machine, and nothing lost when one of them dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.batch.analyse import AnalyseSettings
from napari_defectseg.batch.cluster import ClusterSettings, cluster_for
from napari_defectseg.batch.folder import Outcome, analyse_many
from napari_defectseg.batch.spread import spread_steps
from napari_defectseg.core import errors
from napari_defectseg.core.errors import Cancelled, DefectSegError, DeviceError
from napari_defectseg.core.progress import Step, drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.save import save_image
from napari_defectseg.inference.pieces import Part
from napari_defectseg.results.recipe import ModelReference, Recipe

distributed = pytest.importorskip("distributed", reason="workers need dask.distributed")


def _is_ours(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, DefectSegError)


SAME = ("mask.ome.tif", "labels.ome.tif", "objects.csv")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of two workers on this machine, each started again where it is killed."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1",
        silence_logs=50,
    ) as local:  # fmt: skip
        yield local.scheduler_address


@pytest.fixture
def at(scheduler: str) -> ClusterSettings:
    return ClusterSettings(scheduler, device="cpu")


@pytest.fixture
def recipe(model_folder: Path) -> Recipe:
    return Recipe(
        model=ModelReference(path=str(model_folder)),
        predict={"device": "cpu", "threads": 1, "tile": 64},
    )


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(3)
    return [
        save_image(
            CalibratedImage.from_array(rng.integers(0, 4000, (150, 170), dtype=np.uint16)),
            tmp_path / f"field {number}.ome.tif",
        )
        for number in range(5)
    ]


def killing(scheduler: str, kind: type) -> tuple[list[int], Callable[[Step], None]]:
    """Kill a worker as soon as something of a kind is done."""
    killed: list[int] = []

    def told(step: Step) -> None:
        if not killed and isinstance(step.partial, kind):
            with distributed.Client(scheduler, set_as_default=False) as client:
                killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    return killed, told


@pytest.mark.long
def test_images_are_shared_and_a_worker_that_is_killed_loses_none(
    scheduler: str, at: ClusterSettings, recipe: Recipe, images: list[Path], tmp_path: Path
) -> None:
    killed, told = killing(scheduler, Outcome)
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"II*\x00 and so on")
    found = drive(spread_steps([*images, broken], recipe, tmp_path / "out", cluster=at), told)
    assert killed
    alone = analyse_many(images, recipe, tmp_path / "alone")
    assert [one.problem for one in found[:-1]] == [""] * 5
    assert "broken.tif" in found[-1].problem
    assert [one.image for one in found[:-1]] == [str(path) for path in images]
    for one, other in zip(found[:-1], alone, strict=True):
        assert one.summary == other.summary
        assert one.objects == other.objects
        for name in SAME:
            assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()
    assert not list((tmp_path / "out").glob(".part-*"))


def test_tiles_of_one_image_are_shared_and_a_worker_that_is_killed_loses_none(
    scheduler: str, at: ClusterSettings, recipe: Recipe, images: list[Path], tmp_path: Path
) -> None:
    killed, told = killing(scheduler, Part)
    settings = AnalyseSettings(scores=True, form="zarr")
    (found,) = drive(spread_steps(images[:1], recipe, tmp_path / "out", settings, cluster=at), told)
    assert killed
    assert found.problem == ""
    (alone,) = analyse_many(images[:1], recipe, tmp_path / "alone", settings)
    from napari_defectseg.images.store import open_store

    ours, theirs = (open_store(one.folder / "scores.zarr")[...] for one in (found, alone))
    np.testing.assert_array_equal(ours, theirs)
    assert (found.folder / SAME[2]).read_bytes() == (alone.folder / SAME[2]).read_bytes()
    from napari_defectseg.results.stored import read_result

    plan = read_result(tmp_path / "out")[1][0].summary["plan"]
    assert (plan["workers"], plan["device"]) == (2, "cpu")


@pytest.mark.long
def test_results_that_are_there_stay(
    at: ClusterSettings, recipe: Recipe, images: list[Path], tmp_path: Path
) -> None:
    drive(spread_steps(images[:2], recipe, tmp_path / "out", cluster=at))
    again = drive(spread_steps(images[:2], recipe, tmp_path / "out", cluster=at))
    assert all("holds a result already" in one.problem for one in again)


@pytest.mark.long
def test_stopping_keeps_what_is_finished(
    at: ClusterSettings, recipe: Recipe, images: list[Path], tmp_path: Path
) -> None:
    done: list[Outcome] = []

    def told(step: Step) -> None:
        if isinstance(step.partial, Outcome):
            done.append(step.partial)

    with pytest.raises(Cancelled):
        drive(
            spread_steps(images, recipe, tmp_path / "out", cluster=at),
            told,
            cancelled=lambda: bool(done),
        )
    assert (done[0].folder / "summary.json").is_file()


@pytest.mark.parametrize("kind", [one for one in vars(errors).values() if _is_ours(one)])
def test_sentences_and_hints_travel_between_processes(kind: type[DefectSegError]) -> None:
    from distributed.protocol.pickle import dumps, loads

    try:
        raise kind("A sentence.", hint="A hint.")
    except DefectSegError as error:
        again = loads(dumps(error))
    assert type(again) is kind
    assert str(again) == "A sentence. A hint."


@pytest.mark.long
def test_a_model_that_a_worker_cannot_open_is_told_for_each_image(
    at: ClusterSettings, recipe: Recipe, images: list[Path], tmp_path: Path
) -> None:
    from napari_defectseg.models.open import open_model

    model = open_model(recipe.model.path)
    gone = recipe.model_copy(update={"model": ModelReference(path=str(tmp_path / "gone"))})
    found = drive(spread_steps(images[:2], gone, tmp_path / "out", cluster=at, model=model))
    assert all("gone" in one.problem for one in found)


def test_a_scheduler_that_does_not_answer_is_named(
    recipe: Recipe, images: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_defectseg.batch.cluster.CONNECT", 0.5)
    nobody = ClusterSettings("tcp://127.0.0.1:9")
    with pytest.raises(DeviceError, match=r"no scheduler at tcp://127\.0\.0\.1:9"):
        drive(spread_steps(images, recipe, tmp_path / "out", cluster=nobody))


@pytest.mark.long
def test_a_device_that_a_worker_has_not_is_told(
    scheduler: str, recipe: Recipe, images: list[Path], tmp_path: Path
) -> None:
    wanted = ClusterSettings(scheduler, device="cuda:77")
    with pytest.raises(DeviceError, match=r"graphics card|cuda:77"):
        drive(spread_steps(images, recipe, tmp_path / "out", cluster=wanted))


@pytest.mark.long
def test_workers_are_started_here_and_gone_afterwards() -> None:
    with cluster_for(ClusterSettings(workers=2, device="cpu")) as cluster:
        assert cluster.workers == 2
        assert {one.device for one in cluster.about} == {"cpu"}
        pids = list(cluster._client.run(os.getpid).values())
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
