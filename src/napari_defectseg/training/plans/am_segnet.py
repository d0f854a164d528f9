"""AM-SegNet: the authors published no plan; this one is ours."""

from __future__ import annotations

from napari_defectseg.core.errors import TrainingError
from napari_defectseg.training.plan import TrainingPlan

WIDTHS = (12, 24, 48, 96, 768)
"""Of the four blocks and of the bottom, as published."""
REDUCED = (2, 4, 8, 16, 128)


def plan(variant: str = "as-meant", *, reduced: bool = False) -> TrainingPlan:
    """Return our plan for the network of Li et al. 2024.

    Grey values go in as they are, as in the authors' use of the network, whole radiographs of
    256 × 512 px. The laser comes from above, so only left and right are exchanged.

    Parameters
    ----------
    variant : str
        Only ``"as-meant"``: there is nothing published to follow.
    reduced : bool
        A sixth of the widths and patches of 64 × 128 px.

    Raises
    ------
    TrainingError
        If the published plan is asked for.
    """
    if variant != "as-meant":
        raise TrainingError(
            "The authors of AM-SegNet published no training plan.",
            hint="Leave the variant out: the plan am-segnet is ours.",
        )
    return TrainingPlan(
        name="am-segnet",
        network="am_segnet",
        variant="as-meant",
        widths=REDUCED if reduced else WIDTHS,
        patch=(64, 128) if reduced else (256, 512),
        batch=4,
        epochs=60,
        steps_per_epoch=50,
        learning_rate=1e-3,
        symmetries=("flip_x",),
        zoom=0.0,
        gamma=0.0,
        noise=0.0,
        blur=0.0,
        gain=0.1,
        offset=5.0,
        scaling="authors",
        class_weights="balanced",
        momentum=0.1,
    )
