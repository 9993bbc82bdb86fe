"""The classes of `tl.errors`: whole messages of those that test_errors.py does not have."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import treadle as tl

FILE = Path(__file__).name
LINES = Path(__file__).read_text().splitlines()


def at(text: str) -> str:
    """The place of the one line of this file that is just `text`, as messages show it."""
    (number,) = [i for i, found in enumerate(LINES, 1) if found.strip() == text]
    return f"{FILE}:{number}: {text}"


def message(kind: type[BaseException], job: Callable[[], Any]) -> str:
    with pytest.raises(kind) as caught:
        job()
    assert type(caught.value) is kind
    return str(caught.value)


# --- raised by treadle -------------------------------------------------------


def test_failed_precondition() -> None:
    made: list[Any] = []

    @tl.function
    def f(x: Any) -> Any:
        if not made:
            made.append(tl.Variable(x))
        return made[0] + x

    with pytest.raises(tl.errors.VariableCreationError):
        f.get_concrete_function(tl.TensorSpec([]))

    def job() -> Any:
        return made[0].read_value()

    assert message(tl.errors.FailedPreconditionError, job) == (
        "read: the variable has no value yet: it is made by a function that did not run to its "
        f"end\n    {at('return made[0].read_value()')}\n    Variable:0: var<f32[]>"
    )
    assert message(tl.errors.FailedPreconditionError, lambda: pickle.dumps(made[0])) == (
        "the variable 'Variable:0' has no value yet"
    )


def test_unimplemented() -> None:
    assert (
        message(
            tl.errors.UnimplementedError, lambda: tl.random.Generator.from_seed(1, alg="threefry")
        )
        == "the algorithm 'threefry' is not known; 'philox' is"
    )
    x = tl.ones([2, 3])
    for f, name in ((tl.linalg.svd, "svd"), (tl.linalg.qr, "qr")):
        y = tl.transpose(x) if name == "qr" else x
        with tl.GradientTape() as tape:
            tape.watch(y)
            part = f(y, full_matrices=True)[0]
        assert message(tl.errors.UnimplementedError, lambda: tape.gradient(part, y)).startswith(  # noqa: B023
            f"{name}(full_matrices=True) has no gradient"
        )


def test_resource_exhausted() -> None:
    n = 2**20
    allocated = (
        "Unable to allocate 4.00 EiB for an array with shape (1048576, 1048576, 1048576) and data "
        "type float32"
    )
    assert message(tl.errors.ResourceExhaustedError, lambda: tl.zeros([n, n, n])) == allocated

    def job(x: Any) -> Any:
        return tl.broadcast_to(x, [n, n, n]) * x

    for way in (job, tl.function(job)):
        found = message(tl.errors.ResourceExhaustedError, lambda: way(tl.constant(1.0)))  # noqa: B023
        assert found.splitlines() == [
            f"multiply: {allocated}",
            f"    {at('return tl.broadcast_to(x, [n, n, n]) * x')}",
            "    tl.broadcast_to(x, [n, n, n]): f32[1048576,1048576,1048576]",
            "    x: f32[]",
        ]
    with pytest.raises(MemoryError):
        tl.zeros([n, n, n])


def test_graph_check() -> None:
    f = tl.function(lambda x: tl.sin(x + 1.0))
    graph = f.get_concrete_function(tl.TensorSpec([])).graph
    graph.nodes = graph.nodes[::-1]
    place = at("f = tl.function(lambda x: tl.sin(x + 1.0))")
    shown = place.replace(": ", "   ", 1)
    assert message(tl.errors.GraphCheckError, lambda: tl.graph.check(graph)) == (
        "graph 'lambda_': sin: its input 0 (f32[]) is used before it is defined\n"
        f"    {place}\n"
        "    # lambda_(x: f32[]) -> f32[]\n"
        "    def lambda_(x):\n"
        f"        # {shown}\n"
        "  >     v0 = sin(undefined)     # f32[]\n"
        "        v1 = add(x, undefined)  # f32[]\n"
        "        return v0"
    )
    assert issubclass(tl.errors.GraphCheckError, tl.errors.InternalError)


def test_parse() -> None:
    text = "# f(x: f32[]) -> f32[]\ndef f(x):\n    v0 = add(x, y)  # f32[]\n    return v0\n"
    assert message(tl.errors.ParseError, lambda: tl.graph.parse(text)) == (
        "line 3, column 17: 'y' is not defined above in 'f'\n"
        "        v0 = add(x, y)  # f32[]\n"
        "                    ^"
    )
    assert message(tl.errors.ParseError, lambda: tl.graph.parse("def f(:")) == (
        "line 1, column 7: invalid syntax; a graph is written as Python"
    )


def test_gradient() -> None:
    x = tl.Variable(3.0)
    with tl.GradientTape(persistent=True) as tape:
        y = x * x
    assert message(tl.errors.GradientError, lambda: tape.gradient(y, 3.0)) == (
        "the source 3.0 is not a tensor or variable"
    )
    assert message(tl.errors.GradientError, lambda: tape.gradient(y, x, tl.ones([2]))) == (
        "output_gradients has shape (2,), the target ()"
    )


def test_missing_gradient() -> None:
    image = tl.Variable(tl.ones([2, 2, 1]))
    with tl.GradientTape() as tape:
        y = tl.image.adjust_contrast(image, 2.0)
    assert message(tl.errors.MissingGradientError, lambda: tape.gradient(y, image)) == (
        "no gradient is registered for the op 'AdjustContrastv2', used at "
        f"{at('y = tl.image.adjust_contrast(image, 2.0)')}; write it with other ops, or give it "
        "one with tl.RegisterGradient('AdjustContrastv2')"
    )


# --- TensorFlow's, for a program's own Python --------------------------------

CODES = {
    "CancelledError": 1,
    "UnknownError": 2,
    "NotFoundError": 5,
    "AlreadyExistsError": 6,
    "PermissionDeniedError": 7,
    "ResourceExhaustedError": 8,
    "FailedPreconditionError": 9,
    "UnimplementedError": 12,
    "InternalError": 13,
    "DataLossError": 15,
}


@pytest.mark.parametrize("made", [("the text",), (None, None, "the text")], ids=["own", "there"])
@pytest.mark.parametrize("name", CODES)
def test_of_the_users_own_python(name: str, made: Any) -> None:
    kind: Any = getattr(tl.errors, name)

    def fails(x: Any) -> Any:
        raise kind(*made)

    def elements() -> Iterator[int]:
        yield 1
        raise kind(*made)

    def called(x: Any) -> Any:
        return tl.py_function(fails, [x], tl.int32)

    def looped(x: Any) -> Any:
        spec = tl.TensorSpec([], tl.int32)
        for i in tl.data.Dataset.from_generator(elements, output_signature=spec):
            x += i
        return x

    def raised(x: Any) -> Any:
        if x > 0:
            raise kind(*made)
        return x

    for f in (called, looped, raised):
        for way in (f, tl.function(f)):
            with pytest.raises(kind) as caught:
                way(tl.constant(1))
            error = caught.value
            assert (str(error), error.message, error.error_code) == (
                "the text",
                "the text",
                CODES[name],
            )
            for copied in (copy.copy(error), pickle.loads(pickle.dumps(error))):
                assert (type(copied), str(copied)) == (kind, "the text")

        def handled(x: Any) -> Any:
            try:
                return f(x)  # noqa: B023
            except tl.errors.OpError:
                return x - 7

        assert tl.function(handled)(tl.constant(1)).numpy() == -6


def test_codes_of_the_others() -> None:
    assert tl.errors.OpError.error_code == 2
    assert tl.errors.ShapeError.error_code == tl.errors.InvalidArgumentError.error_code == 3
    assert tl.errors.OutOfRangeError.error_code == 11
