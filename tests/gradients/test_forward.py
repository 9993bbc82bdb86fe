"""Forward mode through branches, loops, calls and state: against reverse mode and differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradients import test_control_flow as written
from gradients import test_control_flow_by_hand as by_hand
from gradients.derivatives import check_forward

import treadle as tl
from treadle.graph.gradients import registered

VECTOR = [0.7, -0.4, 1.1]
PROGRAMS = [*written.PROGRAMS, *by_hand.PROGRAMS]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_two_orders_in_every_mix(program: Any) -> None:
    check_forward(program, tl.function(program), [VECTOR])


@pytest.mark.parametrize("shape", [[None], None], ids=["rank", "nothing"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_shapes_known_at_run_time(program: Any, shape: Any) -> None:
    graph = tl.function(program, input_signature=[tl.TensorSpec(shape, tl.float64)])
    check_forward(program, graph, [VECTOR])


@pytest.mark.parametrize("program", [written.while_loop, written.nested, written.recursion])
def test_third_order(program: Any) -> None:
    check_forward(program, tl.function(program), [[0.5, 0.3, 0.6]], order=3)


@pytest.mark.parametrize("program", [by_hand.growing, by_hand.shrinking])
def test_sizes_that_change(program: Any) -> None:
    graph = tl.function(program, input_signature=[tl.TensorSpec([None], tl.float64)])
    check_forward(program, graph, [VECTOR])


# --- arrays ------------------------------------------------------------------


def array_of(x: Any) -> Any:
    items = tl.TensorArray(tl.float64, size=0, dynamic_size=True)
    for i in tl.range(4):
        items = items.write(i, x * tl.cast(i, tl.float64))
        x = x * tl.sin(x)
    return items


def stacked(x: Any) -> Any:
    return array_of(x).stack() * x


def joined(x: Any) -> Any:
    return tl.sin(array_of(x).concat())


def gathered(x: Any) -> Any:
    items = array_of(x)
    return items.read(2) * items.read(1) + items.gather([3, 0])


def taken_apart(x: Any) -> Any:
    items = tl.TensorArray(tl.float64, size=3).unstack(x * x)
    pieces = tl.TensorArray(tl.float64, size=2, infer_shape=False).split(tl.sin(x), [1, 2])
    s = pieces.read(1)
    for i in tl.range(3):
        s = s * items.read(i)
    return s


def never_written(x: Any) -> Any:
    items = tl.TensorArray(tl.float64, size=3, element_shape=[3])
    items = items.write(1, x * x)
    return items.stack() + items.read(0)


def kept_in_a_list(x: Any) -> Any:
    items = []
    for i in tl.range(3):
        items.append(x * tl.cast(i, tl.float64))  # noqa: PERF401
    s = x
    for item in items:
        s = s * tl.cos(item)
    return tl.stack(items) + s


@pytest.mark.parametrize(
    "program", [stacked, joined, gathered, taken_apart, never_written, kept_in_a_list]
)
def test_arrays_in_loops(program: Any) -> None:
    check_forward(tl.function(program), tl.function(program), [VECTOR])


# --- state and effects -------------------------------------------------------


def accumulated(f: Any, x: Any, t: Any) -> Any:
    with tl.autodiff.ForwardAccumulator(x, t) as accumulator:
        y = f(x)
    return y, accumulator.jvp(y)


X, ONE = tl.constant(1.5), tl.constant(1.0)


def counted() -> tuple[Any, Any]:
    """A function with effects, and the variable that counts its runs."""
    v = tl.Variable(0.0)

    @tl.function
    def f(x: Any) -> Any:
        tl.print("once", output_stream="file:///dev/null")
        v.assign_add(1.0)
        for _ in tl.range(2):
            x = x * x
            v.assign_add(1.0)
        return x

    return f, v


def over(outer: str, inner: str, f: Any) -> Any:
    """The second derivative of f: each letter is F for forward or R for reverse."""

    def derivative(mode: str, f: Any) -> Any:
        def forward(x: Any) -> Any:
            return accumulated(f, x, tl.ones_like(x))[1]

        def reverse(x: Any) -> Any:
            with tl.GradientTape() as tape:
                tape.watch(x)
                y = f(x)
            return tape.gradient(y, x)

        return forward if mode == "F" else reverse

    return derivative(outer, derivative(inner, f))


@pytest.mark.parametrize("modes", ["FF", "FR", "RF"])
@pytest.mark.parametrize("inside", [False, True])
def test_effects_happen_once(modes: str, inside: bool) -> None:
    f, v = counted()
    second = over(*modes, f)
    second = tl.function(second, autograph=False) if inside else second
    assert float(second(X)) == pytest.approx(12 * 1.5**2)
    assert float(v) == 3.0


def test_random_numbers_are_drawn_once() -> None:
    generator = tl.random.Generator.from_seed(1)

    @tl.function
    def f(x: Any) -> Any:
        r = generator.normal([])
        return x * r, r

    (_, r), (t, of_r) = accumulated(f, X, ONE)
    assert of_r is None
    assert t.numpy() == r.numpy()


@pytest.mark.parametrize("traced", [False, True])
def test_reads_of_a_variable_have_its_tangent(traced: bool) -> None:
    """Also after it was assigned, as with tapes: derivatives do not flow through state."""
    v = tl.Variable([1.0, 2.0])

    def f() -> Any:
        before = tl.reduce_sum(v * v)
        v.assign(v * 2.0)
        return before, tl.reduce_sum(v * v)

    f = tl.function(f) if traced else f
    with tl.autodiff.ForwardAccumulator(v, tl.constant([1.0, 0.0])) as accumulator:
        with tl.GradientTape(persistent=True) as tape:
            results = f()
        slopes = [tape.gradient(y, v)[0].numpy() for y in results]
    assert [t.numpy() for t in accumulator.jvp(results)] == slopes == [2.0, 4.0]
    assert accumulator.jvp(v).numpy().tolist() == [1.0, 0.0]


def test_variables_of_a_module() -> None:
    class Layer(tl.Module):
        def __init__(self) -> None:
            self.w = tl.Variable([[1.0, 2.0], [3.0, 4.0]], dtype=tl.float64)
            self.b = tl.Variable([0.5, -1.0], dtype=tl.float64)

        @tl.function
        def __call__(self, x: Any) -> Any:
            return tl.tanh(x @ self.w + self.b)

    layer, x = Layer(), tl.constant([[0.1, 0.2]], tl.float64)
    variables = layer.trainable_variables
    with tl.autodiff.ForwardAccumulator(variables, [v * 0.0 + 1.0 for v in variables]) as acc:
        y = layer(x)

    def moved(e: float) -> Any:
        return np.tanh(x.numpy() @ (layer.w.numpy() + e) + layer.b.numpy() + e)

    want = (moved(1e-6) - moved(-1e-6)) / 2e-6
    np.testing.assert_allclose(acc.jvp(y).numpy(), want, rtol=1e-8)


def test_loops_over_a_dataset() -> None:
    @tl.function
    def f(x: Any) -> Any:
        s = x
        for e in tl.data.Dataset.range(3):
            s = s * tl.cast(e + 1, tl.float32) * x
        return s

    assert accumulated(f, X, ONE)[1].numpy() == pytest.approx(4 * 6 * 1.5**3)


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("order", [1, 2])
def test_python_functions_that_are_called(traced: bool, order: int) -> None:
    def f(x: Any) -> Any:
        return tl.py_function(lambda a: a * a * a, [x], tl.float32)

    f = tl.function(f) if traced else f
    if order == 2:
        assert over("F", "F", f)(X).numpy() == pytest.approx(6 * 1.5)
        assert over("F", "R", f)(X).numpy() == pytest.approx(6 * 1.5)
    else:
        assert accumulated(f, X, ONE)[1].numpy() == pytest.approx(3 * 1.5**2)


def test_numpy_functions_have_no_tangent() -> None:
    assert accumulated(lambda x: tl.numpy_function(np.sin, [x], tl.float32), X, ONE)[1] is None


@pytest.mark.parametrize("x", [2.0, 3.0])
def test_through_try(x: float) -> None:
    @tl.function
    def f(x: Any) -> Any:
        try:
            y = x * x
            tl.debugging.assert_less(y, tl.constant(5.0))
            y = y * x
        except tl.errors.InvalidArgumentError:
            y = x * 7.0
        return y

    y, t = accumulated(f, tl.constant(x), ONE)
    assert (float(y), float(t)) == ((8.0, 12.0) if x == 2.0 else (21.0, 7.0))
    assert float(over("F", "R", f)(tl.constant(x))) == (12.0 if x == 2.0 else 0.0)


def kept_by_handler(depends: bool) -> Any:
    v = tl.Variable(1.0)

    @tl.function
    def f(x: Any) -> Any:
        y = x
        try:
            v.assign(2.0)
            y = v * (x if depends else 3.0)
            v.assign(5.0)
            tl.debugging.assert_less(x, tl.constant(1.0))
        except tl.errors.InvalidArgumentError:
            y = y * x
        return y

    return f


def test_what_a_handler_finds_has_to_be_without_tangent() -> None:
    assert accumulated(kept_by_handler(False), X, ONE)[1].numpy() == 6.0
    with pytest.raises(tl.errors.GradientError, match=r"a gradient is asked for through an exc.*"):
        accumulated(kept_by_handler(True), X, ONE)


# --- where the accumulator is ------------------------------------------------


def test_opened_in_a_loop() -> None:
    @tl.function
    def f(x: Any) -> Any:
        s = 0.0
        for _ in tl.range(3):
            with tl.autodiff.ForwardAccumulator(x, tl.ones_like(x)) as accumulator:
                y = x * x
                if y > 1.0:
                    y = y * x
            s += accumulator.jvp(y)
        return s

    assert f(X).numpy() == pytest.approx(9 * 1.5**2)


def test_asked_in_a_branch_of_what_was_before() -> None:
    @tl.function
    def f(x: Any) -> Any:
        with tl.autodiff.ForwardAccumulator(x, tl.ones_like(x)) as accumulator:
            y = x * x
        return accumulator.jvp(y) if x > 1.0 else y

    assert f(X).numpy() == 3.0


def test_asked_in_a_loop_of_what_is_computed_there() -> None:
    @tl.function
    def f(x: Any) -> Any:
        with tl.autodiff.ForwardAccumulator(x, tl.ones_like(x)) as accumulator:
            t = x
            for _ in tl.range(3):
                x = x * x
                t = accumulator.jvp(x)
        return t

    with pytest.raises(tl.errors.GradientError, match=r"inside of a branch, loop or.*test_forward"):
        f(X)


def test_a_tensor_that_has_left_its_trace() -> None:
    left = []

    @tl.function(autograph=False)
    def f(x: Any) -> Any:
        left.append(x * x)
        return x

    with tl.autodiff.ForwardAccumulator(X, ONE) as accumulator:
        f(X)
    with pytest.raises(tl.errors.LeakedTensorError):
        accumulator.jvp(left[0])


def test_of_an_eager_tensor_in_a_graph() -> None:
    x = tl.constant(2.0)

    @tl.function
    def f() -> Any:
        with tl.autodiff.ForwardAccumulator(x, ONE) as accumulator:
            y = x * x
            for _ in tl.range(3):
                y = y * x
        return accumulator.jvp(y)

    assert f().numpy() == 5 * 2.0**4


def test_asked_inside_of_its_own_recursion() -> None:
    @tl.function
    def f(x: Any, n: Any) -> Any:
        if n <= 0:
            return x
        with tl.autodiff.ForwardAccumulator(x, tl.ones_like(x)) as accumulator:
            y = f(x * x, n - 1)
        return accumulator.jvp(y)

    with pytest.raises(tl.errors.GradientError, match="inside of its own recursion"):
        f(X, tl.constant(2))


# --- nesting -----------------------------------------------------------------


def test_the_inner_one_is_seen_by_the_outer_one_only() -> None:
    """As in TensorFlow's documentation of ForwardAccumulator."""
    p = tl.constant(1.1)
    with tl.autodiff.ForwardAccumulator(p, ONE) as outer:
        with tl.autodiff.ForwardAccumulator(p, ONE) as inner:
            y = p ** tl.constant(3.5)
        first = inner.jvp(y)
    assert first.numpy() == pytest.approx(3.5 * 1.1**2.5)
    assert outer.jvp(first).numpy() == pytest.approx(3.5 * 2.5 * 1.1**1.5)
    assert inner.jvp(outer.jvp(y)) is None


