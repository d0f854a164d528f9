"""`TrainingPlan`: network, loss, schedule and augmentation as one value, written as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

from napari_defectseg.core.atomic import write_text
from napari_defectseg.core.errors import FileMissing, TrainingError
from napari_defectseg.core.registry import Registry
from napari_defectseg.core.setting import Setting

SYMMETRIES = ("flip_z", "flip_y", "flip_x", "rot90_yx")
"""Symmetries a plan may allow: mirror an axis, turn the y-x plane by quarter turns."""
LOSSES = ("house", "cross_entropy", "bce", "mff_metal", "defectsegnet")
"""Cross-entropy with Dice; cross-entropy; binary cross-entropy a map; those of the papers."""
VARIANTS = ("", "as-published", "as-meant")
OPTIMISERS = ("adamw", "adam")
SCHEDULES = ("one_cycle", "constant", "milestones", "plateau")
SCALINGS = ("image", "authors", "patch")
OUTPUTS = ("classes", "one", "each")
CLASS_WEIGHTS = ("none", "balanced")
CHOICES = {
    "loss": LOSSES, "variant": VARIANTS, "optimiser": OPTIMISERS, "schedule": SCHEDULES,
    "scaling": SCALINGS, "outputs": OUTPUTS, "class_weights": CLASS_WEIGHTS,
}  # fmt: skip
SYMMETRY_NAMES = (
    ("flip_z", "first slice last"), ("flip_y", "upside down"), ("flip_x", "left for right"),
    ("rot90_yx", "quarter turns"),
)  # fmt: skip


@dataclass(frozen=True)
class TrainingPlan:
    """How a network is trained.

    Parameters
    ----------
    name : str
        What the plan is called.
    dims : int
        2 or 3.
    widths : tuple of int
        Channels of the U-Net a level, finest first.
    patch : tuple of int
        Patch size in pixels, one entry a spatial axis; multiples of ``2 ** (levels - 1)``.
    batch : int
        Patches a step.
    epochs : int
        Most epochs.
    steps_per_epoch : int
        Steps an epoch.
    learning_rate : float
        Peak of the one-cycle schedule of AdamW.
    weight_decay : float
        Weight decay of AdamW.
    dice_weight : float
        Weight of the Dice loss beside cross-entropy's 1.
    foreground_share : float
        Share of patches that are centred on an object, each class alike.
    symmetries : tuple of str
        Which of `SYMMETRIES` leave the physics unchanged; quarter turns are left out
        by itself where y and x differ in size, so are mirrored keyholes unless named here.
    zoom : float
        Largest relative change of magnification, 0.2 for ±20 %.
    gain, offset, gamma, noise, blur : float
        Strength of the changes of intensity, in units of the normalised image's
        standard deviation (noise, offset), relative (gain, gamma), or px (blur).
    patience : int
        Epochs without a better validation loss before it stops.
    seed : int
        Seed of weights, patches and augmentation.
    network : str
        Name in the registry of networks; its size follows from `widths`.
    loss : str
        One of `LOSSES`.
    variant : str
        ``"as-published"`` or ``"as-meant"`` where the authors' way has a fault; else empty.
    optimiser : str
        ``"adamw"`` or ``"adam"`` (without weight decay).
    schedule : str
        ``"one_cycle"``, ``"constant"``, ``"milestones"`` (the rate times `factor` after each of
        `milestones` rounds) or ``"plateau"`` (back to the best weights and the rate times
        `factor` after `patience` rounds without a better one, at most `plateaus` times).
    milestones : tuple of int
        Rounds after each of which the rate falls.
    factor : float
        What the rate is multiplied by when it falls.
    plateaus : int
        How often it may fall for want of progress.
    scaling : str
        ``"image"``: z-scored a whole image; ``"authors"``: as the network's authors do;
        ``"patch"``: each patch z-scored on its own.
    lattice : int
        Patches begin at so many evenly spaced places along y and x, in turn; 0: anywhere.
    whole : bool
        Whole images are shrunk to the patch, instead of patches cut out.
    outputs : str
        ``"classes"``: as the dataset's classes; ``"one"``: a single class or not; ``"each"``:
        a map for each class, which may overlap.
    inverted : bool
        The network learns what is not the class.
    batch_statistics : bool
        Batch normalisation measures each image, in use as in training.
    momentum : float
        Share of a batch in the moving averages of batch normalisation; 0: as the network has it.
    distillation, temperature : float
        Weight of a teacher's opinion, and how far it is softened.
    boundary : float
        Weight of the boundary loss.
    class_weights : str
        ``"none"``, or ``"balanced"``: cross-entropy weighs each class by the root of the inverse
        of its share, so that rare classes are not drowned.
    ema : float
        Decay a step of an exponential mean of the weights, which is then what is kept; 0: none.
    clip : float
        Largest length of the gradient; 0: no limit.
    """

    name: Annotated[str, Setting("Name")] = "unet"
    dims: Annotated[int, Setting("Dimensions", low=2, high=3)] = 2
    widths: Annotated[tuple[int, ...], Setting("Channels a level")] = (16, 32, 80, 160)
    patch: Annotated[tuple[int, ...], Setting("Patch", unit="px")] = (128, 128)
    batch: Annotated[int, Setting("Patches a step", low=1, high=4096)] = 8
    epochs: Annotated[int, Setting("Rounds at most", low=1, high=10_000)] = 40
    steps_per_epoch: Annotated[int, Setting("Steps a round", low=1, high=100_000)] = 50
    learning_rate: Annotated[float, Setting("Learning rate", low=0, high=1, step=0.0001)] = 3e-3
    weight_decay: Annotated[float, Setting("Weight decay", low=0, high=1, step=0.0001)] = 1e-4
    dice_weight: Annotated[float, Setting("Weight of Dice", low=0, high=100)] = 1.0
    foreground_share: Annotated[float, Setting("Patches on objects", low=0, high=1, step=0.05)] = (
        0.7
    )
    symmetries: Annotated[
        tuple[str, ...], Setting("Symmetries", choices=SYMMETRIES, names=SYMMETRY_NAMES)
    ] = ("flip_y", "flip_x", "rot90_yx")
    zoom: Annotated[float, Setting("Change of size", low=0, high=0.9, step=0.05)] = 0.2
    gain: Annotated[float, Setting("Contrast", low=0, high=2, step=0.05)] = 0.3
    offset: Annotated[float, Setting("Brightness", low=0, high=2, step=0.05)] = 0.3
    gamma: Annotated[float, Setting("Gamma", low=0, high=2, step=0.05)] = 0.2
    noise: Annotated[float, Setting("Noise", low=0, high=2, step=0.05)] = 0.2
    blur: Annotated[float, Setting("Blur", unit="px", low=0, high=20)] = 0.8
    patience: Annotated[int, Setting("Patience", unit="rounds", low=1, high=10_000)] = 12
    seed: Annotated[int, Setting("Seed", low=0)] = 0
    network: Annotated[str, Setting("Network")] = "unet"
    loss: Annotated[str, Setting("Loss", choices=LOSSES)] = "house"
    variant: Annotated[str, Setting("Variant", choices=VARIANTS)] = ""
    optimiser: Annotated[str, Setting("Optimiser", choices=OPTIMISERS)] = "adamw"
    schedule: Annotated[str, Setting("Schedule", choices=SCHEDULES)] = "one_cycle"
    milestones: Annotated[tuple[int, ...], Setting("Milestones", unit="rounds")] = ()
    factor: Annotated[float, Setting("Factor of the rate", low=0, high=1)] = 0.5
    plateaus: Annotated[int, Setting("Plateaus", low=0, high=1000)] = 0
    scaling: Annotated[str, Setting("Scaling", choices=SCALINGS)] = "image"
    lattice: Annotated[int, Setting("Places a side", low=0, high=1000)] = 0
    whole: Annotated[bool, Setting("Whole images")] = False
    outputs: Annotated[str, Setting("Outputs", choices=OUTPUTS)] = "classes"
    inverted: Annotated[bool, Setting("Inverted")] = False
    batch_statistics: Annotated[bool, Setting("Own statistics")] = False
    momentum: Annotated[float, Setting("Share of a batch", low=0, high=1)] = 0.0
    distillation: Annotated[float, Setting("Teacher", low=0, high=1000)] = 0.0
    temperature: Annotated[float, Setting("Temperature", low=0, high=1000)] = 1.0
    boundary: Annotated[float, Setting("Boundary", low=0, high=1000)] = 0.0
    class_weights: Annotated[str, Setting("Class weights", choices=CLASS_WEIGHTS)] = "none"
    ema: Annotated[float, Setting("Mean of weights", low=0, high=1)] = 0.0
    clip: Annotated[float, Setting("Largest gradient", low=0, high=1000)] = 5.0

    def __post_init__(self) -> None:
        if self.dims not in (2, 3) or len(self.patch) != self.dims:
            raise TrainingError(
                f"A plan in {self.dims} dimensions cannot have patches of {self.patch}."
            )
        grid = 2 ** max(0, len(self.widths) - 1)
        if any(n < grid or n % grid for n in self.patch):
            raise TrainingError(
                f"Patches of {self.patch} do not fit a network of {len(self.widths)} levels.",
                hint=f"Use multiples of {grid}.",
            )
        strange = set(self.symmetries) - set(SYMMETRIES)
        if strange:
            raise TrainingError(
                f"{', '.join(sorted(strange))} is not a symmetry.",
                hint=f"Known: {', '.join(SYMMETRIES)}.",
            )
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise TrainingError(
                    f"{getattr(self, name)!r} is no {name.replace('_', ' ')} of a plan.",
                    hint=f"Known: {', '.join(filter(None, known))}.",
                )
        counts = (self.batch, self.epochs, self.steps_per_epoch, self.patience, *self.widths)
        if min(counts) < 1 or len(self.widths) < 2:
            raise TrainingError(
                "Batch, epochs, steps, patience and widths must be 1 or more, on 2 levels or more."
            )

    def with_changes(self, **changes: Any) -> TrainingPlan:
        """Return the same plan with other values."""
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        values = asdict(self)
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "The plan") -> TrainingPlan:
        """Return the plan written by `as_dict`.

        Raises
        ------
        TrainingError
            If a key is unknown or a value does not fit.
        """
        known = {field.name for field in fields(cls)}
        if strange := sorted(set(values) - known):
            raise TrainingError(
                f"{where} has unknown entries: {', '.join(strange)}.",
                hint=f"Known: {', '.join(sorted(known))}.",
            )
        lists: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in values.items()
        }
        try:
            return cls(**lists)
        except TypeError as error:
            raise TrainingError(f"{where} cannot be read: {error}.") from error

    def write(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the plan as JSON."""
        write_text(path, json.dumps(self.as_dict(), indent=2) + "\n", overwrite=overwrite)


