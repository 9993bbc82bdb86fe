"""`py_function` and `numpy_function`: Python code that the program calls when it runs."""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl
from treadle.graph import parse, same_graph, to_text

c = tl.constant
SCALAR = tl.TensorSpec([], tl.float32)


def square(x: Any) -> Any:
    return x * x


def both(f: Callable[..., Any], *args: Any) -> list[Any]:
    return [f(*args), tl.function(f)(*args)]


def same(found: Any, want: Any) -> None:
    if isinstance(found, tl.Tensor):
        np.testing.assert_array_equal(found.numpy(), want)
        return
    assert type(found) is type(want)
    for x, y in zip(tl.nest.flatten(found), tl.nest.flatten(want), strict=True):
        np.testing.assert_array_equal(np.asarray(x), y)


# --- what it is called with and gives ------------------------------------------------


@pytest.mark.parametrize(
    ("func", "inp", "wanted", "result"),
    [
        (square, [3.0], tl.float32, 9.0),
        (square, [3.0], [tl.float32], [9.0]),
        (lambda x: 2, [1.0], tl.float32, 2.0),
        (lambda x: [x, 2], [1.0], (tl.float32, tl.int32), (1.0, 2)),
        (lambda x, y: {"a": x, "b": (y, y)}, [1, 2], {"a": "int32", "b": ("int32", "int32")},
         {"a": 1, "b": (2, 2)}),
        (lambda d: d["p"] + d["q"][0], [{"p": 1.0, "q": [2.0]}], SCALAR, 3.0),
        (lambda x: np.array([1.5, 2.5]), [1.0], tl.TensorSpec([2], tl.float64), [1.5, 2.5]),
        (lambda x: [1.0, 2.0], [1.0], tl.float32, [1.0, 2.0]),
        (lambda: "text", [], tl.string, b"text"),
        (lambda x: print("side"), [1.0], [], []),
        (lambda x: 5, [1.0], None, None),
        (lambda v: v + 1.0, [tl.Variable(2.0)], tl.float32, 3.0),
    ],
)  # fmt: skip
def test_structures(func: Any, inp: Any, wanted: Any, result: Any) -> None:
    for found in both(lambda: tl.py_function(func, inp, wanted)):
        same(found, result)


def test_it_runs_eagerly_at_each_run_and_python_not_while_tracing() -> None:
    seen: list[Any] = []

    def look(x: Any) -> None:
        seen.append((tl.executing_eagerly(), type(x.numpy()), float(x)))
        if x > 1:  # a truth value, since it runs eagerly
            seen.append("large")

    f = tl.function(lambda x: tl.py_function(look, [x], []))
    f.get_concrete_function(SCALAR)
    assert seen == []
    for x in (1.0, 2.0, 1.0):
        f(c(x))
    one = (True, np.float32, 1.0)
    assert seen == [one, (True, np.float32, 2.0), "large", one]


def test_numpy_function_takes_and_gives_arrays_of_its_own() -> None:
    kept = np.zeros(2, np.float32)

    def f(x: Any) -> Any:
        assert type(x) is np.ndarray
        x += 1  # may write to its arguments
        kept[:] = x
        return kept

    x = c([1.0, 2.0])
    for result in both(lambda x: tl.numpy_function(f, [x], tl.float32), x):
        kept[:] = 7
        assert result.numpy().tolist() == [2.0, 3.0]
    assert x.numpy().tolist() == [1.0, 2.0]


def test_decorators() -> None:
    @tl.py_function(Tout=tl.float32)
    def add(x: Any, y: Any) -> Any:
        """Adds."""
        return x + y

    @tl.numpy_function(Tout=tl.int64, stateful=False)
    def count(x: Any) -> Any:
        return np.int64(x.size)

    assert (add.__name__, add.__doc__) == ("add", "Adds.")
    for found in both(lambda: (add(1.0, 2.0), count([1, 2, 3]))):
        same(found, (3.0, 3))


def test_stateless_calls_may_be_merged_and_left_out() -> None:
    calls: list[Any] = []

    def f(x: Any) -> Any:
        calls.append(x.tolist())
        return x

    @tl.function
    def g(x: Any) -> Any:
        one, two = (tl.numpy_function(f, [x], tl.int32, stateful=False) for _ in range(2))
        return one + two

    assert g(c(4)).numpy() == 8
    assert len(calls) <= 2
    same(tl.numpy_function(f, [c(1)], tl.int32, stateful=False), 1)


