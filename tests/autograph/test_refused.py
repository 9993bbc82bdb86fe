"""What has no meaning over tensors is refused: the whole message, with name, line and cure."""

from __future__ import annotations

import json

import numpy as np
import pytest
from refusal import refused

import treadle as tl

TRUE = tl.constant(True)
THREE = tl.constant(3)


def test_name_left_undefined_by_the_else_branch() -> None:
    def f(c):
        if c:
            x = tl.ones([3, 3])
        return x

    assert refused(f, tl.errors.UndefinedVariableError, TRUE) == (
        "'x' is used here but the else branch of the `if` at :+1 leaves it undefined; which branch "
        "runs depends on a tensor, so it must be initialized in both branches or before the `if` (or "
        "use @tl.function(relaxed=True))"
    )
    with pytest.raises(ValueError, match="initialized"):
        tl.function(f)(TRUE)


def test_name_left_undefined_by_the_main_branch() -> None:
    def f(c):
        if c:
            tl.print("nothing")
        else:
            x = 1
        return [x]

    assert refused(f, tl.errors.UndefinedVariableError, TRUE) == (
        "'x' is used here but the main branch of the `if` at :+1 leaves it undefined; which branch "
        "runs depends on a tensor, so it must be initialized in both branches or before the `if` (or "
        "use @tl.function(relaxed=True))"
    )


def test_undefined_name_that_is_not_read() -> None:
    def f(c):
        if c:
            x = 1  # noqa: F841
        return c

    assert tl.function(f)(TRUE)


def test_name_first_set_in_a_loop() -> None:
    def f(n):
        for i in tl.range(n):
            x = i
        return x

    assert refused(f, tl.errors.UndefinedVariableError, THREE) == (
        "'x' is used here but it is first set inside of the loop at :+1, which may run zero times: "
        "'x' must be initialized before the loop (or use @tl.function(relaxed=True))"
    )


def test_loop_variable_that_changes_its_dtype() -> None:
    def f(n):
        x = tl.constant(0.0)
        for i in tl.range(n):
            x = i
        return x

    assert refused(f, tl.errors.LoopDtypeError, THREE) == (
        "'x' is float32 before the loop (:+1) but int32 after one iteration (:+3); a variable keeps "
        "its dtype in a loop over tensors: use tl.cast, or start it with a value of that dtype, or "
        "use @tl.function(relaxed=True)"
    )


def test_number_that_changes_its_kind_in_a_loop() -> None:
    def f(n):
        x = 0
        while n > 0:
            n -= 1
            x = 1.5
        return x

    assert refused(f, tl.errors.LoopDtypeError, THREE) == (
        "'x' is the Python int 0 before the loop (:+1) but the Python float 1.5 after one iteration "
        "(:+4); a variable keeps its dtype in a loop over tensors: use tl.cast, or start it with a "
        "value of that dtype, or use @tl.function(relaxed=True)"
    )


def test_none_after_no_iteration() -> None:
    def f(n):
        best = None
        for i in tl.range(n):
            best = i
        return best

    assert refused(f, tl.errors.BranchError, THREE) == (
        "the function returns int32 or None: which one depends on a tensor, in the loop at :+2. None "
        "can't leave a tl.function then: return a tensor on each path, or a truth value beside it "
        "that says whether there is one"
    )


def test_loop_variable_that_grows() -> None:
    def f(n):
        x = tl.ones([0, 10])
        for _ in tl.range(n):
            x = tl.concat([x, tl.ones([1, 10])], axis=0)
        return x

    assert refused(f, tl.errors.LoopShapeError, THREE) == (
        "'x' is float32 of shape (0, 10) before the loop (:+1) but float32 of shape (1, 10) after "
        "one iteration (:+3); a variable keeps its shape in a loop over tensors: collect values in "
        "a list or tl.TensorArray, write into a tensor of the final size, or use "
        "@tl.function(relaxed=True)"
    )


def test_tuple_that_grows() -> None:
    def f(n):
        xs = ()
        for i in tl.range(n):
            xs = (*xs, i)
        return xs

    assert refused(f, tl.errors.LoopShapeError, THREE) == (
        "'xs' is a tuple of 0 items before the loop (:+1) but a tuple of 1 items after one iteration "
        "(:+3); a variable keeps its structure in a loop over tensors: collect values in a "
        "list"
    )