def unet() -> TrainingPlan:
    """Return the plan of the house network for pictures."""
    return TrainingPlan()


def unet3d() -> TrainingPlan:
    """Return the plan of the house network for tomograms."""
    return TrainingPlan(
        name="unet3d",
        dims=3,
        widths=(12, 24, 48, 80),
        patch=(48, 48, 48),
        batch=2,
        symmetries=("flip_z", "flip_y", "flip_x", "rot90_yx"),
    )


def movie() -> TrainingPlan:
    """Return the plan for X-ray movies: the laser comes from above, so nothing is turned over."""
    return TrainingPlan(name="movie", symmetries=("flip_x",))


PUBLISHED = ("am-segnet", "defectsegnet", "mff-metal", "pbf-unet", "dcnn3d")
"""Plans with variants and reduced widths."""
PLANS: Registry[Callable[..., TrainingPlan]] = Registry(
    "training plan",
    {
        "unet": "napari_defectseg.training.plan:unet",
        "unet3d": "napari_defectseg.training.plan:unet3d",
        "movie": "napari_defectseg.training.plan:movie",
        "am-segnet": "napari_defectseg.training.plans.am_segnet:plan",
        "defectsegnet": "napari_defectseg.training.plans.defectsegnet:plan",
        "mff-metal": "napari_defectseg.training.plans.mff_metal:plan",
        "pbf-unet": "napari_defectseg.training.plans.pbf_unet:plan",
        "dcnn3d": "napari_defectseg.training.plans.dcnn3d:plan",
    },
    "napari_defectseg.training_plans",
)