def test_an_inner_tape_does_not_see_tangents() -> None:
    with tl.autodiff.ForwardAccumulator(X, ONE) as accumulator, tl.GradientTape() as tape:
        tape.watch(X)
        t = accumulator.jvp(X * X)
    assert tape.gradient(t, X) is None


def test_a_hessian_times_a_vector_of_variables() -> None:
    v = tl.Variable([1.0, 2.0])
    with tl.autodiff.ForwardAccumulator(v, tl.constant([1.0, 0.0])) as accumulator:
        with tl.GradientTape() as tape:
            y = tl.reduce_sum(v**3.0)
        gradient = tape.gradient(y, v)
    assert accumulator.jvp(gradient).numpy().tolist() == [6.0, 0.0]


@pytest.mark.parametrize("modes", ["FF", "FR", "RF"])
def test_of_a_tangent_alone(modes: str) -> None:
    """An outer one that watches the direction, not the place."""

    @tl.function
    def f(x: Any) -> Any:
        while x < 20.0:
            x = x * x
        return x

    def along(t: Any) -> Any:
        return accumulated(f, X, t)[1]

    assert accumulated(along, ONE, ONE)[1].numpy() == along(ONE).numpy() > 0
    with tl.GradientTape() as tape:
        tape.watch(ONE)
        y = along(ONE)
    assert tape.gradient(y, ONE).numpy() == y.numpy()
    inside = tl.function(lambda t: (over(*modes, lambda t: along(t) ** 2)(t), along(t)))
    second, slope = inside(ONE)
    assert second.numpy() == pytest.approx(2 * float(slope) ** 2)