def test_argument_that_changes_in_a_loop() -> None:
    def f(n, x):
        while n > 0:
            n -= 1
            x = tl.cast(x, tl.float64)
        return x

    assert refused(f, tl.errors.LoopDtypeError, THREE, tl.constant(1.0)) == (
        "'x' is float32 before the loop but float64 after one iteration (:+3); a variable keeps its "
        "dtype in a loop over tensors: use tl.cast, or start it with a value of that dtype, or use "
        "@tl.function(relaxed=True)"
    )


def test_branches_of_two_dtypes() -> None:
    def f(c):
        x = tl.constant(1)
        if c:
            x = tl.constant(1.0)
        return x

    assert refused(f, tl.errors.BranchError, TRUE) == (
        "'x' is float32 in the main branch of the `if` at :+2 but int32 in its else branch; which "
        "one runs depends on a tensor, so both must agree. Use tl.cast, or a number of the same "
        "kind, or @tl.function(relaxed=True)."
    )


def test_result_on_one_path_only() -> None:
    def f(c):
        if c:
            return tl.constant(1)

    assert refused(f, tl.errors.BranchError, TRUE) == (
        "the function returns int32 or None: which one depends on a tensor, in the `if` at :+1. None "
        "can't leave a tl.function then: return a tensor on each path, or a truth value beside it "
        "that says whether there is one"
    )


def test_result_from_inside_of_a_loop_only() -> None:
    def f(n):
        for i in tl.range(n):
            if i > 2:
                return i

    assert refused(f, tl.errors.BranchError, THREE) == (
        "the function returns int32 or None: which one depends on a tensor, in the `for` at :+1. "
        "None can't leave a tl.function then: return a tensor on each path, or a truth value beside "
        "it that says whether there is one"
    )


def test_objects_that_differ() -> None:
    def f(c):
        mode = {1} if c else [2]
        return mode

    assert refused(f, tl.errors.BranchError, TRUE) == (
        "the result is a set in the main branch of the `if` at :+1 but a list in its else branch; "
        "which one runs depends on a tensor, so both must agree. Make both branches give values of "
        "one type."
    )


def test_python_while_left_by_a_tensor() -> None:
    def f(x):
        while True:
            if tl.equal(x, 0):
                break
            x -= 1
        return x

    assert refused(f, tl.errors.PythonLoopError, THREE) == (
        "the `while` loop at :+1 runs in Python, while tracing, but whether it goes on came to "
        "depend on a tensor (in its condition, or by a `break` or `return` under a tensor "
        "condition); make its condition a tensor ('while tl.constant(True)'), for a loop of the "
        "graph, or use @tl.function(relaxed=True)"
    )


def test_python_for_left_by_a_tensor() -> None:
    def f(x):
        for i in range(5):
            if x > i:
                return x
        return -x

    text = refused(f, tl.errors.PythonLoopError, THREE)
    assert text == (
        "the `for` loop at :+1 runs in Python, while tracing, but whether it goes on came to depend "
        "on a tensor (in its condition, or by a `break` or `return` under a tensor condition); "
        "iterate over a tensor ('for i in tl.range(n)'), for a loop of the graph, or use "
        "@tl.function(relaxed=True)"
    )
    with pytest.raises(NotImplementedError):
        tl.function(f)(THREE)


def test_item_that_can_not_be_followed() -> None:
    def f(n):
        table = {}
        k = 0
        while k < n:
            table[k] = []
            k += 1
        return k

    assert refused(f, tl.errors.ConversionError, THREE) == (
        "a dict gets a symbolic number as a key at :+4: table[k] = [], of which only the run knows "
        "what it equals; how many items a dict has must be known while tracing. Give it all its keys "
        "before, or count or mark in a tensor ('counts[v] += 1')"
    )
    assert tl.function(f)(3) == 3  # over numbers it is Python's own loop


def test_truth_of_many_elements() -> None:
    def f(x):
        if x > 1:
            return x
        return -x

    assert refused(f, tl.errors.InvalidArgumentError, tl.constant([1, 2])) == (
        "the truth value of a tensor of shape (2,) is ambiguous, at :+1: if x > 1:; use "
        "tl.reduce_any or tl.reduce_all"
    )


