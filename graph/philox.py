"""Philox 4x32-10: random words from a key and a counter, without state of their own.

Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. A block of
four 32-bit words follows from a 64-bit key and a 128-bit counter alone, so that any part of a
stream can be computed anywhere, by any backend, to the same bits. How words become numbers is
TensorFlow's way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .convert import Array

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
_LOW = 0xFFFFFFFF
_FEW = 16  # blocks that are quicker with Python's integers
_CHUNK = 4096  # blocks: what the rounds work on stays in the cache

# The key with which seeds are mixed, so that seeds that differ little give unlike streams.
_MIXING_KEY = 0x02461E293EC8F720


def blocks(xp: Any, key: int, counters: Array) -> Array:
    """The block of four words of each counter; `counters` has shape (n, 2): low, high uint64."""
    if len(counters) <= _FEW:
        rows = [_rounds([lo & _LOW, lo >> 32, hi & _LOW, hi >> 32], key)
                for lo, hi in counters.tolist()]  # fmt: skip
        return xp.array(rows, xp.uint32).reshape(-1, 4)  # type: ignore[no-any-return]
    out = xp.empty((len(counters), 4), xp.uint32)
    for start in range(0, len(counters), _CHUNK):
        part = counters[start : start + _CHUNK]
        low, high = part[:, 0], part[:, 1]
        words = [low & _LOW, low >> 32, high & _LOW, high >> 32]
        for i, word in enumerate(_rounds(words, key)):
            out[start : start + _CHUNK, i] = word
    return out  # type: ignore[no-any-return]


def _rounds(words: list[Any], key: int) -> list[Any]:
    """Ten rounds on 32-bit words, held in arrays of uint64 or in Python's integers."""
    a, b, c, d = words
    first, second = key & _LOW, key >> 32
    for _ in range(10):
        p = a * _MULTIPLIERS[0]
        q = c * _MULTIPLIERS[1]
        a, c = q >> 32, p >> 32
        a ^= b
        a ^= first
        c ^= d
        c ^= second
        q &= _LOW
        p &= _LOW
        b, d = q, p
        first = (first + _KEY_STEPS[0]) & _LOW
        second = (second + _KEY_STEPS[1]) & _LOW
    return [a, b, c, d]


def counters_from(xp: Any, counter: int, count: int, step: int = 1) -> Array:
    """`count` counters, `step` apart, from the 128-bit number `counter` on."""
    low = counter & 0xFFFFFFFFFFFFFFFF
    high = (counter >> 64) & 0xFFFFFFFFFFFFFFFF
    out = xp.empty((count, 2), xp.uint64)
    out[:, 0] = xp.arange(count, dtype=xp.uint64) * xp.uint64(step) + xp.uint64(low)
    out[:, 1] = xp.uint64(high)
    wrapped = out[:, 0] < xp.uint64(low)
    out[wrapped, 1] += xp.uint64(1)
    return out  # type: ignore[no-any-return]


