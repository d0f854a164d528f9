"""Take the pictures of the docks, for the documentation and for looking.

    python dev.py shots                   every picture into docs/pictures/
    python dev.py shots --out FOLDER      elsewhere
    python dev.py shots correct train     some of them

Each picture is the whole window at 1366 × 768, as a new user would see it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_defectseg.ui.demo import FLAT, Subject, predict, samples, settle, wait

if TYPE_CHECKING:
    import napari

HERE = Path(__file__).resolve().parent
SIZE = (1366, 768)


class Shooter:
    """One viewer, taken through the docks; every picture is saved under a name."""

    def __init__(self, theme: str, out: Path) -> None:
        from napari_defectseg.ui.session import session_of
        from napari_defectseg.ui.view import open_view
        from napari_defectseg.ui.workbench import workbench_of

        self.theme, self.out = theme, out
        self.viewer: napari.Viewer = open_view()
        self.viewer.theme = theme
        self.viewer.window.resize(*SIZE)
        self.session = session_of(self.viewer)
        self.bench: Any = workbench_of(self.viewer)
        settle(1.0)

    def take(self, name: str) -> None:
        """Save the window as ``<name>-<theme>.png``."""
        import imageio.v3 as iio

        settle(1.0)
        pixels = self.viewer.screenshot(canvas_only=False, flash=False)
        iio.imwrite(self.out / f"{name}-{self.theme}.png", pixels)
        print(f"{name}-{self.theme}", flush=True)

    def predicted(self) -> None:
        """Open the sample micrograph and predict it, once."""
        from napari_defectseg.models.open import open_model

        if self.session.prediction is None:
            subject: Subject = samples()[0]
            self.session.image = subject.image
            self.session.model = open_model(FLAT)
            predict(self.session, self.bench)

    def close(self) -> None:
        """Close the viewer."""
        self.viewer.close()


def empty(shooter: Shooter) -> None:
    """Show the workbench with nothing open."""
    shooter.bench.bring("data")
    shooter.take("empty")


def data(shooter: Shooter) -> None:
    """Show an image with its pixel size."""
    shooter.predicted()
    shooter.bench.bring("data")
    shooter.take("data")


def model(shooter: Shooter) -> None:
    """Show the shipped model's card."""
    shooter.predicted()
    shooter.bench.bring("model")
    shooter.take("model")


def predicting(shooter: Shooter) -> None:
    """Show a finished prediction with its thresholds."""
    shooter.predicted()
    shooter.bench.bring("predict")
    shooter.take("predict")


def correct(shooter: Shooter) -> None:
    """Show an object chosen for correction."""
    shooter.predicted()
    shooter.bench.bring("correct")
    settle(0.5)
    shooter.bench.press_primary()
    shooter.take("correct")


def review(shooter: Shooter) -> None:
    """Show the most doubtful object, two masks compared, and the five-minute review."""
    from napari_defectseg.ui.layers import geometry
    from napari_defectseg.ui.reviewing import reviewer_of

    shooter.predicted()
    shooter.bench.bring("review")
    page = shooter.bench.page("review")
    queue = reviewer_of(shooter.session).queue
    wait(lambda: bool(queue.doubts) and shooter.session.table is not None, 30)
    settle(0.5)
    shooter.bench.press_primary()
    shooter.take("review")
    page.pages.setValue("audit")
    shooter.bench.press_primary()
    for _ in range(6):
        page.turn.accept()
    shooter.take("review-audit")
    for _ in range(6):
        shooter.session.undo()
    labels = shooter.session.labels
    other = labels.class_mask()
    for number in list(labels.object_classes)[::9]:
        other[labels.planes[0] == number] = 0
    like = geometry(page.hand.stage.labels_layers[0], other.ndim)
    layer = shooter.viewer.add_labels(other, name="Ada's mask", visible=False, **like)
    page.pages.setValue("compare")
    page.compare.page.other.setCurrentText("Ada's mask")
    shooter.bench.press_primary()
    wait(lambda: page.compare.comparing.comparison is not None, 30)
    shooter.bench.press_primary()
    shooter.take("review-compare")
    page.pages.setValue("queue")
    shooter.viewer.layers.remove(layer)


def statistics(shooter: Shooter) -> None:
    """Show numbers, histogram and table."""
    shooter.predicted()
    shooter.bench.bring("statistics")
    wait(lambda: shooter.session.table is not None, 30)
    shooter.take("statistics")


def dataset(shooter: Shooter) -> None:
    """Show a small dataset of phantoms."""
    import napari_defectseg as ds

    labelled = ("void", "precipitate", "loop")
    with tempfile.TemporaryDirectory() as folder:
        made = ds.Dataset.create(Path(folder) / "alloy", labelled, licence="CC0-1.0")
        for seed in range(6):
            one = ds.phantom(
                "micrograph", seed=seed, shape=(256, 256), scene="mixed", labelled=labelled
            )
            made.add(one.image, one.mask, specimen=f"specimen {seed + 1}")
        shooter.session.dataset = made
        shooter.bench.bring("dataset")
        settle(1.5)
        shooter.take("dataset")
        train(shooter)
        shooter.session.dataset = None
        settle(0.3)


def train(shooter: Shooter) -> None:
    """Show the Train dock with that dataset, split."""
    from napari_defectseg.datasets.split import split

    split(shooter.session.dataset)
    shooter.bench.bring("train")
    shooter.take("train")


PICTURES: dict[str, Callable[[Shooter], None]] = {
    "empty": empty,
    "data": data,
    "model": model,
    "predict": predicting,
    "correct": correct,
    "review": review,
    "statistics": statistics,
    "dataset": dataset,
}


def main() -> None:
    """Take the named pictures, or all, in both themes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*PICTURES, []], default=[])
    parser.add_argument("--out", type=Path, default=HERE / "pictures")
    parser.add_argument("--theme", choices=["light", "dark"], action="append")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        # As on a new machine: nothing remembered, no work of yesterday.
        os.environ.update(XDG_CONFIG_HOME=f"{home}/config", XDG_STATE_HOME=f"{home}/state")
        shoot(given)


def shoot(given: argparse.Namespace) -> None:
    """Take the pictures that were asked for."""
    for theme in given.theme or ("light", "dark"):
        shooter = Shooter(theme, given.out)
        for name in given.names or PICTURES:
            PICTURES[name](shooter)
        shooter.close()


if __name__ == "__main__":
    main()
