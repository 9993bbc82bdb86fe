"""Keys of dicts and items of sets that only the run knows: what is refused, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from refusal import refused

import treadle as tl

THREE = tl.constant(3)


def test_item_of_a_set_that_only_the_run_knows() -> None:
    def f(x):
        seen = {None}
        for v in (x, x + 1):
            seen.add(int(v))
        return len(seen)

    assert refused(f, tl.errors.ConversionError, THREE) == (
        "a set gets a symbolic number as an item or key at :+3: seen.add(int(v)), of which only the "
        "run knows what it equals; how many items a set has must be known while tracing. Collect "
        "values in a list ('if v not in seen: seen.append(v)'), or use tl.unique"
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda v: {i + v for i in range(2)},
        lambda v: {v: 1},
        lambda v: {i + v: i for i in range(2)},
        lambda v: frozenset([v, 3]),
        lambda v: {1}.union([v]),
        lambda v: {1: [2]}.pop(v),
        lambda v: {1: 2}.setdefault((v, 1), 5),
        lambda v: {1: 2}.setdefault(v, [5]),
    ],
)
def test_key_that_only_the_run_knows(make: Callable[..., Any]) -> None:
    with pytest.raises(tl.errors.ConversionError, match=r"gets a .* as (a key|an item or key) at"):
        tl.function(lambda x: len([make(int(x))]))(THREE)


def test_new_key_that_only_the_run_knows() -> None:
    def f(x):
        counts = {1: [0]}
        counts[int(x)] = [5]
        return counts[1]

    assert tl.function(f)(tl.constant(1)) == [5]
    assert refused(f, KeyError, THREE) == repr(
        "a key that the dict does not have is assigned at :+2: counts[int(x)] = [5]: in a function that "
        "is traced a dict gets all its keys before; a list holds what comes later"
    )