# --- use ---------------------------------------------------------------------


def test_structures_and_what_is_not_connected() -> None:
    x, w = tl.constant([1.0, 2.0]), tl.Variable(3.0)
    tangents = {"x": tl.ones_like(x), "w": tl.constant(0.5)}
    with tl.autodiff.ForwardAccumulator({"x": x, "w": w}, tangents) as acc:
        found = {"y": x * w, "n": tl.cast(x, tl.int32), "c": tl.constant(1.0)}
    got = acc.jvp(found)
    assert got["y"].numpy().tolist() == [3.5, 4.0]
    assert got["n"] is None
    assert got["c"] is None
    zeros = acc.jvp(found, unconnected_gradients=tl.UnconnectedGradients.ZERO)
    assert zeros["c"].numpy() == 0.0


def test_what_is_computed_is_not_kept() -> None:
    with tl.autodiff.ForwardAccumulator(X, ONE) as accumulator:
        for _ in range(50):
            y = X * X
        assert accumulator.is_watched(y)
        assert len(accumulator._held) == 2


def test_ops_outside_of_the_block_have_no_tangents() -> None:
    with tl.autodiff.ForwardAccumulator(X, ONE) as accumulator:
        y = X * X
    assert accumulator.jvp(y * X) is None
    with accumulator:
        assert accumulator.jvp(y * X).numpy() == pytest.approx(3 * 1.5**2)


