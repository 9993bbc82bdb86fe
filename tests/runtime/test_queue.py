"""`tl.queue.FIFOQueue`: order, effects in functions, threads, gradients, and what it refuses."""

from __future__ import annotations

import copy
import threading
from collections import deque
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treadle as tl
from treadle.graph.check import check

WAYS = pytest.mark.parametrize("way", [lambda f: f, tl.function], ids=["eager", "traced"])
STEPS = st.lists(st.sampled_from(["put", "take", "put two", "take two", "size"]), max_size=12)


def model(steps: list[str]) -> list[list[int]]:
    """The same, with Python's deque."""
    items, found, n = deque[int](), [], 0
    for step in steps:
        if step.startswith("put"):
            count = 2 if step == "put two" else 1
            items.extend(range(n, n + count))
            n += count
        elif step == "size":
            found.append([len(items)])
        else:
            count = 2 if step == "take two" else 1
            found.append([items.popleft() for _ in range(min(count, len(items)))])
    return found


@settings(max_examples=40, deadline=None)
@given(STEPS, st.booleans())
def test_as_a_deque(steps: list[str], traced: bool) -> None:
    want = model(steps)
    counts = [len(w) for s, w in zip([s for s in steps if s[:3] != "put"], want, strict=True)]
    q = tl.queue.FIFOQueue(100, [tl.int32], shapes=[[]])

    def run() -> list[Any]:
        found, n = [], 0
        sizes = iter(counts)
        for step in steps:
            if step == "put":
                q.enqueue(n)
                n += 1
            elif step == "put two":
                q.enqueue_many([tl.constant([n, n + 1])])
                n += 2
            elif step == "size":
                found.append([q.size()])
                next(sizes)
            else:
                found.append([q.dequeue() for _ in range(next(sizes))])
        return found

    got = tl.nest.map_structure(lambda x: int(x), (tl.function(run) if traced else run)())
    assert got == want


@WAYS
def test_in_loops_and_branches(way: Any) -> None:
    q = tl.queue.FIFOQueue(10, [tl.float32, tl.int32], [[2], []], ["x", "n"])

    @way
    def fill(n: Any) -> Any:
        for i in tl.range(n):
            if i != 2:
                q.enqueue({"n": i, "x": tl.cast([i, -i], tl.float32)})
        return q.size()

    @way
    def drain() -> Any:
        total = tl.zeros([2])
        while q.size() > 1:
            item = q.dequeue()
            total = total + item["x"] * tl.cast(item["n"], tl.float32)
        return total, q.dequeue_many(1)

    assert fill(5).numpy() == 4
    total, rest = drain()
    np.testing.assert_array_equal(total, [10, -10])
    np.testing.assert_array_equal(rest["x"], [[4, -4]])
    assert (rest["n"].numpy().tolist(), q.size().numpy()) == ([4], 0)


@WAYS
def test_gradients_stop(way: Any) -> None:
    q, x = tl.queue.FIFOQueue(4, [tl.float32], shapes=[[]]), tl.Variable(3.0)
    told = []

    @way
    def run() -> Any:
        with tl.GradientTape() as tape:
            y = x * 2.0
            q.enqueue(y)
            z = q.dequeue() ** 2
        g = tape.gradient(z, x)
        told.append(tape.why_none(z, x))
        return z, g

    z, g = run()
    assert (z.numpy(), g) == (36.0, None)
    assert "the queue is changed at test_queue.py" in told[-1]


def test_text_and_check() -> None:
    q = tl.queue.FIFOQueue(4, tl.float32, shapes=[2])

    @tl.function
    def run(x: Any) -> Any:
        q.enqueue(x)
        return q.size(), q.dequeue(), q.is_closed()

    graph = run.get_concrete_function(tl.TensorSpec([2])).graph
    check(graph)
    text = str(graph)
    assert "queue<f32[2]>" in text
    assert str(tl.graph.parse(text)) == text


def test_threads_wait_for_each_other() -> None:
    q = tl.queue.FIFOQueue(2, [tl.int32])
    step = tl.function(lambda: q.dequeue())

    def produce() -> None:
        for i in range(50):
            q.enqueue(i)
        q.close()

    thread = threading.Thread(target=produce)
    thread.start()
    found = []

    def consume() -> None:
        while True:
            found.append(int(step()))

    with pytest.raises(tl.errors.OutOfRangeError, match="closed and has not enough elements"):
        consume()
    thread.join()
    assert found == list(range(50))


def test_closing() -> None:
    q = tl.queue.FIFOQueue(3, [tl.int32], [[]])
    q.enqueue_many([[1, 2, 3]])
    caught: list[Any] = []

    def waits() -> None:
        try:
            q.enqueue(4)
        except tl.errors.CancelledError as error:
            caught.append(str(error))

    thread = threading.Thread(target=waits)
    thread.start()
    q.close(cancel_pending_enqueues=True)
    thread.join()
    assert len(caught) == 1
    assert q.is_closed().numpy()
    with pytest.raises(tl.errors.CancelledError, match="the queue is closed"):
        q.enqueue(5)
    with pytest.raises(tl.errors.OutOfRangeError, match="4 are asked for, 3 are there"):
        q.dequeue_many(4)
    assert q.dequeue_up_to(5).numpy().tolist() == [1, 2, 3]
    with pytest.raises(tl.errors.OutOfRangeError):
        q.dequeue_up_to(1)


def test_what_is_refused() -> None:
    q = tl.queue.FIFOQueue(4, [tl.float32, tl.int32], [[2], []])
    free = tl.queue.FIFOQueue(4, [tl.float32])
    named = tl.queue.FIFOQueue(4, [tl.float32], names="a")
    for job, kind, message in [
        (lambda: q.enqueue([tl.ones([2])]), tl.errors.InvalidArgumentError, "has 2 tensors, 1 are"),
        (lambda: q.enqueue([tl.ones([3]), 1]), tl.errors.ShapeError, r"shape \(2,\), not \(3,\)"),
        (lambda: q.enqueue([tl.ones([2]), 1.5]), tl.errors.DTypeError, "1.5|int32"),
        (lambda: q.enqueue_many([1.0, [1]]), tl.errors.ShapeError, "has no rows to be elements"),
        (lambda: q.enqueue_many([tl.ones([3, 2]), [1]]), tl.errors.ShapeError, "numbers of rows"),
        (lambda: free.dequeue_many(2), tl.errors.ShapeError, "made with the shapes"),
        (lambda: q.dequeue_many(-1), tl.errors.InvalidArgumentError, "must not be negative"),
        (lambda: q.dequeue_many(1.5), tl.errors.DTypeError, "is an integer scalar"),
        (lambda: named.enqueue({"b": 1.0}), ValueError, r"names of an element are \['a'\]"),
        (lambda: named.enqueue(1.0), ValueError, "an element is a dict with the names"),
        (lambda: tl.queue.FIFOQueue(0, [tl.int32]), ValueError, "at least 1, not 0"),
        (lambda: tl.queue.FIFOQueue(1, [tl.int32], [[], []]), ValueError, "but 2 shapes"),
        (lambda: copy.deepcopy(q), TypeError, "a queue can't be copied"),
        (
            tl.function(lambda: tl.queue.FIFOQueue(1, [tl.int32]).size()),
            tl.errors.VariableCreationError,
            "Make it outside of the function",
        ),
    ]:
        with pytest.raises(kind, match=message):
            job()
    assert (q.names, q.name, q.dtypes, q.shapes) == (
        None,
        "fifo_queue",
        [tl.float32, tl.int32],
        [(2,), ()],
    )
