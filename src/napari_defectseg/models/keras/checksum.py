"""CRC-32C (Castagnoli) as TensorFlow masks it, fast enough for tensors of many megabytes."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]

POLYNOMIAL = 0x82F63B78
LANES = 2048
SHORT = 8 * LANES


def masked_crc(data: bytes) -> int:
    """Return the checksum that stands in tables and entries of a checkpoint."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of bytes.

    Long ones are cut into lanes of equal length that are computed side by side; the lanes are
    joined by the linear map that stands for the zeros behind each.
    """
    whole = len(data) - len(data) % LANES if len(data) >= SHORT else 0
    crc = 0xFFFFFFFF
    if whole:
        lanes = np.frombuffer(data, np.uint8, whole).reshape(LANES, -1)
        table = _table()
        crcs = np.zeros(LANES, np.uint32)
        for column in lanes.T:
            crcs = table[(crcs ^ column) & 0xFF] ^ (crcs >> np.uint32(8))
        shift = _zeros_behind(lanes.shape[1])
        for one in crcs.tolist():
            crc = _moved(crc, shift) ^ one
    plain = _table().tolist()
    for byte in data[whole:]:
        crc = plain[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


@cache
def _table() -> Array:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, np.uint32(POLYNOMIAL) ^ (table >> 1), table >> 1)
    return table.astype(np.uint32)


def _zeros_behind(count: int) -> list[int]:
    """Return what each bit of a checksum becomes after so many bytes of zero."""
    table = _table().tolist()
    step = [table[(1 << bit) & 0xFF] ^ ((1 << bit) >> 8) for bit in range(32)]
    result = [1 << bit for bit in range(32)]
    while count:
        if count & 1:
            result = [_moved(value, step) for value in result]
        step = [_moved(value, step) for value in step]
        count >>= 1
    return result


def _moved(value: int, columns: list[int]) -> int:
    result = 0
    for bit in range(32):
        if value >> bit & 1:
            result ^= columns[bit]
    return result