# --- order ---------------------------------------------------------------------------


def test_it_keeps_its_place_among_output_and_variables() -> None:
    stream = io.StringIO()
    v, w = tl.Variable(1.0), tl.Variable(0.0)

    def step(x: Any) -> Any:
        stream.write(f"python {float(v)}\n")
        w.assign(v * 10.0)
        v.assign_add(1.0)
        return x + w

    def f(x: Any) -> Any:
        v.assign(x)
        tl.print("before", v, output_stream=stream)
        y = tl.py_function(step, [x], SCALAR)
        tl.print("after", v, output_stream=stream)
        v.assign(v * 2.0)
        for _ in tl.range(2):
            if v > 3.0:
                y += tl.py_function(step, [x], SCALAR)
        return y, v + 0.0, w + 0.0

    for result in both(f, c(1.0)):
        assert [t.numpy() for t in result] == [11.0 + 41.0 + 51.0, 6.0, 50.0]
    lines = ["before 1", "python 1.0", "after 2", "python 4.0", "python 5.0"]
    assert stream.getvalue().splitlines() == lines * 2


def test_it_is_not_left_out_merged_or_computed_while_tracing() -> None:
    calls: list[int] = []

    @tl.function
    def f() -> Any:
        for _ in range(3):
            tl.py_function(lambda: calls.append(1), [], [])
        unused = tl.py_function(lambda: calls.append(2) or 1.0, [], tl.float32)
        del unused
        return c(1)

    f.get_concrete_function()
    assert calls == []
    f()
    assert calls == [1, 1, 1, 2]


# --- gradients -----------------------------------------------------------------------


def cube(x: Any) -> Any:
    return x * x * x


def test_gradients_of_every_order() -> None:
    def f(x: Any) -> Any:
        with tl.GradientTape() as third:
            third.watch(x)
            with tl.GradientTape() as second:
                second.watch(x)
                with tl.GradientTape() as first:
                    first.watch(x)
                    y = tl.py_function(cube, [x], SCALAR)
                dy = first.gradient(y, x)
            ddy = second.gradient(dy, x)
        return y, dy, ddy, third.gradient(ddy, x)

    for result in both(f, c(2.0)):
        assert [t.numpy() for t in result] == [8.0, 12.0, 12.0, 6.0]


def test_gradients_of_several_inputs_and_results() -> None:
    def g(a: Any, n: Any, b: Any) -> Any:
        return a * b, n, tl.stop_gradient(a)

    def f(a: Any, b: Any) -> Any:
        with tl.GradientTape(persistent=True) as tape:
            tape.watch([a, b])
            p, n, q = tl.py_function(g, [a, 3, b], [SCALAR, tl.int32, SCALAR])
            y = p * p
        return tape.gradient(y, [a, b]), n, tape.gradient(q, a)

    for (da, db), n, dq in both(f, c(2.0), c(3.0)):
        assert [t.numpy() for t in (da, db, n, dq)] == [36.0, 24.0, 3, 0.0]


