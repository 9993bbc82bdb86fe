"""What users read when something is wrong: the whole message, with their file, line and names."""

from __future__ import annotations

import io
import pdb  # noqa: T100 - it is tested
import signal
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import treadle as tl

FILE = Path(__file__).name
LINES = Path(__file__).read_text().splitlines()


def line(text: str) -> int:
    """The number of the one line of this file that is just `text`."""
    (number,) = [i for i, found in enumerate(LINES, 1) if found.strip() == text]
    return number


def at(text: str) -> str:
    """The place of a line, as messages show it."""
    return f"{FILE}:{line(text)}: {text}"


def message(kind: type[BaseException], job: Callable[[], Any]) -> str:
    with pytest.raises(kind) as caught:
        job()
    assert type(caught.value).__module__ == "treadle.graph.errors"
    return str(caught.value)


# --- shapes and dtypes -------------------------------------------------------


def test_shapes_that_do_not_broadcast() -> None:
    x, b = tl.ones([3, 4]), tl.ones([5])

    def job() -> Any:
        return x + b  # eager

    assert message(tl.errors.InvalidArgumentError, job) == (
        "add: shapes (3, 4) and (5,) do not broadcast\n"
        f"    {at('return x + b  # eager')}\n"
        "    x: f32[3,4]\n"
        "    b: f32[5]"
    )


def test_shapes_that_do_not_broadcast_while_tracing() -> None:
    @tl.function
    def f(x: Any, bias: Any) -> Any:
        return tl.nn.relu(x + bias)

    text = message(ValueError, lambda: f(tl.ones([3, 4]), tl.ones([5])))
    assert text == (
        "add: shapes (3, 4) and (5,) do not broadcast\n"
        f"    {at('return tl.nn.relu(x + bias)')}\n"
        "    x: f32[3,4]\n"
        "    bias: f32[5]"
    )


def test_shapes_that_do_not_broadcast_at_run_time() -> None:
    @tl.function(input_signature=[tl.TensorSpec([None]), tl.TensorSpec([None])])
    def f(x: Any, bias: Any) -> Any:
        return x * 2.0 + bias

    text = message(ValueError, lambda: f(tl.ones([3]), tl.ones([5])))
    assert text == (
        "add: shapes (3,) and (5,) do not broadcast\n"
        f"    {at('return x * 2.0 + bias')}\n"
        "    x * 2.0: f32[3]\n"
        "    bias: f32[5]"
    )
    assert f(tl.ones([2]), tl.ones([2])).numpy().tolist() == [3.0, 3.0]  # still usable


def test_matmul_sizes() -> None:
    images, weights = tl.ones([2, 3]), tl.ones([4, 5])

    def job() -> Any:
        return tl.matmul(images, weights)

    assert message(tl.errors.InvalidArgumentError, job) == (
        "matmul: inner sizes differ: (2, 3) @ (4, 5)\n"
        f"    {at('return tl.matmul(images, weights)')}\n"
        "    images: f32[2,3]\n"
        "    weights: f32[4,5]"
    )


def test_mixed_dtypes() -> None:
    count, mean = tl.constant(1), tl.constant(1.5)

    def job() -> Any:
        return count * mean

    assert message(TypeError, job) == (
        "multiply: dtypes int32 and float32 are mixed; use tl.cast to make them equal\n"
        f"    {at('return count * mean')}\n"
        "    count: i32[]\n"
        "    mean: f32[]"
    )


# --- calls -------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ValueError, TypeError])
def test_input_signature(kind: type[Exception]) -> None:
    @tl.function(input_signature=[tl.TensorSpec([None], tl.int32)])
    def collatz(numbers: Any) -> Any:
        return numbers // 2

    def job() -> Any:
        return collatz(tl.ones([2, 2], tl.int32))

    assert message(kind, job) == (
        "Python inputs incompatible with input_signature: collatz() takes the argument 'numbers' "
        "with shape (None,) and dtype int32, got shape (2, 2) and dtype int32, "
        f"at {at('return collatz(tl.ones([2, 2], tl.int32))')}"
    )


def test_truth_value_where_nothing_was_converted() -> None:
    @tl.function(autograph=False)
    def f(x: Any) -> Any:
        if x > 0:  # not converted
            return x
        return -x

    assert message(TypeError, lambda: f(tl.constant(1.0))) == (
        "The truth value of the symbolic tensor 'x > 0' (bool[], made at "
        f"{at('if x > 0:  # not converted')}) was asked for at "
        f"{at('if x > 0:  # not converted')}, while the function is traced: it has no value yet. "
        "Use tl.cond, tl.where or tl.while_loop, or let AutoGraph convert the code."
    )