def plan_of(
    name_or_file: str | TrainingPlan, *, variant: str = "", reduced: bool = False
) -> TrainingPlan:
    """Return a plan by its name, or read it from a JSON file.

    Parameters
    ----------
    name_or_file : str or TrainingPlan
    variant : str
        ``"as-published"`` or ``"as-meant"``, of a published plan.
    reduced : bool
        A published plan with widths and patches that a processor of two cores can train.

    Raises
    ------
    FileMissing
        If it is neither a known name nor a file.
    TrainingError
        If the file cannot be read as a plan.
    """
    if isinstance(name_or_file, TrainingPlan):
        return name_or_file
    if name_or_file in PUBLISHED:
        return PLANS.get(name_or_file)(**({"variant": variant} if variant else {}), reduced=reduced)
    if variant or reduced:
        raise TrainingError(
            f"The plan {name_or_file} has no variants.", hint=f"These have: {', '.join(PUBLISHED)}."
        )
    if name_or_file in PLANS.names():
        return PLANS.get(name_or_file)()
    path = Path(name_or_file)
    if not path.is_file():
        raise FileMissing(
            f"There is no training plan {name_or_file!r}.",
            hint=f"Known: {', '.join(PLANS.names())}; or give a JSON file.",
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} is not a JSON file: {error}.") from error
    if not isinstance(values, dict):
        raise TrainingError(f"{path} holds no plan but a {type(values).__name__}.")
    return TrainingPlan.from_dict(values, str(path))