def stream(xp: Any, state: Array, count: int) -> Array:
    """The first `count` words (uint32) after a state of three int64: counter low, high, key.

    Of several states, the rows of `state`, each gives its share of the words: whole blocks.
    """
    if state.ndim > 1:
        return _streams(xp, state, count // len(state) // 4)
    key, counter = key_and_counter(state)
    found = blocks(xp, key, counters_from(xp, counter, -(-count // 4)))
    return found.reshape(-1)[:count]


def _streams(xp: Any, states: Array, each: int) -> Array:
    """The words of `each` blocks after each state."""
    words = states.astype(np.int64).view(np.uint64)
    counters = xp.empty((len(words), each, 2), xp.uint64)
    counters[:, :, 0] = words[:, :1] + xp.arange(each, dtype=xp.uint64)
    counters[:, :, 1] = words[:, 1:2] + (counters[:, :, 0] < words[:, :1])
    keys = [int(key) for key in words[:, 2]]
    if len(set(keys)) == 1:
        return blocks(xp, keys[0], counters.reshape(-1, 2)).reshape(-1)
    found = [blocks(xp, key, rows) for key, rows in zip(keys, counters, strict=True)]
    return xp.concatenate(found).reshape(-1)  # type: ignore[no-any-return]


def key_and_counter(state: Array) -> tuple[int, int]:
    low, high, key = (int(v) & 0xFFFFFFFFFFFFFFFF for v in state)
    return key, high << 64 | low


def state_of(key: int, counter: int) -> Array:
    """The three int64 that hold a key and a counter."""
    words = [counter & 0xFFFFFFFFFFFFFFFF, (counter >> 64) & 0xFFFFFFFFFFFFFFFF, key]
    return np.array(words, np.uint64).astype(np.int64)


def advanced(state: Array, blocks_used: int) -> Array:
    """The state after `blocks_used` blocks."""
    key, counter = key_and_counter(state)
    return state_of(key, (counter + blocks_used) % (1 << 128))


def mixed(seed: Array) -> Array:
    """The state of a stateless seed of two integers: key and start of the counter are mixed."""
    counter = np.array([[int(v) & 0xFFFFFFFFFFFFFFFF for v in seed]], np.uint64)
    a, b, c, d = (int(w) for w in blocks(np, _MIXING_KEY, counter)[0])
    return state_of(b << 32 | a, (d << 32 | c) << 64)


# --- numbers from words ------------------------------------------------------------


def uniform(xp: Any, state: Array, count: int, dtype: Any) -> Array:
    """`count` numbers in [0, 1): the bits of a float in [1, 2), less 1."""
    dtype = np.dtype(dtype)
    return _uniform(xp, stream(xp, state, count * (2 if dtype == np.float64 else 1)), dtype)


def _uniform(xp: Any, words: Array, dtype: Any) -> Array:
    if dtype == np.float16:
        bits = (words & 0x3FF).astype(xp.uint16) | xp.uint16(15 << 10)
        return bits.view(xp.float16) - xp.float16(1)  # type: ignore[no-any-return]
    if dtype == np.float32:
        bits = (words & 0x7FFFFF) | xp.uint32(127 << 23)
        return bits.view(xp.float32) - xp.float32(1)  # type: ignore[no-any-return]
    pairs = words.reshape(-1, 2).astype(xp.uint64)
    bits = ((pairs[:, 0] & 0xFFFFF) << 32) | pairs[:, 1] | xp.uint64(1023 << 52)
    return bits.view(xp.float64) - 1.0  # type: ignore[no-any-return]


def integers(xp: Any, state: Array, count: int, dtype: Any) -> Array:
    """`count` integers of all bits random."""
    size = np.dtype(dtype).itemsize
    words = stream(xp, state, count * (2 if size == 8 else 1))
    if size == 8:
        pairs = words.reshape(-1, 2).astype(xp.uint64)
        words = pairs[:, 0] | (pairs[:, 1] << 32)
    return words.astype(f"u{size}").view(dtype)


def integers_between(xp: Any, state: Array, count: int, low: int, high: int, dtype: Any) -> Array:
    """`count` integers in [low, high), as remainders of random ones."""
    unsigned = f"u{np.dtype(dtype).itemsize}"
    found = integers(xp, state, count, unsigned)
    below = np.dtype(unsigned).type(low % (1 << 8 * found.dtype.itemsize))
    inside: Array = found % np.dtype(unsigned).type(high - low) + below
    return inside.view(dtype)


def normal(xp: Any, state: Array, count: int, dtype: Any) -> Array:
    """`count` numbers of the standard normal distribution, by Box and Muller."""
    work = np.dtype(np.float64 if dtype == np.float64 else np.float32)
    even = count + count % 2
    words = stream(xp, state, even * (2 if work == np.float64 else 1))
    numbers: Array = _box_muller(xp, _uniform(xp, words, work)).reshape(-1)[:count].astype(dtype)
    return numbers


def _box_muller(xp: Any, uniforms: Array) -> Array:
    """Pairs of normal numbers from pairs of uniform ones."""
    pairs = uniforms.reshape(-1, 2)
    number = pairs.dtype.type
    radius = xp.sqrt(number(-2) * xp.log(xp.maximum(pairs[:, 0], number(1e-7))))
    angle = number(2 * np.pi) * pairs[:, 1]
    return xp.stack([xp.sin(angle) * radius, xp.cos(angle) * radius], 1)  # type: ignore[no-any-return]


def truncated_normal(xp: Any, state: Array, count: int, dtype: Any) -> Array:
    """`count` normal numbers of absolute value below 2: others are drawn anew.

    Each group of four (two of float64) has 256 blocks for each word it needs to draw from, so that
    groups do not wait for each other.
    """
    work = np.dtype(np.float64 if dtype == np.float64 else np.float32)
    width = 2 if work == np.float64 else 4
    groups = -(-count // width)
    key, counter = key_and_counter(state)
    counters = counters_from(xp, counter, groups, width * 64)
    out = xp.zeros((groups, width), work)
    filled = xp.zeros(groups, xp.int64)
    left = xp.arange(groups)
    for draw in range(width * 64):
        at = counters[left]
        at[:, 0] += xp.uint64(draw)
        at[at[:, 0] < xp.uint64(draw), 1] += xp.uint64(1)
        words = blocks(xp, key, at)
        numbers = _box_muller(xp, _uniform(xp, words.reshape(-1), work)).reshape(len(left), width)
        for i in range(width):
            fits = (xp.abs(numbers[:, i]) < 2) & (filled[left] < width)
            rows = left[fits]
            out[rows, filled[rows]] = numbers[fits, i]
            filled[rows] += 1
        left = left[filled[left] < width]
        if not len(left):
            break
    return out.reshape(-1)[:count].astype(dtype)  # type: ignore[no-any-return]
