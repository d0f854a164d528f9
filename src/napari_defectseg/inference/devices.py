"""Which device computes, and why that one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_defectseg.core.errors import DeviceError

if TYPE_CHECKING:
    from napari_defectseg.inference.settings import PredictSettings


@dataclass(frozen=True)
class DeviceChoice:
    """A device and the reason for it.

    Parameters
    ----------
    name : str
        ``"cpu"``, ``"cuda:0"``, ``"mps"``.
    reason : str
        Why, as a sentence.
    title : str
        What a person calls it: the name of the card, or the processor with its cores.
    """

    name: str
    reason: str
    title: str


def choose(name: str = "auto") -> DeviceChoice:
    """Return the device to compute on.

    Parameters
    ----------
    name : str
        ``"auto"`` (a graphics card if there is one that works), ``"cpu"``, ``"cuda"``,
        ``"cuda:N"`` or ``"mps"``.

    Raises
    ------
    DeviceError
        If a device is asked for that is not there, with the reason.
    """
    import torch

    if name == "auto":
        problem = _why_no_cuda()
        if not problem:
            return DeviceChoice("cuda:0", "A graphics card was found.", _card(0))
        if torch.backends.mps.is_available():
            return DeviceChoice("mps", "Apple's graphics processor was found.", "Apple GPU")
        return DeviceChoice("cpu", problem, _processor())
    if name == "cpu":
        return DeviceChoice("cpu", "The processor was asked for.", _processor())
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError(
                "Apple's graphics processor was asked for, but torch cannot use one here.",
                hint="Use cpu.",
            )
        return DeviceChoice("mps", "Apple's graphics processor was asked for.", "Apple GPU")
    return _asked_cuda(name)


def wanted_devices(settings: PredictSettings) -> tuple[str, ...]:
    """Return the names of the devices that settings ask for; ``all`` is every graphics card.

    One at least; without a graphics card ``all`` is what ``auto`` takes.
    """
    names = settings.devices or (settings.device,)
    if "all" not in names:
        return names
    import torch

    count = torch.cuda.device_count() if choose("auto").name.startswith("cuda") else 0
    return tuple(f"cuda:{index}" for index in range(count)) or ("auto",)


def describe() -> list[DeviceChoice]:
    """Return every device of this machine, the one that *auto* takes first."""
    import torch

    found = [choose("auto")]
    if torch.cuda.is_available():
        found += [
            DeviceChoice(f"cuda:{i}", "", _card(i)) for i in range(1, torch.cuda.device_count())
        ]
    if found[0].name != "cpu":
        found.append(choose("cpu"))
    return found


def _asked_cuda(name: str) -> DeviceChoice:
    import torch

    kind, _, number = name.partition(":")
    if kind != "cuda" or (number and not number.isdigit()):
        raise DeviceError(
            f"There is no device {name!r}.", hint="Use auto, cpu, cuda, cuda:N or mps."
        )
    problem = _why_no_cuda()
    if problem:
        raise DeviceError(problem, hint="Use cpu, or auto.")
    index, count = int(number or 0), torch.cuda.device_count()
    if index >= count:
        raise DeviceError(
            f"{name} was asked for, but this machine has {count} graphics card(s).",
            hint=f"Use cuda:0{f' … cuda:{count - 1}' if count > 1 else ''}.",
        )
    return DeviceChoice(f"cuda:{index}", "It was asked for.", _card(index))


def _why_no_cuda() -> str:
    """Return the sentence why there is no CUDA, empty if there is."""
    import warnings

    import torch

    if torch.version.cuda is None and torch.version.hip is None:
        return (
            f"This torch ({torch.__version__}) was built for the processor alone, "
            f"so no graphics card is used."
        )
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        usable = torch.cuda.is_available()
    if usable:
        return _why_not_this_card()
    reason = f" torch says: {said[0].message}" if said else ""
    return f"No NVIDIA graphics card with a working driver was found.{reason}"


def _why_not_this_card() -> str:
    """Return the sentence why the first card cannot run what this torch brings, else nothing."""
    import torch

    known = torch.cuda.get_arch_list()
    if torch.version.hip is not None or not known:
        return ""
    own = torch.cuda.get_device_capability(0)
    if any(_runs(kind, own) for kind in known):
        return ""
    oldest = min(_capability(kind) for kind in known)
    age = "old" if own < oldest else "new"
    return (
        f"{_card(0)} is too {age} for this torch ({torch.__version__}): it has compute "
        f"capability {own[0]}.{own[1]}, the oldest that works is {oldest[0]}.{oldest[1]}."
    )


def _runs(kind: str, own: tuple[int, int]) -> bool:
    """Return whether code of a kind (``sm_86``, ``compute_90``) runs on a card."""
    found = _capability(kind)
    if kind.startswith("compute"):  # compiled when it is first used
        return found <= own
    return found[0] == own[0] and found[1] <= own[1]


def _capability(kind: str) -> tuple[int, int]:
    digits = "".join(letter for letter in kind if letter.isdigit())
    return int(digits[:-1]), int(digits[-1])


def _card(index: int) -> str:
    import torch

    return str(torch.cuda.get_device_name(index))


def _processor() -> str:
    import torch

    return f"processor, {torch.get_num_threads()} threads"
