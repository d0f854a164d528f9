"""Memory that both processes see, made by the parent; only Linux seals it against shrinking.

Were it not sealed, the other process could cut it off and so end the user's. Where it cannot be
sealed, arrays go through the pipe.
"""

from __future__ import annotations

import mmap
import os
import sys


class SharedBlock:
    """Bytes in a file without a name.

    Parameters
    ----------
    size : int
        Bytes; memory is taken when it is first written.
    """

    def __init__(self, size: int) -> None:
        import fcntl

        self.size = size
        self.descriptor = os.memfd_create("tile", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.descriptor, size)
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, seals)
        self.memory = mmap.mmap(self.descriptor, size)

    def close(self) -> None:
        """Let go of it."""
        self.memory.close()
        os.close(self.descriptor)


def can_share() -> bool:
    """Return whether this system seals shared memory."""
    return sys.platform.startswith("linux") and hasattr(os, "memfd_create")
