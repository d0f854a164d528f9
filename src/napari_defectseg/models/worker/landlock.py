"""Landlock of Linux by its three system calls: this process may then read a few places only.

It needs no rights and no package, and cannot be undone. It holds for the calling thread and
what it starts afterwards, so it is called before any library starts threads.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

CREATE, ADD, RESTRICT = 444, 445, 446
VERSION = 1
NO_NEW_PRIVILEGES = 38
RULE_PATH = 1

READ_FILE, WRITE_FILE, READ_DIR, CONTROL = 1 << 2, 1 << 1, 1 << 3, 1 << 15
CONTROL_FROM = 5
RIGHTS = ((1, 13), (2, 14), (3, 15), (5, 16))
"""Version of Landlock, and how many rights over files it knows."""
NET_FROM, SCOPES_FROM = 4, 6
BIND_AND_CONNECT, SOCKETS_AND_SIGNALS = 3, 3


def version() -> int:
    """Return the version of Landlock that this kernel offers, 0 where it has none."""
    if not sys.platform.startswith("linux"):
        return 0
    known = _libc().syscall(CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION))
    return max(0, int(known))


def restrict(
    readable: Iterable[str], writable: Iterable[str] = (), devices: Iterable[str] = ()
) -> int:
    """Let this thread, and all that it starts, read some places and nothing else.

    Nothing can be written, made, removed or executed; no TCP connection can be made where the
    kernel's version knows the network.

    Parameters
    ----------
    readable : iterable of str
        Folders and files; those that do not exist are left out.
    writable : iterable of str
        Files such as ``/dev/null``.
    devices : iterable of str
        Files of devices that may be controlled, too.

    Returns
    -------
    int
        Version of Landlock that holds now; 0: the kernel has none, nothing was restricted.

    Raises
    ------
    OSError
        If the kernel refuses.
    """
    known = version()
    if not known:
        return 0
    count = max(rights for since, rights in RIGHTS if since <= known)
    fields = [(1 << count) - 1]
    fields += [BIND_AND_CONNECT if known >= NET_FROM else 0] if known >= NET_FROM else []
    fields += [SOCKETS_AND_SIGNALS] if known >= SCOPES_FROM else []
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    rules = _checked(_libc().syscall(CREATE, attributes, ctypes.c_size_t(len(attributes)), 0))
    try:
        for path in readable:
            _allow(rules, path, READ_FILE | READ_DIR)
        for path in writable:
            _allow(rules, path, READ_FILE | WRITE_FILE)
        control = CONTROL if known >= CONTROL_FROM else 0
        for path in devices:
            _allow(rules, path, READ_FILE | WRITE_FILE | READ_DIR | control)
        _checked(_libc().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        _checked(_libc().syscall(RESTRICT, rules, 0))
    finally:
        os.close(rules)
    return known


def _allow(rules: int, path: str, access: int) -> None:
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not Path(path).is_dir():
                access &= ~READ_DIR
            rule = struct.pack("=Qi", access, place)
            _checked(_libc().syscall(ADD, rules, RULE_PATH, rule, 0))
        finally:
            os.close(place)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