def test_leaked_tensor() -> None:
    kept = []

    @tl.function
    def f(x: Any) -> Any:
        doubled = x * 2.0
        kept.append(doubled)
        return doubled

    f(tl.constant(1.0))

    def job() -> Any:
        return kept[0] + 1.0

    assert message(TypeError, job) == (
        f"a symbolic tensor (f32[]) was made in the trace of 'f' by {at('doubled = x * 2.0')}, and "
        f"is used outside of it, at {at('return kept[0] + 1.0')}. It is held by item 0 of the list "
        "'kept'. It stands for a value that exists only while the graph runs: return it from the "
        "function, or keep it in a tl.Variable."
    )


def test_variable_on_every_call() -> None:
    @tl.function
    def f(x: Any) -> Any:
        weight = tl.Variable(1.0, name="weight")
        return weight * x

    assert message(ValueError, lambda: f(tl.constant(2.0))) == (
        "the function 'f' tried to create the variable 'weight:0' at "
        f"{at('weight = tl.Variable(1.0, name=' + chr(34) + 'weight' + chr(34) + ')')}, on a call "
        "that is not its first call. A tl.function may create variables on its first call only: "
        "make them outside, or keep them ('if self.v is None: self.v = tl.Variable(...)')"
    )


# --- branches and loops ------------------------------------------------------


def test_variable_that_a_branch_leaves_undefined() -> None:
    @tl.function
    def f(x: Any) -> Any:
        if x > 100.0:
            y = x
        return y

    assert message(ValueError, lambda: f(tl.constant(1.0))) == (
        f"'y' is used here but the else branch of the `if` at {FILE}:{line('if x > 100.0:')} "
        "leaves it undefined; which branch runs depends on a tensor, so it must be initialized in "
        "both branches or before the `if` (or use @tl.function(relaxed=True))"
    )


def test_loop_variable_that_changes_its_dtype() -> None:
    @tl.function
    def f(n: Any) -> Any:
        x = tl.constant(0.25)
        for i in tl.range(n):
            x = i + 7
        return x

    assert message(TypeError, lambda: f(tl.constant(3))) == (
        f"'x' is float32 before the loop ({FILE}:{line('x = tl.constant(0.25)')}) but int32 after "
        f"one iteration ({FILE}:{line('x = i + 7')}); a variable keeps its dtype in a loop over "
        "tensors: use tl.cast, or start it with a value of that dtype, or use "
        "@tl.function(relaxed=True)"
    )


def test_loop_variable_that_changes_its_shape() -> None:
    @tl.function
    def f(n: Any) -> Any:
        rows = tl.ones([0, 10])
        for _ in tl.range(n):
            rows = tl.concat([rows, tl.ones([1, 10])], axis=0)
        return rows

    grown = line("rows = tl.concat([rows, tl.ones([1, 10])], axis=0)")
    assert message(ValueError, lambda: f(tl.constant(3))) == (
        "'rows' is float32 of shape (0, 10) before the loop "
        f"({FILE}:{line('rows = tl.ones([0, 10])')}) but float32 of shape (1, 10) after one "
        f"iteration ({FILE}:{grown}); a variable keeps its shape in a loop over tensors: collect "
        "values in a list or tl.TensorArray, write into a tensor of the final size, or use "
        "@tl.function(relaxed=True)"
    )


# --- while the graph runs ----------------------------------------------------


def test_index_out_of_range() -> None:
    @tl.function
    def f(x: Any, place: Any) -> Any:
        return x[place]

    assert message(IndexError, lambda: f(tl.ones([3]), tl.constant(7))) == (
        "indexing: index 7 is out of range for axis 0 of size 3\n"
        f"    {at('return x[place]')}\n"
        "    x: f32[3]\n"
        "    place: i32[]"
    )


def test_gather_out_of_range() -> None:
    @tl.function
    def f(table: Any, rows: Any) -> Any:
        return tl.gather(table, rows)

    assert message(IndexError, lambda: f(tl.ones([3]), tl.constant([0, 9]))) == (
        "gather: index 9 is out of range for axis 0 of size 3\n"
        f"    {at('return tl.gather(table, rows)')}\n"
        "    table: f32[3]\n"
        "    rows: i32[2]"
    )


def test_reshape_that_does_not_fit_is_never_dropped() -> None:
    @tl.function(input_signature=[tl.TensorSpec([None])])
    def f(x: Any) -> Any:
        return tl.shape(tl.reshape(x, [7]))

    assert message(ValueError, lambda: f(tl.ones([3]))) == (
        "reshape: the shape (3,) has 3 items, (7,) needs 7\n"
        f"    {at('return tl.shape(tl.reshape(x, [7]))')}\n"
        "    x: f32[3]"
    )
    assert f(tl.ones([7])).numpy().tolist() == [7]


