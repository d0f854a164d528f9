"""What the worker process takes from itself before it imports anything large."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from napari_defectseg.models.worker import landlock, seccomp

MACHINE = (
    "/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/nix/store",
    "/proc/cpuinfo", "/proc/meminfo", "/proc/self", "/sys/devices/system", "/sys/fs/cgroup",
    "/dev/urandom",
)  # fmt: skip
"""What libraries look at on every Linux."""
WRITABLE = ("/dev/null",)
OPEN_FILES = 256
GRAPHICS_READ = ("/proc", "/sys", "/usr/local", "/opt", "/etc/nvidia", "/run/nvidia-persistenced")
GRAPHICS_DEVICES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia-caps",
                    *(f"nvidia{n}" for n in range(16)))  # fmt: skip
"""What the driver of an NVIDIA card looks at, and its files in /dev (not measured)."""
GRAPHICS_FILES = 4096


def confine(readable: Iterable[str], memory: int, *, graphics: bool = False) -> tuple[int, bool]:
    """Take away files, network, other processes and memory beyond a limit.

    Parameters
    ----------
    readable : iterable of str
        Where the model, Python and its packages lie.
    memory : int
        Bytes of address space; 0: no limit.
    graphics : bool
        Whether it may use a graphics card: then address space has no limit, for the driver takes
        as much of it as the card and the machine have memory.

    Returns
    -------
    int
        Version of Landlock that holds, 0 if none does.
    bool
        Whether the list of forbidden calls holds.
    """
    limit(0 if graphics else memory, GRAPHICS_FILES if graphics else OPEN_FILES)
    seen = (*MACHINE, *readable, *(GRAPHICS_READ if graphics else ()))
    cards = tuple(f"/dev/{name}" for name in GRAPHICS_DEVICES) if graphics else ()
    known = 0
    with suppress(OSError):  # a kernel without it, or a container that forbids it
        known = landlock.restrict(seen, WRITABLE, cards)
    return known, seccomp.deny()


def limit(memory: int, files: int = OPEN_FILES) -> None:
    """Limit memory, open files and the size of files; the first to go when memory is short."""
    try:
        import resource
    except ImportError:  # Windows has none
        return
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: files,
        **({resource.RLIMIT_AS: memory} if memory and sys.platform != "darwin" else {}),
    }
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    for kind, most in wanted.items():
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))


def confinement_here() -> str:
    """Return what would keep a model's process from the rest of this machine."""
    return sentence(landlock.version(), seccomp.possible())


def sentence(known: int, calls: bool) -> str:
    """Return what keeps the process from the rest of the machine."""
    if not known and not calls:
        return (
            "It runs in a process of its own, which is not confined on this system: it can read "
            "and change what you can."
        )
    if not known:
        return (
            "It runs in a process of its own without network and other programs; this system has "
            "no Landlock, so it can read and change files that you can."
        )
    net = "no network" if calls else "no TCP network" if known >= landlock.NET_FROM else "network"
    return (
        f"It runs confined in a process of its own: it reads its own file and the libraries, "
        f"writes nothing, {'and has' if net != 'network' else 'but has'} {net}."
    )
