"""Functions that several threads call and trace at once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

import treadle as tl

c = tl.constant


def together(*work: Callable[[], Any]) -> list[Any]:
    """The results (or errors) of functions that start at the same moment, each in a thread."""
    start = threading.Barrier(len(work))
    results: list[Any] = [None] * len(work)

    def run(i: int) -> None:
        start.wait()
        try:
            results[i] = work[i]()
        except Exception as error:
            results[i] = error

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive(), "they block each other"
    return results


class Meeting:
    """Lets two threads wait for each other inside of traces, at most for a moment."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)

    def wait(self) -> None:
        try:
            self._barrier.wait(0.2)
        except threading.BrokenBarrierError:
            pass


def test_each_signature_is_traced_once() -> None:
    traces = []

    @tl.function
    def f(x: Any, k: int) -> Any:
        traces.append(k)
        return x * k

    work = [lambda n=n: [int(f(c(n), k)) for k in range(5)] for n in range(8)]
    assert together(*work) == [[n * k for k in range(5)] for n in range(8)]
    assert sorted(traces) == [0, 1, 2, 3, 4]


def test_a_variable_is_made_once() -> None:
    made: list[Any] = []

    @tl.function
    def f(x: Any) -> Any:
        if not made:
            made.append(tl.Variable(x))
        return made[0] * 10.0

    found = together(*[lambda: float(f(c(2.0)))] * 8)
    assert found == [20.0] * 8
    assert len(made) == 1


def test_one_traces_what_another_calls_in_its_own_trace() -> None:
    meeting = Meeting()
    traces = []

    @tl.function
    def inner(x: Any) -> Any:
        traces.append(1)
        meeting.wait()
        return x * 2

    @tl.function
    def outer(x: Any) -> Any:
        meeting.wait()
        return inner(x) + 1

    assert together(lambda: int(inner(c(3))), lambda: int(outer(c(3)))) == [6, 7]
    assert len(traces) == 1


def test_functions_that_call_each_other_do_not_block() -> None:
    meetings = [Meeting(), Meeting()]

    @tl.function
    def f(n: Any) -> Any:
        meetings[0].wait()
        if n <= 0:
            return c(0)
        return g(n - 1) + 1

    @tl.function
    def g(n: Any) -> Any:
        meetings[0].wait()
        if n <= 0:
            return c(0)
        return f(n - 1) + 1

    assert together(lambda: int(f(c(9))), lambda: int(g(c(8)))) == [9, 8]
    assert [int(f(c(3))), int(g(c(4)))] == [3, 4]


def test_an_error_in_one_thread_leaves_the_others_alone() -> None:
    @tl.function
    def f(x: Any, ok: bool) -> Any:
        if not ok:
            raise KeyError("on purpose")
        return tl.gather(c([1, 2]), x)

    found = together(
        *[lambda: int(f(c(1), True))] * 3, lambda: f(c(1), False), lambda: f(c(7), True)
    )
    assert found[:3] == [2, 2, 2]
    assert isinstance(found[3], KeyError)
    assert isinstance(found[4], IndexError)
    assert tl.executing_eagerly()


def test_a_trace_does_not_reach_into_other_threads() -> None:
    seen: list[Any] = []

    @tl.function
    def f(x: Any) -> Any:
        thread = threading.Thread(
            target=lambda: seen.extend([tl.executing_eagerly(), int(c(2) + 3)])
        )
        thread.start()
        thread.join()
        return x + 1

    assert f(c(1)).numpy() == 2
    assert seen == [True, 5]


def test_an_assignment_is_whole() -> None:
    """Reads never see half of a write, whatever the interleaving."""
    v = tl.Variable(tl.zeros([1000]))

    @tl.function
    def write(x: Any) -> Any:
        v.assign(tl.fill([1000], x))

    def reader() -> bool:
        return all(len(set(v.numpy().tolist())) == 1 for _ in range(100))

    writers = [lambda k=k: [write(c(float(k))) for _ in range(100)] for k in range(2)]
    assert together(*writers, reader, reader)[2:] == [True, True]


def test_random_numbers_are_drawn_once() -> None:
    """Threads share the stream: no number is given out twice."""
    tl.random.set_seed(1)
    draw = tl.function(lambda: tl.random.uniform([], maxval=2**31 - 1, dtype=tl.int32))
    found = together(*[lambda: [int(draw()) for _ in range(100)]] * 4)
    numbers = [n for part in found for n in part]
    assert len(numbers) == 400
    assert len(set(numbers)) > 395


def test_the_first_run_of_a_trace_in_several_threads() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        v = tl.Variable(3.0)
        for i in range(100):
            f = tl.function(lambda k=i: v + float(k))
            f.get_concrete_function()
            assert together(*[lambda f=f: float(f())] * 4) == [3.0 + i] * 4
    finally:
        sys.setswitchinterval(before)


@pytest.mark.parametrize("order", [0, 1])
def test_tapes_of_threads_are_apart(order: int) -> None:
    v = tl.Variable(3.0)
    f = tl.function(lambda x: v * x)

    def gradient(k: float) -> float:
        with tl.GradientTape() as tape:
            y = f(c(k)) * v
        return float(tape.gradient(y, v))

    assert together(*[lambda k=k: gradient(float(k)) for k in range(4)]) == [0.0, 6.0, 12.0, 18.0]