def test_code_that_was_not_converted_says_why() -> None:
    @tl.autograph.do_not_convert
    def inner(x):
        if x > 0:
            return x
        return -x

    f = tl.function(lambda x: inner(x))
    with pytest.raises(tl.errors.OperatorNotAllowedInGraphError) as e:
        f(THREE)
    assert "was not converted by AutoGraph (it is marked by do_not_convert)" in str(e.value)

    without_source = eval("lambda x: x if x > 0 else -x")
    with pytest.raises(tl.errors.OperatorNotAllowedInGraphError, match="source is not available"):
        tl.function(without_source)(THREE)


def test_number_in_a_loop_beside_another_kind_of_number() -> None:
    def f(n):
        x = 0
        for _ in tl.range(n):
            x = x + 1.5
        return x

    with pytest.raises(TypeError) as e:
        tl.function(f)(THREE)
    line = f.__code__.co_firstlineno
    assert str(e.value) == (
        f"'x' is the Python int 0 before the loop (test_refused.py:{line + 1}) but a float after "
        f"one iteration (test_refused.py:{line + 3}); a variable keeps its dtype in a loop over "
        "tensors: use tl.cast, or start it with a value of that dtype, or use "
        "@tl.function(relaxed=True)"
    )


def test_exception_of_a_branch_that_may_not_run() -> None:
    def f(x):
        if x > 0:
            return {}["no"]
        return x

    traced = tl.function(f)
    with pytest.raises(KeyError, match="'no'") as e:
        traced(THREE)
    frame = e.traceback[-1]
    assert (frame.name, frame.lineno) == ("f", f.__code__.co_firstlineno + 1)  # counted from 0
    assert traced(-THREE).numpy() == -3


def test_exception_about_the_trace_in_a_branch_that_may_not_run() -> None:
    def f(x):
        if x > 0:
            return json.dumps(object)
        return x

    with pytest.raises(TypeError, match="not JSON serializable") as e:
        tl.function(f)(THREE)
    (note,) = e.value.__notes__
    assert "its condition is a tensor, so both branches are traced" in note


def test_state_is_as_before_after_a_refusal() -> None:
    class Box:
        value = 1

    box = Box()

    def f(c):
        if c:
            box.value = tl.constant(2)
        else:
            box.value = "two"
        return c

    with pytest.raises(tl.errors.BranchError, match=r"'box\.value' is int32"):
        tl.function(f)(TRUE)
    assert box.value == 1


def test_items_of_chosen_arrays() -> None:
    a, b = np.array([1, 2]), np.array([3, 4])

    def f(x):
        v = a if x > 3 else b
        v[0] = 5
        return x

    assert refused(f, tl.errors.ConversionError, tl.constant(1)) == (
        "an item is assigned to one of several NumPy arrays, of which a tensor chose one, at "
        ":+2: v[0] = 5: assign it in both branches there, or use tensors"
    )


def test_an_iterator_that_is_used_again() -> None:
    def f(xs):
        pairs = zip(xs, xs, strict=False)
        first = [a + b for a, b in pairs]
        return first, list(pairs)

    assert refused(f, tl.errors.ConversionError, tl.constant([1, 2])) == (
        "an iterator is used again at :+3: return first, list(pairs), after it was gone over at "
        ":+2: first = [a + b for a, b in pairs]: nothing may be left of it. Make a list of it first"
    )


@pytest.mark.parametrize("caught", [False, True])
def test_errors_that_stand_ins_cause_in_code_of_pythons(caught: bool) -> None:
    """The program itself would not raise them, so its handlers don't see them either."""

    def plain(x):
        s = "a" if x > 2 else "b"
        return ord(s)

    def handled(x):
        s = "a" if x > 2 else "b"
        try:
            return ord(s)
        except (TypeError, ValueError):
            return -1

    f, line = (handled, "+3: return ord(s)") if caught else (plain, "+2: return ord(s)")
    assert refused(f, tl.errors.ConversionError, tl.constant(1)) == (
        f"Python's own code can't work with what only the run knows, at :{line}: ord() expected "
        "string of length 1, but one of several objects found. Use the functions of tl, do it on "
        "each path of an `if`, or in tl.py_function"
    )


def test_a_named_iterator_that_a_tensor_leaves() -> None:
    def f(x):
        it = iter([1, x, 3, 4])
        for v in it:
            if v > 2:
                break
        return sum(it)

    relaxed = tl.function(f, relaxed=True)
    with pytest.raises(tl.errors.PythonLoopError, match="the iterator has a name, by which"):
        relaxed(tl.constant(3))
