"""Random chains of transformations against the same on Python lists, eagerly and in a function."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, takewhile
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

import treadle as tl

Dataset = tl.data.Dataset
Step = tuple[str, Callable[[Any], Any], Callable[[list[int]], list[int]]]


def chunks(xs: list[int], n: int, drop: bool = False) -> list[list[int]]:
    found = [xs[i : i + n] for i in range(0, len(xs), n)]
    return [c for c in found if len(c) == n] if drop else found


def windows(xs: list[int], size: int, shift: int, stride: int, drop: bool) -> list[list[int]]:
    found = [xs[i : i + (size - 1) * stride + 1 : stride] for i in range(0, len(xs), shift)]
    return [w for w in found if len(w) == size] if drop else found


def step(kind: str, n: int, m: int, flag: bool) -> Step:
    """A name, what it is of a dataset, and what it is of a list."""
    steps: dict[str, tuple[Callable[[Any], Any], Callable[[list[int]], list[int]]]] = {
        "map": (lambda d: d.map(lambda x: x * n + m), lambda xs: [x * n + m for x in xs]),
        "filter": (
            lambda d: d.filter(lambda x: x % n != 0),
            lambda xs: [x for x in xs if x % n != 0],
        ),
        "take": (lambda d: d.take(n * m), lambda xs: xs[: n * m]),
        "skip": (lambda d: d.skip(m), lambda xs: xs[m:]),
        "repeat": (lambda d: d.repeat(m), lambda xs: xs * m),
        "shard": (lambda d: d.shard(n, n - 1), lambda xs: xs[n - 1 :: n]),
        "batch": (
            lambda d: d.batch(n, drop_remainder=flag).map(tl.reduce_sum),
            lambda xs: [sum(c) for c in chunks(xs, n, flag)],
        ),
        "unbatch": (lambda d: d.batch(n).unbatch(), lambda xs: xs),
        "enumerate": (
            lambda d: d.enumerate(m).map(lambda i, x: i - x),
            lambda xs: [i - x for i, x in enumerate(xs, m)],
        ),
        "concatenate": (lambda d: d.concatenate(d.take(n)), lambda xs: xs + xs[:n]),
        "zip": (
            lambda d: Dataset.zip(d, d.skip(m)).map(lambda a, b: a + 2 * b),
            lambda xs: [a + 2 * b for a, b in zip(xs, xs[m:], strict=False)],
        ),
        "flat_map": (
            lambda d: d.flat_map(lambda x: Dataset.range(x % n)),
            lambda xs: [i for x in xs for i in range(x % n)],
        ),
        "window": (
            lambda d: d.window(n, m + 1, 2, flag).flat_map(lambda w: w),
            lambda xs: [x for w in windows(xs, n, m + 1, 2, flag) for x in w],
        ),
        "take_while": (
            lambda d: d.take_while(lambda x: x < 5 * n),
            lambda xs: [*takewhile(lambda x: x < 5 * n, xs)],
        ),
        "scan": (
            lambda d: d.scan(tl.constant(0, tl.int64), lambda s, x: (s + x, s + x)),
            lambda xs: [*accumulate(xs)],
        ),
        "cache": (lambda d: d.cache(), lambda xs: xs),
    }
    return (kind, *steps[kind])


KINDS = [
    *("map", "filter", "take", "skip", "repeat", "shard", "batch", "unbatch", "enumerate"),
    *("concatenate", "zip", "flat_map", "window", "take_while", "scan", "cache"),
]
STEPS = st.builds(step, st.sampled_from(KINDS), st.integers(1, 4), st.integers(0, 3), st.booleans())


@tl.function
def folded(ds: Any) -> Any:
    count, total = 0, tl.constant(0, tl.int64)
    for x in ds:
        total = total * 3 + x
        count += 1
    return count, total


@given(st.integers(0, 12), st.lists(STEPS, max_size=4))
@example(5, [step("window", 3, 0, True), step("repeat", 1, 2, False)])
def test_pipelines(size: int, steps: list[Step]) -> None:
    ds, expected = Dataset.range(size), [*range(size)]
    for _, of_dataset, of_list in steps:
        ds, expected = of_dataset(ds), of_list(expected)
        if len(expected) > 200:
            ds, expected = ds.take(200), expected[:200]
    assert [int(x) for x in ds] == expected
    assert [int(x) for x in ds.as_numpy_iterator()] == expected  # anew
    if int(ds.cardinality()) >= 0:
        assert len(ds) == len(expected)
    count, total = folded(ds)
    want = 0
    for x in expected:
        want = want * 3 + x
    assert (int(count), (int(total) - want) % 2**64) == (len(expected), 0)