def test_failed_assertion_in_a_loop_and_what_was_done_before_it() -> None:
    before, after = tl.Variable(0), tl.Variable(0)

    @tl.function
    def f(n: Any) -> Any:
        for i in tl.range(n):
            before.assign_add(1)
            assert i < 3, "too many steps"
            after.assign_add(1)
        return n

    with pytest.raises(AssertionError) as caught:
        f(tl.constant(5))
    assert (type(caught.value), str(caught.value)) == (AssertionError, "too many steps")
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert frame.lineno == line('assert i < 3, "too many steps"')
    # Writes before the failing op stay, later ones never happen.
    assert (before.numpy(), after.numpy()) == (4, 3)
    assert f(tl.constant(2)).numpy() == 2


def test_a_failed_assignment_changes_nothing() -> None:
    weights = tl.Variable([1.0, 2.0])

    @tl.function(input_signature=[tl.TensorSpec([None])])
    def step(gradient: Any) -> Any:
        weights.assign_sub(gradient * 0.5)

    text = message(ValueError, lambda: step(tl.ones([3])))
    assert at("weights.assign_sub(gradient * 0.5)") in text
    assert "(2,)" in text
    assert "(3,)" in text
    assert weights.numpy().tolist() == [1.0, 2.0]


# --- where the traceback points to -------------------------------------------


def test_tracebacks_show_the_users_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    @tl.function
    def f(x: Any) -> Any:
        if x > 0.5:
            x = x + tl.ones([2, 2]) @ tl.ones([3, 3])
        return x

    def frames() -> list[str]:
        with pytest.raises(ValueError, match="inner sizes differ") as caught:
            f(tl.constant(1.0))
        return [f"{entry.path.name}:{entry.lineno + 1}" for entry in caught.traceback]

    monkeypatch.delenv("TREADLE_TRACEBACK", raising=False)
    *ours, last = frames()
    assert last == f"{FILE}:{line('x = x + tl.ones([2, 2]) @ tl.ones([3, 3])')}"
    # The call, the function's own `__call__`, and the `if` that holds the line.
    assert [f.startswith(FILE) for f in ours] == [True, False, True]
    monkeypatch.setenv("TREADLE_TRACEBACK", "full")
    assert len(frames()) > 10


def test_a_very_long_line_is_cut() -> None:
    with pytest.raises(tl.errors.ShapeError) as caught:
        tl.ones([2, 3]) + tl.ones([4]), "a long line", "a long line", "a long line", "a long", "a", "long", "a long line", "a long line", "x"  # noqa: E501  # fmt: skip
    line = str(caught.value).splitlines()[1]
    assert line.startswith("    test_errors.py:")
    assert line.endswith(" ...")
    assert len(line) < 200


def user_frames(error: BaseException) -> list[tuple[str, str, int, str]]:
    """What a traceback shows behind the call and `__call__`: file, function, line, marked text."""
    found = []
    for entry in traceback.extract_tb(error.__traceback__)[2:]:
        number = entry.lineno or 1
        text = Path(entry.filename).read_text(encoding="utf-8").splitlines()[number - 1]
        whole = len(text) - len(text.lstrip()) == entry.colno and entry.end_colno == len(text)
        marked = "" if whole else text[entry.colno : entry.end_colno]
        found.append((Path(entry.filename).name, entry.name, number, marked))
    return found


class Meter:
    limit = 3

    def read(self, x: Any) -> Any:
        def scaled(y: Any) -> Any:
            for i in tl.range(4):
                y = 12 // (self.limit - i)  # by zero
            return y

        if x > self.limit:
            raise KeyError("too high")  # here
        if x < 0:
            return {}["no such key"]
        assert x != 1, "one"
        if x > 2:
            return scaled(x)
        return tl.gather([1, 2], x + 7)


RAISED = [
    (4, KeyError, 'raise KeyError("too high")', "read"),
    (-1, KeyError, '{}["no such key"]', "read"),
    (1, AssertionError, 'assert x != 1, "one"', "read"),
    (3, ZeroDivisionError, "12 // (self.limit - i)", "scaled"),
    (2, IndexError, "tl.gather([1, 2], x + 7)", "read"),
]


