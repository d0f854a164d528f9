"""The choice of a device, and the reason when it is not the one hoped for."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

from napari_defectseg.core.errors import DeviceError
from napari_defectseg.inference.devices import choose, describe


class Machine:
    """Pretends what torch finds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.built_for(None)
        self.apple(False)

    def built_for(self, cuda: str | None) -> None:
        self._patch.setattr(torch.version, "cuda", cuda)
        self._patch.setattr(torch.version, "hip", None)

    def apple(self, there: bool) -> None:
        self._patch.setattr(torch.backends.mps, "is_available", lambda: there)

    def cards(self, *names: str, says: str = "") -> None:
        def available() -> bool:
            if says:
                warnings.warn(says, UserWarning, stacklevel=2)
            return bool(names) and not says

        self._patch.setattr(torch.cuda, "is_available", available)
        self._patch.setattr(torch.cuda, "device_count", lambda: len(names))
        self._patch.setattr(torch.cuda, "get_device_name", lambda index: names[index])
        self._patch.setattr(torch.cuda, "get_device_capability", lambda index: (8, 6))
        self._patch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_86"])

    def capability(self, value: tuple[int, int]) -> None:
        self._patch.setattr(torch.cuda, "get_device_capability", lambda index: value)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_a_torch_without_cuda_is_named_as_the_reason(machine: Machine) -> None:
    choice = choose("auto")
    assert choice.name == "cpu"
    assert "built for the processor alone" in choice.reason
    with pytest.raises(DeviceError, match=r"built for the processor alone.*Use cpu, or auto"):
        choose("cuda")


def test_a_missing_card_is_named_as_the_reason(machine: Machine) -> None:
    machine.built_for("12.8")
    machine.cards()
    assert "No NVIDIA graphics card with a working driver" in choose("auto").reason


def test_what_torch_says_about_a_driver_that_is_too_old_reaches_the_user(machine: Machine) -> None:
    machine.built_for("12.8")
    machine.cards("Quadro", says="The NVIDIA driver on your system is too old")
    choice = choose("auto")
    assert choice.name == "cpu"
    assert "driver on your system is too old" in choice.reason
    with pytest.raises(DeviceError, match="too old"):
        choose("cuda:0")


def test_a_card_that_this_torch_no_longer_knows_is_not_used(machine: Machine) -> None:
    machine.built_for("12.8")
    machine.cards("Tesla K80")
    machine.capability((3, 7))
    choice = choose("auto")
    assert choice.name == "cpu"
    assert "Tesla K80 is too old for this torch" in choice.reason
    with pytest.raises(DeviceError, match=r"Tesla K80 is too old.*3\.7.*7\.5"):
        choose("cuda")


def test_a_working_card_is_taken_and_named(machine: Machine) -> None:
    machine.built_for("12.8")
    machine.cards("RTX A", "RTX B")
    assert (choose("auto").name, choose("auto").title) == ("cuda:0", "RTX A")
    assert choose("cuda:1").title == "RTX B"
    assert [choice.name for choice in describe()] == ["cuda:0", "cuda:1", "cpu"]
    with pytest.raises(DeviceError, match=r"2 graphics card.*cuda:0 … cuda:1"):
        choose("cuda:2")


def test_apples_processor_is_taken_where_it_works(machine: Machine) -> None:
    with pytest.raises(DeviceError, match="Apple's graphics processor was asked for"):
        choose("mps")
    machine.apple(True)
    assert choose("auto").name == choose("mps").name == "mps"


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "CUDA"])
def test_names_that_are_no_device_are_answered_with_those_that_are(
    machine: Machine, name: str
) -> None:
    with pytest.raises(DeviceError, match="Use auto, cpu, cuda, cuda:N or mps"):
        choose(name)


def test_the_processor_is_always_there() -> None:
    choice: Any = choose("cpu")
    assert choice.name == "cpu"
    assert "threads" in choice.title
