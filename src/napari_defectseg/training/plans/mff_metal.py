"""MFF-Metal (neulmc/MFF-Metal, 2025): a small network learns from labels and from a large one."""

from __future__ import annotations

from napari_defectseg.training.plan import TrainingPlan

WIDTHS = (30, 60, 90, 120)
REDUCED = (6, 12, 18, 24)
TEACHER = (180, 360, 540, 720)
REDUCED_TEACHER = (12, 24, 36, 48)
STEPS = 242
"""Steps a round: 3630 images in batches of 15, the last incomplete one left out."""


def plan(variant: str = "as-published", *, reduced: bool = False) -> TrainingPlan:
    """Return the student's plan.

    Cross-entropy + 0.5 Dice + 1e-4 boundary + the opinion of a teacher at temperature 0.7;
    Adam at 0.001, halved after 100, 120, 150 and 260 of 301 rounds; batches of 15 whole
    200 × 200 px pictures, turned by quarters and flipped upside down.

    Parameters
    ----------
    variant : str
        ``"as-published"``: distances of the boundary loss are cut to whole pixels, as the
        authors store them. ``"as-meant"``: they are exact.
    reduced : bool
        A fifth of the widths, pictures of 64 px.
    """
    return TrainingPlan(
        name="mff-metal",
        network="mff_metal",
        variant=variant,
        widths=REDUCED if reduced else WIDTHS,
        patch=(64, 64) if reduced else (200, 200),
        batch=15,
        epochs=301,
        steps_per_epoch=STEPS,
        learning_rate=1e-3,
        weight_decay=0.0,
        dice_weight=0.5,
        foreground_share=0.0,
        symmetries=("flip_y", "rot90_yx"),
        zoom=0.0,
        gain=0.0,
        offset=0.0,
        gamma=0.0,
        noise=0.0,
        blur=0.0,
        patience=301,
        seed=1029,
        loss="mff_metal",
        optimiser="adam",
        schedule="milestones",
        milestones=(100, 120, 150, 260),
        factor=0.5,
        scaling="authors",
        distillation=1.0,
        temperature=0.7,
        boundary=1e-4,
        clip=0.0,
    )


def teacher(variant: str = "as-published", *, reduced: bool = False) -> TrainingPlan:
    """Return the teacher's plan: the same network, six times as wide, without a teacher."""
    widths = REDUCED_TEACHER if reduced else TEACHER
    return plan(variant, reduced=reduced).with_changes(
        name="mff-metal-teacher", widths=widths, distillation=0.0
    )