@pytest.mark.parametrize("way", ["first call", "later call", "concrete"])
@pytest.mark.parametrize(("x", "kind", "text", "name"), RAISED)
def test_what_a_run_raises_has_a_frame_on_the_users_line(
    x: int, kind: type[Exception], text: str, name: str, way: str
) -> None:
    f: Any = tl.function(Meter().read)
    if way == "concrete":
        f = f.get_concrete_function(tl.TensorSpec([], tl.int32))
    elif way == "later call":
        with pytest.raises(kind):
            f(tl.constant(x))
    with pytest.raises(kind) as caught:
        f(tl.constant(x))
    (frame,) = user_frames(caught.value)
    number = next(n for n, found in enumerate(LINES, 1) if text in found)
    assert frame[:3] == (FILE, name, number)
    assert frame[-1] == ("" if kind is AssertionError else text)
    assert kind is not KeyError or not hasattr(caught.value, "__notes__")


def test_a_debugger_finds_the_users_line_behind_an_error() -> None:
    f = tl.function(Meter().read)
    with pytest.raises(KeyError) as caught:
        f(tl.constant(4))
    out = io.StringIO()
    debugger = pdb.Pdb(stdin=io.StringIO("quit\n"), stdout=out, nosigint=True, readrc=False)
    debugger.use_rawinput = False
    debugger.reset()
    debugger.interaction(None, caught.value.__traceback__)
    shown = out.getvalue().splitlines()
    assert shown[0] == f"> {__file__}({line(RAISE)})read()"
    assert shown[1] == f"-> {RAISE}"


RAISE = 'raise KeyError("too high")  # here'


def test_each_call_of_a_recursion_has_its_frame() -> None:
    @tl.function
    def down(n: Any) -> Any:
        if n == 0:
            return 1 // n  # the end
        return down(n - 1) + 1  # down

    with pytest.raises(ZeroDivisionError) as caught:
        down(tl.constant(2))
    shown = [(name, number) for _, name, number, *_ in user_frames(caught.value)]
    above = ("down", line("return down(n - 1) + 1  # down"))
    assert shown == [above, above, ("down", line("return 1 // n  # the end"))]


def test_functions_have_their_own_names() -> None:
    @tl.function
    def chosen(x: Any) -> Any:
        return 1 // x if x < 1 else (lambda: x // (x - x))()  # noqa: PLC3002

    for x, name, marked in ((0, "chosen", "1 // x"), (2, "<lambda>", "x // (x - x)")):
        with pytest.raises(ZeroDivisionError) as caught:
            chosen(tl.constant(x))
        frame = user_frames(caught.value)[-1]
        place = line("return 1 // x if x < 1 else (lambda: x // (x - x))()  # noqa: PLC3002")
        assert frame == (FILE, name, place, marked)


def test_the_cause_of_an_error_has_users_frames_too() -> None:
    @tl.function
    def f(x: Any) -> Any:
        try:
            return 1 // x  # first
        except ZeroDivisionError as e:
            raise ValueError("then") from e

    with pytest.raises(ValueError, match="then") as caught:
        f(tl.constant(0))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    frames = traceback.extract_tb(caught.value.__cause__.__traceback__)
    assert [(f.name, f.lineno) for f in frames] == [("f", line("return 1 // x  # first"))]


def test_an_interrupt_shows_where_the_program_is() -> None:
    # A shell may have started the tests such that they ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    @tl.function
    def spin(x: Any) -> Any:
        while x > 0.0:
            x = tl.minimum(x + 1.0, 5.0)  # round and round
        return x

    place = line("x = tl.minimum(x + 1.0, 5.0)  # round and round")
    spin.get_concrete_function(tl.constant(1.0))  # the interrupt is to come in the run
    timer = threading.Timer(0.2, lambda: signal.raise_signal(signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            spin(tl.constant(1.0))
    finally:
        signal.signal(signal.SIGINT, before)
    (frame,) = user_frames(caught.value)
    assert frame[:2] == (FILE, "spin")
    assert frame[2] in (place - 1, place)


def test_what_an_element_of_a_dataset_raises() -> None:
    ds = tl.data.Dataset.range(3).map(lambda i: 3 // (i - 1))  # an element
    with pytest.raises(ZeroDivisionError) as caught:
        list(ds)
    (frame,) = user_frames(caught.value)
    number = line("ds = tl.data.Dataset.range(3).map(lambda i: 3 // (i - 1))  # an element")
    assert frame == (FILE, "<lambda>", number, "3 // (i - 1)")


def test_full_tracebacks_have_the_users_line_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREADLE_TRACEBACK", "full")
    with pytest.raises(KeyError) as caught:
        tl.function(Meter().read)(tl.constant(4))
    shown = [(name, number) for _, name, number, *_ in user_frames(caught.value)]
    assert ("read", line(RAISE)) in shown
    assert len(shown) > 5
