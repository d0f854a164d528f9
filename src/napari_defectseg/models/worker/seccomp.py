"""A list of system calls that this process may not make any more (Linux, 64-bit Intel and ARM).

Landlock knows neither datagrams nor changes of rights and times, and lets a process start
others; these calls fail with "not permitted" from here on.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys

NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
CLONE_THREAD = 0x00010000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16

INTEL = {
    "socket": 41, "connect": 42, "bind": 49, "listen": 50, "socketpair": 53, "fork": 57,
    "vfork": 58, "execve": 59, "kill": 62, "msgget": 68, "shmget": 29, "chmod": 90,
    "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "ptrace": 101, "utime": 132,
    "pivot_root": 155, "mount": 165, "umount2": 166, "init_module": 175, "setxattr": 188,
    "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198,
    "fremovexattr": 199, "tkill": 200, "utimes": 235, "kexec_load": 246, "add_key": 248,
    "request_key": 249, "keyctl": 250, "fchownat": 260, "futimesat": 261, "fchmodat": 268,
    "unshare": 272, "utimensat": 280, "perf_event_open": 298, "open_by_handle_at": 304,
    "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "finit_module": 313,
    "bpf": 321, "execveat": 322, "userfaultfd": 323,
}  # fmt: skip
ARM = {
    "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15,
    "fremovexattr": 16, "umount2": 39, "mount": 40, "pivot_root": 41, "fchmod": 52,
    "fchmodat": 53, "fchownat": 54, "fchown": 55, "utimensat": 88, "unshare": 97,
    "kexec_load": 104, "init_module": 105, "ptrace": 117, "kill": 129, "tkill": 130,
    "msgget": 186, "shmget": 194, "socket": 198, "socketpair": 199, "bind": 200,
    "listen": 201, "connect": 203, "add_key": 217, "request_key": 218, "keyctl": 219,
    "execve": 221, "perf_event_open": 241, "open_by_handle_at": 265, "setns": 268,
    "process_vm_readv": 270, "process_vm_writev": 271, "finit_module": 273, "bpf": 280,
    "execveat": 281, "userfaultfd": 282,
}  # fmt: skip
BOTH = {"pidfd_send_signal": 424, "io_uring_setup": 425, "pidfd_open": 434, "pidfd_getfd": 438,
        "fchmodat2": 452}  # fmt: skip
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435
MACHINES = {"x86_64": (0xC000003E, INTEL), "aarch64": (0xC00000B7, ARM)}
OTHER_NUMBERS = 0x40000000
"""Where the numbers of the second set of calls of Intel begin (x32)."""


def possible() -> bool:
    """Return whether this is a machine whose system calls are known here."""
    known = platform.machine() in MACHINES and sys.maxsize > 2**33
    return sys.platform.startswith("linux") and known


def deny() -> bool:
    """Forbid the calls to this thread and all that it starts; false where that is not possible."""
    if not possible():
        return False
    code = _program(platform.machine())
    buffer = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("@HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return False
    return bool(libc.prctl(SET_SECCOMP, FILTER, head, 0, 0) == 0)


def _program(machine: str) -> bytes:
    """Return the filter: threads may be started, processes may not."""
    architecture, table = MACHINES[machine]
    numbers = sorted({*table.values(), *BOTH.values()})
    # From the end: allow, deny, "no such call" (the C library then asks for a thread by clone).
    tests = [("equal", n, "deny") for n in numbers]
    tests += [("at least", OTHER_NUMBERS, "deny"), ("equal", CLONE3, "none")]
    length = 3 + len(tests) + 3
    ends = {"allow": length, "deny": length + 1, "none": length + 2}
    code = [
        _step(LOAD, ARCHITECTURE),
        _step(EQUAL, architecture, 0, ends["deny"] - 2),
        _step(LOAD, NUMBER),
    ]
    for kind, number, end in tests:
        code.append(_step(EQUAL if kind == "equal" else AT_LEAST, number,
                          ends[end] - len(code) - 1, 0))  # fmt: skip
    code.append(_step(EQUAL, CLONE[machine], 0, ends["allow"] - len(code) - 1))
    code.append(_step(LOAD, FIRST_ARGUMENT))
    code.append(
        _step(ANY_BIT, CLONE_THREAD, ends["allow"] - len(code) - 1, ends["deny"] - len(code) - 1)
    )
    code += [_step(RETURN, ALLOW), _step(RETURN, FAIL | errno.EPERM)]
    code.append(_step(RETURN, FAIL | errno.ENOSYS))
    return b"".join(code)


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)
