"""Traced functions that are called in a `try` of another: a handler sees what they have changed."""

from __future__ import annotations

from typing import Any

import treadle as tl


class Counter:
    n = 0


def made(decorate: Any) -> Any:
    counter, log = Counter(), []

    @decorate
    def work(x: Any) -> Any:
        if x > 0:
            counter.n += 1
        if x > 1:
            log.append(x)
        if x > 5:
            raise ValueError("too large")
        return x

    @decorate
    def caught(x: Any) -> Any:
        try:
            return work(x)
        except ValueError:
            return -counter.n

    @decorate
    def in_loop(x: Any) -> Any:
        total = 0
        for i in tl.range(x):
            try:
                total += work(i)
            except ValueError:
                total += 1000
            finally:
                total += counter.n * 10_000
        return total

    def run(x: int) -> Any:
        given = tl.constant(x)
        return int(caught(given)), int(in_loop(given)), int(counter.n), [int(v) for v in log]

    return run


def test_changes_before_what_is_caught() -> None:
    plain, traced = made(lambda f: f), made(tl.function)
    for x in (7, 1, 3, 9):
        assert traced(x) == plain(x)
