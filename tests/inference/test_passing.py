"""A pass ends at its next layer, rests while nobody asks for it, and leaves the network alone."""

from __future__ import annotations

import signal
import threading
import time

import numpy as np
import pytest
import torch

from napari_defectseg.inference import passing
from napari_defectseg.inference.layers import Layers, hooked
from napari_defectseg.inference.passing import Passing
from napari_defectseg.inference.waiting import WaitingLine


class Slow(torch.nn.Module):
    """A layer that takes its time."""

    def __init__(self, seconds: float, seen: list[float]) -> None:
        super().__init__()
        self.seconds, self.seen = seconds, seen

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        time.sleep(self.seconds)
        self.seen.append(time.monotonic())
        return x + 1


LAYERS, PACE = 40, 0.02


@pytest.fixture
def seen() -> list[float]:
    return []


@pytest.fixture
def network(seen):
    return torch.nn.Sequential(*(Slow(PACE, seen) for _ in range(LAYERS)))


@pytest.fixture
def line():
    return WaitingLine()


@pytest.fixture
def runs(network, line):
    made = Passing(network, line, 1)
    yield made
    made.close()


def compute(network):
    return lambda: network(torch.zeros(1)).numpy()


def finish(steps):
    shares = []
    while True:
        try:
            shares.append(next(steps))
        except StopIteration as end:
            return shares, end.value


def hooks_of(network) -> int:
    return sum(len(layer._forward_pre_hooks) for layer in network.modules())


def test_it_gives_what_the_network_gives_and_tells_how_far_it_is(runs, network) -> None:
    shares, found = finish(runs.run(compute(network)))
    np.testing.assert_array_equal(found, [LAYERS])
    assert set(shares) == {0.0}, "the layers are not known yet"
    shares, _ = finish(runs.run(compute(network)))
    assert shares == sorted(shares)
    assert 0.6 < shares[-1] < 1
    assert hooks_of(network) == 0
    assert len(runs.layers.marks) == LAYERS
    assert 1 / LAYERS <= runs.layers.longest < 0.5


def test_closed_it_ends_at_the_next_layer(runs, network, seen) -> None:
    steps = runs.run(compute(network))
    while len(seen) < 3:
        next(steps)
    begun, done = time.monotonic(), len(seen)
    steps.close()
    assert time.monotonic() - begun < 0.5
    assert len(seen) <= done + 1
    assert hooks_of(network) == 0
    _, found = finish(runs.run(compute(network)))
    np.testing.assert_array_equal(found, [LAYERS])


def test_paused_it_rests_at_a_layer_gives_its_turn_and_goes_on(
    runs, network, seen, line, monkeypatch
) -> None:
    monkeypatch.setattr(passing, "AWAY", 0.1)
    steps = runs.run(compute(network))
    next(steps)
    time.sleep(0.4)
    rests = len(seen)
    assert rests < LAYERS - 5
    assert line.take(lambda: False), "another prediction can use the device meanwhile"
    line.give()
    time.sleep(0.1)
    assert len(seen) == rests
    _, found = finish(steps)
    np.testing.assert_array_equal(found, [LAYERS])
    slowest = runs.layers.longest * LAYERS * PACE
    assert slowest < 0.3, "the pause belongs to no layer"


def test_closed_while_it_rests_it_ends(runs, network, seen, monkeypatch) -> None:
    monkeypatch.setattr(passing, "AWAY", 0.05)
    steps = runs.run(compute(network))
    next(steps)
    time.sleep(0.3)
    steps.close()
    assert len(seen) < LAYERS


def test_what_the_network_raises_arrives(runs) -> None:
    def broken():
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        finish(runs.run(broken))
    with pytest.raises(TimeoutError, match="by itself"):
        finish(runs.run(lambda: (_ for _ in ()).throw(TimeoutError("by itself"))))


def test_passes_of_two_never_overlap_and_both_come_to_their_end(line, seen) -> None:
    inside, worst = [0], [0]
    lock = threading.Lock()

    class Counting(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            with lock:
                inside[0] += 1
                worst[0] = max(worst[0], inside[0])
            time.sleep(0.01)
            with lock:
                inside[0] -= 1
            return x

    found: list[int] = []

    def work(number: int) -> None:
        network = torch.nn.Sequential(Counting(), Counting())
        runs = Passing(network, line, 1)
        for _ in range(8):
            finish(runs.run(compute(network)))
        runs.close()
        found.append(number)

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert sorted(found) == [0, 1, 2]
    assert worst[0] == 1


def test_whoever_gives_up_waiting_is_not_in_the_way(line) -> None:
    assert line.take(lambda: False)
    assert not line.take(lambda: True)
    line.give()
    assert line.take(lambda: False)
    line.give()


def test_layers_say_how_long_stopping_takes() -> None:
    layers = Layers()
    assert layers.longest == 1
    assert layers.share(3) == 0
    layers.learn([10.0, 11.0, 13.0], 10.0, 14.0)
    assert layers.marks == (0.0, 0.25, 0.75)
    assert layers.longest == 0.5
    assert [layers.share(n) for n in range(5)] == [0.0, 0.0, 0.25, 0.75, 0.75]


def test_what_is_no_module_has_no_layers() -> None:
    with hooked(lambda x: x, lambda: pytest.fail("there is no layer")):
        pass


def test_in_the_main_thread_a_pass_stays_there_and_ctrl_c_ends_it_at_a_layer(
    runs, network, seen
) -> None:
    def interrupted() -> None:
        time.sleep(4 * PACE)
        signal.raise_signal(signal.SIGINT)

    _, found = finish(runs.begin(compute(network)))
    np.testing.assert_array_equal(found, [LAYERS])
    assert len(runs.layers.marks) == LAYERS
    seen.clear()
    thread = threading.Thread(target=interrupted)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        finish(runs.begin(compute(network)))
    thread.join()
    assert len(seen) < LAYERS // 2
    assert hooks_of(network) == 0
    assert len(finish(runs.begin(compute(network)))[1]) == 1, "the turn was given back"


def test_ended_in_a_layer_that_is_longer_than_it_waits_to_be_asked_for(line, monkeypatch) -> None:
    """What ends must not rest: nobody would ask for it again."""
    monkeypatch.setattr(passing, "AWAY", 0.05)
    seen: list[float] = []
    network = torch.nn.Sequential(*(Slow(0.3, seen) for _ in range(3)))
    runs = Passing(network, line, 1)
    steps = runs.run(compute(network))
    next(steps)
    closing = threading.Thread(target=steps.close, daemon=True)
    closing.start()
    closing.join(5)
    assert not closing.is_alive()
    assert len(seen) <= 2
    runs.close()
