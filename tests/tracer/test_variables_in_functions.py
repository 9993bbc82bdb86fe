"""Variables that a function makes on its first call."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import treadle as tl

c = tl.constant
Variable = tl.Variable


class Lazy:
    """The idiom of the guides."""

    def __init__(self) -> None:
        self.v: Any = None
        self.traces = 0

    @tl.function
    def __call__(self, x: Any) -> Any:
        self.traces += 1
        if self.v is None:
            self.v = Variable(x * 2.0)
        return self.v.assign_add(x)


def test_made_on_the_first_call_of_each_object() -> None:
    a, b = Lazy(), Lazy()
    assert [a(c(1.0)).numpy() for _ in range(3)] == [3.0, 4.0, 5.0]
    assert b(c(10.0)).numpy() == 30.0
    assert a(c(1.0)).numpy() == 6.0
    assert a.traces == b.traces == 2, "one that makes the variable and one for later calls"
    assert a(2.0).numpy() == 8.0
    assert a.traces == 3


def test_made_in_every_call_is_an_error() -> None:
    runs = Variable(0)

    @tl.function
    def f(x: Any) -> Any:
        runs.assign_add(1)
        v = Variable(1.0)
        return v + x

    for _ in range(2):
        with pytest.raises(tl.errors.VariableCreationError) as caught:
            f(c(1.0))
    message = str(caught.value)
    assert message.startswith("the function 'f' tried to create the variable 'Variable:0' at test_")
    assert ": v = Variable(1.0), on a call that is not its first call. A tl.function" in message
    assert isinstance(caught.value, ValueError)
    assert runs.numpy() == 0, "nothing ran"


@pytest.mark.parametrize("value", [c(1.0), np.float32(1.0), 1.0, lambda: 1.0])
def test_made_of_anything_in_every_call_is_an_error(value: Any) -> None:
    made = []

    @tl.function
    def f() -> Any:
        made.append(Variable(value))
        return made[-1] + 0.0

    with pytest.raises(tl.errors.VariableCreationError):
        f()


def test_made_for_a_new_signature_is_an_error() -> None:
    kept: dict[int, Any] = {}

    @tl.function
    def f(x: Any, n: int) -> Any:
        if n not in kept:
            kept[n] = Variable(x)
        return kept[n] + x

    assert f(c(1.0), 1).numpy() == 2.0
    with pytest.raises(tl.errors.VariableCreationError):
        f(c(1.0), 2)
    assert f(c(2.0), 1).numpy() == 3.0


def test_initial_values_depend_on_arguments_and_on_each_other() -> None:
    made: list[Any] = []

    @tl.function
    def f(x: Any) -> Any:
        if not made:
            made.append(Variable(3.0))
            made.append(Variable(made[0] * x))
            made.append(Variable(lambda: made[1] + 1.0))
            made.append(Variable(tl.ones([2, 2]) * x, trainable=False, name="w"))
        return made[0] * made[1] + made[2] + made[3][0, 0]

    assert [f(c(x)).numpy() for x in (2.0, 10.0)] == [3.0 * 6.0 + 7.0 + 2.0] * 2
    assert [v.numpy().ravel()[0] for v in made] == [3.0, 6.0, 7.0, 2.0]
    assert (made[3].name, made[3].shape, made[3].trainable) == ("w:0", (2, 2), False)


def test_the_first_call_does_all_that_eager_code_does(capfd: pytest.CaptureFixture[str]) -> None:
    def program(wrap: Any) -> Any:
        outer, made, seen = Variable(1.0), [], []

        @wrap
        def f(x: Any) -> Any:
            tl.print("run")
            if not made:
                tl.print("first")
                outer.assign_add(1.0)
                made.append(Variable(outer * 10.0))
                outer.assign_add(1.0)
                made[0].assign_add(x)
            return made[0] + outer

        seen.extend([float(f(c(x))), float(outer), float(made[0])] for x in (0.5, 7.0))
        return seen, capfd.readouterr()

    traced, plain = program(tl.function), program(lambda f: f)
    assert traced == plain
    assert traced[0] == [[23.5, 3.0, 20.5]] * 2


def test_random_initial_values_are_those_of_eager_code() -> None:
    def program(wrap: Any) -> Any:
        tl.random.set_seed(3)
        made: list[Any] = []

        @wrap
        def f() -> Any:
            if not made:
                made.append(Variable(tl.random.normal([2])))
            return made[0] + tl.random.uniform([2])

        return [f().numpy().tolist() for _ in range(3)]

    assert program(tl.function) == program(lambda f: f)


def test_made_by_a_function_inside() -> None:
    made: list[Any] = []

    @tl.function
    def inner(x: Any) -> Any:
        if not made:
            made.append(Variable(x * 2.0))
        return made[0].assign_add(1.0) + x

    @tl.function
    def outer(x: Any) -> Any:
        return inner(x + 1.0) * 10.0 + inner(x)

    # The variable is made once, with 4.
    assert [outer(c(1.0)).numpy() for _ in range(2)] == [77.0, 99.0]
    assert inner(c(0.0)).numpy() == 9.0
    assert outer(c([1.0])).numpy().tolist() == [132.0]


def test_made_under_a_tape() -> None:
    class Dense(tl.Module):
        def __init__(self) -> None:
            self.w: Any = None

        @tl.function
        def __call__(self, x: Any) -> Any:
            if self.w is None:
                self.w = Variable(tl.ones([2, 3]))
            return x @ self.w

    layer = Dense()
    for rows in (1, 1, 4):
        with tl.GradientTape() as tape:
            y = tl.reduce_sum(layer(tl.ones([rows, 2])) ** 2.0)
        np.testing.assert_allclose(tape.gradient(y, layer.w).numpy(), np.full((2, 3), 4.0 * rows))
    assert layer.variables == (layer.w,)


def test_made_in_an_init_scope() -> None:
    made: list[Any] = []

    @tl.function
    def f(x: Any) -> Any:
        with tl.init_scope():
            if len(made) < 2:
                made.append(Variable(5.0))
        return made[0] + x

    assert [float(tl.reduce_sum(f(x))) for x in (c(1.0), c([1.0]), c([[1.0]]))] == [6.0] * 3
    assert len(made) == 2


def test_made_while_a_concrete_function_is_asked_for() -> None:
    made: list[Any] = []

    @tl.function
    def f(x: Any) -> Any:
        if not made:
            made.append(Variable(tl.ones([3]) * 2.0))
            made.append(Variable(made[0] + 1.0))
        return made[0] + made[1] + x

    concrete = f.get_concrete_function(tl.TensorSpec([]))
    assert made[1].numpy().tolist() == [3.0] * 3
    assert concrete(1.0).numpy().tolist() == f(c(1.0)).numpy().tolist() == [6.0] * 3

    @tl.function
    def dependent(x: Any) -> Any:
        return Variable(x) + 1.0

    with pytest.raises(tl.errors.VariableCreationError, match="depends on an argument that has no"):
        dependent.get_concrete_function(tl.TensorSpec([]))


def test_made_under_a_condition_over_tensors() -> None:
    made: list[Any] = []

    @tl.function
    def f(x: Any) -> Any:
        if x > 0.0:
            if not made:
                made.append(Variable(1.0))
            x = x + made[0]
        return x

    with pytest.raises(tl.errors.VariableCreationError, match="inside of a branch or loop over te"):
        f(c(1.0))


def test_made_by_a_function_that_a_branch_calls() -> None:
    """The branch may not run, so the value is there before the graph runs."""
    made: list[Any] = []

    @tl.function
    def inner(x: Any) -> Any:
        if not made:
            made.append(Variable([1.0, 2.0]))
        return made[0] * x

    @tl.function
    def outer(x: Any) -> Any:
        if x > 0.0:
            return inner(x)
        return tl.zeros([2])

    assert outer(c(-1.0)).numpy().tolist() == [0.0, 0.0]
    assert outer(c(3.0)).numpy().tolist() == [3.0, 6.0]


class Broken(Lazy):
    """Makes its variable, and then fails."""

    @tl.function
    def __call__(self, x: Any, how: str) -> Any:
        if self.v is None:
            self.v = Variable(x)
        if how == "raise":
            raise KeyError("on purpose")
        if how == "trace":
            x = None + 1  # type: ignore[operator]
        if how == "run":
            tl.debugging.assert_equal(self.v, -1.0)
        return self.v + 1.0


def test_a_first_call_that_always_raises_is_as_in_eager_code() -> None:
    f = Broken()
    for _ in range(2):
        with pytest.raises(KeyError, match="on purpose"):
            f(c(1.0), "raise")
        assert f.v.numpy() == 1.0
    assert f(c(5.0), "").numpy() == 2.0


def test_made_in_every_call_and_then_fails() -> None:
    made: list[Any] = []

    @tl.function
    def f(x: Any) -> Any:
        made.append(Variable(x))
        raise KeyError("on purpose")

    for i in range(2):
        with pytest.raises(KeyError, match="on purpose"):
            f(c(float(i)))
        assert [v.numpy() for v in made] == [0.0, 1.0][: i + 1]
    assert not f.cache_info().kept


def test_a_first_call_that_fails_while_tracing_did_not_happen() -> None:
    f = Broken()
    with pytest.raises(TypeError, match="NoneType"):
        f(c(1.0), "trace")
    assert f.v is None
    assert f(c(5.0), "").numpy() == 6.0


def test_a_first_call_that_fails_when_it_runs_may_be_repeated() -> None:
    made: list[Any] = []

    @tl.function
    def f(x: Any, i: Any) -> Any:
        if not made:
            made.append(Variable(tl.gather(x, i)))
        return made[0] + 1.0

    with pytest.raises(IndexError, match="index 3 is out of range"):
        f(c([1.0]), c(3))
    assert made == []
    assert f(c([1.0]), c(0)).numpy() == 2.0
    assert f(c([5.0]), c(0)).numpy() == 2.0


def test_what_a_first_call_did_before_it_failed_stays() -> None:
    f = Broken()
    with pytest.raises(tl.errors.InvalidArgumentError):
        f(c(1.0), "run")
    assert f.v.numpy() == 1.0


def test_a_variable_dies_with_its_owner() -> None:
    a = Lazy()
    a(c(1.0))
    alive = weakref.ref(a.v)
    del a
    gc.collect()
    assert alive() is None


def test_run_eagerly() -> None:
    tl.config.run_functions_eagerly(True)
    try:
        a = Lazy()
        assert [a(c(1.0)).numpy() for _ in range(2)] == [3.0, 4.0]
        assert a.traces == 2
    finally:
        tl.config.run_functions_eagerly(False)
    assert a(c(1.0)).numpy() == 5.0