def test_refusals() -> None:
    new = tl.autodiff.ForwardAccumulator
    with pytest.raises(ValueError, match="primal multiple times"):
        new([X, X], [ONE, ONE])
    with pytest.raises(ValueError, match="2 tangents are given for 1 primals"):
        new([X], [ONE, ONE])
    with pytest.raises(ValueError, match="no derivative"):
        new(1.0, ONE)
    with pytest.raises(tl.errors.ShapeError, match="the tangent has shape"):
        new(X, [1.0, 2.0])
    with pytest.raises(tl.errors.DTypeError, match="the tangent has dtype float64"):
        new(X, tl.constant(1.0, tl.float64))
    with pytest.warns(UserWarning, match="watched primal must be floating"):
        new(tl.constant(1), tl.constant(1))
    accumulator = new(X, ONE)
    with accumulator, pytest.raises(ValueError, match="already recording"), accumulator:
        pass


def test_a_missing_rule_names_the_op_and_the_line() -> None:
    image = tl.ones([2, 2, 1])

    @tl.function
    def f(x: Any) -> Any:
        return tl.image.adjust_contrast(x, 2.0)  # this line

    with pytest.raises(LookupError, match=r"'AdjustContrastv2' has no forward.*# this line") as e:
        accumulated(f, image, image)
    assert isinstance(e.value, tl.errors.GradientError)


def test_a_registered_gradient_is_transposed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "_registered", {})

    @tl.RegisterGradient("AdjustContrastv2")
    def _gradient(op: Any, g: Any) -> Any:
        return g * 3.0, None

    image = tl.ones([2, 2, 1])
    t = accumulated(lambda x: tl.image.adjust_contrast(x, 2.0), image, image)[1]
    assert t.numpy().tolist() == [[[3.0], [3.0]], [[3.0], [3.0]]]


@pytest.mark.parametrize("traced", [False, True])
def test_only_who_needs_a_missing_tangent_gets_the_error(traced: bool) -> None:
    def f(image: Any) -> Any:
        bright = tl.image.adjust_contrast(image, 2.0)  # this line
        if tl.reduce_sum(image) > 0.0:
            bright = bright * image
        for _ in tl.range(2):
            bright = bright + 1.0
        return bright, image * image

    f = tl.function(f) if traced else f
    image = tl.ones([2, 2, 1])
    with tl.autodiff.ForwardAccumulator(image, image) as accumulator:
        bright, squared = f(image)
        rows = tl.reshape(bright, [-1]) * 2.0
    assert tl.reduce_sum(accumulator.jvp(squared)).numpy() == 8.0
    for y in (bright, rows):
        with pytest.raises(LookupError, match=r"'AdjustContrastv2'.*# this line"):
            accumulator.jvp(y)


def test_rows_have_tangents_as_rows() -> None:
    x = tl.constant([[1.0, 2.0]])
    with tl.autodiff.ForwardAccumulator(x, tl.constant([[1.0, 0.0]])) as accumulator:
        rows = tl.IndexedSlices(x * x, tl.constant([3]), tl.constant([5, 2]))
        constant = tl.IndexedSlices(tl.constant([[1.0]]), tl.constant([3]))
    t = accumulator.jvp(rows)
    assert isinstance(t, tl.IndexedSlices)
    assert t.values.numpy().tolist() == [[2.0, 0.0]]
    assert t.indices is rows.indices
    assert accumulator.jvp(constant) is None
