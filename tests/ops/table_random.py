"""The table of random ops, with Philox in plain Python as the oracle."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from ops.rows import Row
from ops.table_shaping import raw

import treadle as tl

SEED = np.array([5, -7])


def philox(key: int, counter: int) -> list[int]:
    """One block, word by word as in the paper."""
    c = [counter >> 32 * i & 0xFFFFFFFF for i in range(4)]
    k = [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [q >> 32 ^ c[1] ^ k[0], q & 0xFFFFFFFF, p >> 32 ^ c[3] ^ k[1], p & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def words(state: Any) -> Iterator[int]:
    low, high, key = (int(v) % 2**64 for v in state)
    counter = high << 64 | low
    while True:
        yield from philox(key, counter)
        counter = (counter + 1) % 2**128


def unit(bits: int) -> float:
    """A float32 in [0, 1) from the low 23 bits of a word."""
    (number,) = struct.unpack("<f", struct.pack("<I", bits & 0x7FFFFF | 0x3F800000))
    return float(number) - 1


def uniforms(state: Any) -> Any:
    source = words(state)
    return np.array([unit(next(source)) for _ in range(6)], np.float32).reshape(2, 3)


def pairs(source: Iterator[float]) -> Iterator[float]:
    while True:
        radius = math.sqrt(-2 * math.log(max(next(source), 1e-7)))
        angle = 2 * math.pi * next(source)
        yield math.sin(angle) * radius
        yield math.cos(angle) * radius


def normals(state: Any) -> Any:
    source = pairs(map(unit, words(state)))
    return np.array([next(source) for _ in range(5)], np.float32)


def truncated(state: Any) -> Any:
    """Each group of four starts 256 blocks after the one before."""
    kept: list[float] = []
    while len(kept) < 20:
        start = [int(state[0]) + len(kept) * 64, *state[1:]]
        source = pairs(map(unit, words(start)))
        kept += [x for _ in range(4) for x in [next(v for v in source if abs(v) < 2)]]
    return np.array(kept, np.float32)


def mixed(seed: Any) -> Any:
    a, b, c, d = philox(0x02461E293EC8F720, int(seed[0]) % 2**64 | int(seed[1]) % 2**64 << 64)
    return np.array([0, d << 32 | c, b << 32 | a], np.uint64).astype(np.int64)


def integers(state: Any) -> Any:
    source = words(state)
    return np.array([next(source) % 22 - 5 for _ in range(6)], np.int32)


def row(op: str, call: Callable[..., Any], oracle: Callable[..., Any], **more: Any) -> Row:
    more.setdefault("sample", lambda rng, dtype: [mixed(SEED)])
    return Row(op=op, call=call, oracle=oracle, kinds="f", smooth=False, wide=False, **more)


def drawn(kind: str, *shape: int) -> Callable[..., Any]:
    return raw("philox", kind=kind, shape=tl.TensorShape(shape), dtype=tl.float32)


ROWS = [
    row("philox_seed", raw("philox_seed"), mixed, sample=lambda rng, dtype: [SEED]),
    row("philox", drawn("uniform", 2, 3), uniforms, id="uniform"),
    row("philox", drawn("normal", 5), normals, id="normal", ulps=64),
    row("philox", drawn("truncated_normal", 20), truncated, id="truncated_normal", ulps=64),
    row(
        "philox_between",
        raw("philox_between", np.int32(-5), np.int32(17), shape=tl.TensorShape([6])),
        integers,
    ),
]