def test_gradients_through_branches_loops_and_calls() -> None:
    inner = tl.function(lambda x: tl.py_function(square, [x], SCALAR))

    def f(x: Any, n: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = x
            for i in tl.range(n):
                if i % 2 == 0:
                    y = tl.py_function(square, [y], SCALAR)
                else:
                    y = inner(y) * 0.5
        return tape.gradient(y, x)

    for result in both(f, c(1.5), c(3)):
        assert result.numpy() == pytest.approx(0.25 * 8 * 1.5**7)
    assert tl.function(f)(c(2.0), c(0)).numpy() == 1.0
    x = c(3.0)
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = inner(x)
    assert tape.gradient(y, x).numpy() == 6.0


def test_gradients_flow_through_inputs_only() -> None:
    """As in TensorFlow 2.21: a variable that func itself reads counts as a constant."""
    v = tl.Variable(2.0)

    def f(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = tl.py_function(lambda x: x * v, [x], SCALAR)
        one = tape.gradient(y, [x, v])
        with tl.GradientTape() as tape:
            y = tl.py_function(lambda x, w: x * w, [x, v], SCALAR)
        other = tape.gradient(y, v)
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = tl.numpy_function(lambda x: x * x, [x], tl.float32)
        return one, other, tape.gradient(y, x)

    for (dx, dv), dw, none in both(f, c(3.0)):
        assert (dx.numpy(), dv, dw.numpy(), none) == (2.0, None, 3.0, None)


# --- errors --------------------------------------------------------------------------


def failure(kind: type[Exception], f: Callable[..., Any], *args: Any) -> list[Exception]:
    found: list[Exception] = []
    for run in (f, tl.function(f)):
        with pytest.raises(kind) as caught:
            run(*args)
        found.append(caught.value)
    return found


def test_an_exception_passes_through_as_itself() -> None:
    class Mine(Exception):
        pass

    mine = Mine("the message")

    def broken(x: Any) -> Any:
        raise mine

    def f(x: Any) -> Any:
        return tl.py_function(broken, [x], SCALAR)

    eager, traced = failure(Mine, f, c(1.0))
    assert eager is traced is mine
    lines = {entry.lineno for entry in traceback.extract_tb(traced.__traceback__)}
    assert f.__code__.co_firstlineno + 1 in lines
    codes = [frame.f_code for frame, _ in traceback.walk_tb(traced.__traceback__)]
    assert broken.__code__ in codes, "the traceback leads into the user's function"
    wrong = tl.errors.InvalidArgumentError("mine, too")

    def g(x: Any) -> Any:
        raise wrong

    for error in failure(
        tl.errors.InvalidArgumentError, lambda x: tl.py_function(g, [x], SCALAR), c(1.0)
    ):
        assert str(error) == "mine, too"


def test_writes_before_a_failure_stay_and_later_ones_never_happen() -> None:
    v, w = tl.Variable(0), tl.Variable(0)

    def f() -> None:
        v.assign_add(1)
        tl.py_function(lambda: 1 // 0, [], [])
        w.assign_add(1)

    failure(ZeroDivisionError, f)
    assert (v.numpy(), w.numpy()) == (2, 0)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: tl.py_function(f_float, [], tl.int32), tl.errors.DTypeError,
         "'f_float' gave 2.5, Tout says int32; convert it, or change Tout"),
        (lambda: tl.py_function(f_none, [], [tl.int32, SCALAR]), ValueError,
         "'f_none' gave 1 results (None), Tout names 2"),
        (lambda: tl.py_function(f_none, [], tl.int32), ValueError,
         "'f_none' gave None, Tout says i32[...]"),
        (lambda: tl.py_function(f_zeros, [], tl.TensorSpec([2], tl.float32)), tl.errors.ShapeError,
         "'f_zeros' gave a tensor of shape (3,), Tout says (2,)"),
        (lambda: tl.numpy_function(f_double, [], tl.float32), tl.errors.DTypeError,
         "'f_double' gave <tl.Tensor: shape=(), dtype=float64, numpy=1.0>, Tout says float32; "
         "convert it, or change Tout"),
    ],
)  # fmt: skip
def test_a_result_that_is_not_as_tout_says(call: Any, kind: Any, message: str) -> None:
    for error in failure(kind, call):
        first, second = str(error).split("\n")
        assert first == message
        assert second.startswith("    called at test_python_calls.py:")


def f_float() -> Any:
    return 2.5


def f_none() -> None:
    return None


def f_zeros() -> Any:
    return tl.zeros([3])


def f_double() -> Any:
    return np.float64(1.0)


def test_wrong_arguments() -> None:
    with pytest.raises(TypeError, match="func must be a function, not 3"):
        tl.py_function(3, [], [])
    with pytest.raises(TypeError, match="inp must be a list of the arguments of func"):
        tl.py_function(square, c(1.0), tl.float32)


# --- text ----------------------------------------------------------------------------


def test_the_text_form_keeps_the_function_in_its_tables() -> None:
    f = tl.function(lambda x: tl.py_function(square, [x], SCALAR))
    graph = f.get_concrete_function(SCALAR).graph
    tables: dict[str, Any] = {}
    text = to_text(graph, tables)
    assert 'python_call(x, function=tables["t0"], results=(spec("f32[]"),), taped=True)' in text
    assert "anything" in text
    assert same_graph(parse(text, tables), graph)
