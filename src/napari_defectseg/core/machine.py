"""What this machine has."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def machine_memory() -> int:
    """Return the bytes of memory that this process can have at all."""
    limits = [_physical()]
    for name in _CGROUPS:
        path = Path(name)
        if path.is_file():
            text = path.read_text().strip()
            if text.isdigit():
                limits.append(int(text))
    return min(limits)


def _physical() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        import psutil  # type: ignore[import-untyped]

        return int(psutil.virtual_memory().total)
