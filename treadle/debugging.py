"""Checks on tensors that run with the program: `tl.debugging.assert_equal` and its kin, `print`.

Each function gives None; where a check fails when the program runs, it raises
`tl.errors.AssertionFailedError` (an InvalidArgumentError and an AssertionError) at the user's line.
What a shape or dtype alone decides is checked while tracing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .graph.build import convert
from .graph.dtypes import as_dtype
from .graph.errors import DTypeError, ShapeError
from .graph.node import Tensor
from .graph.ops import arithmetic, comparison, queries, reductions, shaping
from .graph.ops.define import constant_of
from .graph.ops.effects import assert_ as Assert  # noqa: N812 - TensorFlow's name
from .graph.ops.effects import assert_true
from .graph.ops.effects import print_ as print

__all__ = [
    "Assert",
    "assert_all_finite",
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_integer",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
    "assert_proper_iterable",
    "assert_rank",
    "assert_rank_at_least",
    "assert_rank_in",
    "assert_same_float_dtype",
    "assert_scalar",
    "assert_shapes",
    "assert_type",
    "check_numerics",
    "is_numeric_tensor",
    "print",
]


def _pair(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    x = convert(x, hint=y.dtype if isinstance(y, Tensor) else None)
    return x, convert(y, hint=x.dtype)


def _compare(
    op: Callable[[Any, Any], Any],
    sign: str,
    x: Any,
    y: Any,
    message: str | None,
    summarize: int | None,
) -> None:
    x, y = _pair(x, y)
    holds = reductions.reduce_all(op(x, y))
    lead = f"{message} " if message else ""
    text = f"{lead}Condition x {sign} y did not hold. x:"
    assert_true(holds, text, x, "y:", y, summarize=summarize)


def assert_equal(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: Any = None
) -> None:
    """Check that x == y in every place; they broadcast.

    >>> import treadle as tl
    >>> tl.debugging.assert_equal([1, 2], [1, 2])
    """
    _compare(comparison.equal, "==", x, y, message, summarize)


def assert_none_equal(
    x: Any, y: Any, summarize: int | None = None, message: str | None = None, name: Any = None
) -> None:
    """Check that x != y in every place.

    >>> import treadle as tl
    >>> tl.debugging.assert_none_equal([1, 2], 0)
    """
    _compare(comparison.not_equal, "!=", x, y, message, summarize)


def assert_less(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: Any = None
) -> None:
    """Check that x < y in every place.

    >>> import treadle as tl
    >>> tl.debugging.assert_less([1, 2], 3)
    """
    _compare(comparison.less, "<", x, y, message, summarize)


def assert_less_equal(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: Any = None
) -> None:
    """Check that x <= y in every place.

    >>> import treadle as tl
    >>> tl.debugging.assert_less_equal([1, 2], 2)
    """
    _compare(comparison.less_equal, "<=", x, y, message, summarize)


def assert_greater(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: Any = None
) -> None:
    """Check that x > y in every place.

    >>> import treadle as tl
    >>> tl.debugging.assert_greater([1, 2], 0)
    """
    _compare(comparison.greater, ">", x, y, message, summarize)


def assert_greater_equal(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: Any = None
) -> None:
    """Check that x >= y in every place.

    >>> import treadle as tl
    >>> tl.debugging.assert_greater_equal([1, 2], 1)
    """
    _compare(comparison.greater_equal, ">=", x, y, message, summarize)


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    message: str | None = None,
    summarize: int | None = None,
    name: Any = None,
) -> None:
    """Check that |x - y| <= atol + rtol * |y| in every place.

    Both tolerances are by default ten times the distance of 1 to the next number of the dtype.

    >>> import treadle as tl
    >>> tl.debugging.assert_near([1.0], [1.0 + 1e-7])
    """
    x, y = _pair(x, y)
    if not x.dtype.is_differentiable:
        raise DTypeError(f"assert_near compares floating dtypes, not {x.dtype.name}")
    tolerance = 10 * float(np.finfo(x.dtype.real_dtype.numpy).eps)
    rtol = tolerance if rtol is None else rtol
    atol = tolerance if atol is None else atol
    allowed = rtol * arithmetic.absolute(y) + atol
    holds = reductions.reduce_all(arithmetic.absolute(x - y) <= allowed)
    lead = f"{message} " if message else ""
    text = f"{lead}x and y are not near each other. x:"
    assert_true(holds, text, x, "y:", y, summarize=summarize)


def _sign(op: Any, sign: str, x: Any, message: str | None, summarize: int | None) -> None:
    x = convert(x)
    holds = reductions.reduce_all(op(x, 0))
    lead = f"{message} " if message else ""
    text = f"{lead}Condition x {sign} 0 did not hold. x:"
    assert_true(holds, text, x, summarize=summarize)


def assert_positive(
    x: Any, message: str | None = None, summarize: int | None = None, name: Any = None
) -> None:
    """Check that x > 0 in every place.

    >>> import treadle as tl
    >>> tl.debugging.assert_positive([1, 2])
    """
    _sign(comparison.greater, ">", x, message, summarize)


def assert_negative(
    x: Any, message: str | None = None, summarize: int | None = None, name: Any = None
) -> None:
    """Check that x < 0 in every place.

    >>> import treadle as tl
    >>> tl.debugging.assert_negative([-1, -2])
    """
    _sign(comparison.less, "<", x, message, summarize)


def assert_non_negative(
    x: Any, message: str | None = None, summarize: int | None = None, name: Any = None
) -> None:
    """Check that x >= 0 in every place.

    >>> import treadle as tl
    >>> tl.debugging.assert_non_negative([0, 2])
    """
    _sign(comparison.greater_equal, ">=", x, message, summarize)


def assert_non_positive(
    x: Any, message: str | None = None, summarize: int | None = None, name: Any = None
) -> None:
    """Check that x <= 0 in every place.

    >>> import treadle as tl
    >>> tl.debugging.assert_non_positive([0, -2])
    """
    _sign(comparison.less_equal, "<=", x, message, summarize)


def assert_all_finite(x: Any, message: str = "") -> None:
    """Check that no item of x is infinite or NaN.

    >>> import treadle as tl
    >>> tl.debugging.assert_all_finite([1.0])
    """
    check_numerics(x, message)


def check_numerics(tensor: Any, message: str = "", name: Any = None) -> Tensor:
    """`tensor`, checked to hold neither infinity nor NaN.

    >>> import treadle as tl
    >>> tl.debugging.check_numerics([1.0], "the loss").numpy()
    array([1.], dtype=float32)
    """
    x = convert(tensor)
    lead = f"{message} : " if message else ""
    holds = reductions.reduce_all(comparison.isfinite(x))
    assert_true(holds, f"{lead}Tensor had Inf or NaN values:", x)
    return x


# --- shapes and dtypes -------------------------------------------------------------


def _lead(message: str | None) -> str:
    return f"{message} " if message else ""


def _known(rank: Any) -> int | None:
    if isinstance(rank, int):
        return rank
    known = constant_of(rank)
    return None if known is None else int(known)


def assert_rank(x: Any, rank: Any, message: str | None = None, name: Any = None) -> None:
    """Check that x has `rank` axes.

    >>> import treadle as tl
    >>> tl.debugging.assert_rank([[1, 2]], 2)
    """
    x, want = convert(x), _known(rank)
    have = x.shape.rank
    if have is not None and want is not None:
        if have != want:
            raise ShapeError(f"{_lead(message)}Tensor of shape {x.shape} must have rank {want}.")
        return
    actual = queries.rank(x)
    assert_true(
        comparison.equal(actual, rank),
        f"{_lead(message)}Tensor must have rank",
        rank,
        "not",
        actual,
    )


def assert_rank_at_least(x: Any, rank: Any, message: str | None = None, name: Any = None) -> None:
    """Check that x has `rank` axes or more.

    >>> import treadle as tl
    >>> tl.debugging.assert_rank_at_least([[1, 2]], 1)
    """
    x, want = convert(x), _known(rank)
    have = x.shape.rank
    if have is not None and want is not None:
        if have < want:
            raise ShapeError(
                f"{_lead(message)}Tensor of shape {x.shape} must have at least rank {want}."
            )
        return
    actual = queries.rank(x)
    text = f"{_lead(message)}Tensor must have at least rank"
    assert_true(comparison.greater_equal(actual, rank), text, rank, "not", actual)


def assert_rank_in(
    x: Any, ranks: Iterable[int], message: str | None = None, name: Any = None
) -> None:
    """Check that the number of axes of x is one of `ranks`.

    >>> import treadle as tl
    >>> tl.debugging.assert_rank_in([[1, 2]], (1, 2))
    """
    x, allowed = convert(x), [int(r) for r in ranks]
    have = x.shape.rank
    if have is None:
        actual = queries.rank(x)
        holds = reductions.reduce_any(comparison.equal(actual, allowed))
        assert_true(holds, f"{_lead(message)}Tensor must have a rank in {allowed}, not", actual)
    elif have not in allowed:
        raise ShapeError(
            f"{_lead(message)}Tensor of shape {x.shape} must have a rank in {allowed}."
        )


def assert_scalar(tensor: Any, name: Any = None, message: str | None = None) -> Tensor:
    """`tensor`, checked to be a scalar.

    >>> import treadle as tl
    >>> int(tl.debugging.assert_scalar(3))
    3
    """
    x = convert(tensor)
    assert_rank(x, 0, message or "Expected a scalar.")
    return x


def assert_shapes(
    shapes: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: Any = None,
) -> None:
    """Check several shapes at once: pairs of a tensor and its sizes.

    A size is a number, a name that stands for the same size wherever it occurs, or None for any;
    '...' or '*' first or last stands for further axes.

    >>> import treadle as tl
    >>> x, w = tl.zeros([4, 3]), tl.zeros([3, 2])
    >>> tl.debugging.assert_shapes([(x, ("N", "D")), (w, ("D", "H"))])
    """
    pairs = shapes.items() if isinstance(shapes, dict) else shapes
    named: dict[Any, tuple[Any, str]] = {}
    for number, (value, sizes) in enumerate(pairs):
        x = convert(value.deref() if hasattr(value, "deref") else value)
        wanted = _sizes(sizes)
        front, back, open_ = _ends(wanted)
        count = len(front) + len(back)
        (assert_rank_at_least if open_ else assert_rank)(x, count, message)
        actual = queries.shape(x)
        for place, size in [*enumerate(front), *((i - len(back), s) for i, s in enumerate(back))]:
            if size is None or size == ".":
                continue
            label = f"axis {place} of tensor {number}"
            known = x.shape[place] if x.shape.rank is not None else None
            have = actual[place] if known is None else known
            if isinstance(size, str) and not size.isdigit():
                want, other = named.setdefault(size, (have, label))
                text = f"{_lead(message)}{label} and {other} must have one size ('{size}'):"
            else:
                want, text = int(size), f"{_lead(message)}{label} must have size {size}, it is"
            _assert_size(have, want, text, summarize)


def _assert_size(have: Any, want: Any, text: str, summarize: int | None) -> None:
    if isinstance(have, int) and isinstance(want, int):
        if have != want:
            raise ShapeError(f"{text} {have}, {want}" if "one size" in text else f"{text} {have}")
        return
    data = (have, want) if "one size" in text else (have,)
    assert_true(comparison.equal(have, want), text, *data, summarize=summarize)


def _sizes(sizes: Any) -> list[Any]:
    if isinstance(sizes, (str, int)):
        return [sizes] if not isinstance(sizes, str) or len(sizes) == 1 else list(sizes)
    return list(sizes)


def _ends(wanted: list[Any]) -> tuple[list[Any], list[Any], bool]:
    dots = (..., "...", "*")
    if wanted and wanted[0] in dots:
        return [], wanted[1:], True
    if wanted and wanted[-1] in dots:
        return wanted[:-1], [], True
    return wanted, [], False


def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: Any = None) -> None:
    """Check that a tensor has this dtype.

    >>> import treadle as tl
    >>> tl.debugging.assert_type(tl.constant(1.0), tl.float32)
    """
    have, want = convert(tensor).dtype, as_dtype(tf_type)
    if have is not want:
        raise DTypeError(f"{_lead(message)}Tensor must have dtype {want.name}, not {have.name}.")


def assert_integer(x: Any, message: str | None = None, name: Any = None) -> None:
    """Check that x has an integer dtype.

    >>> import treadle as tl
    >>> tl.debugging.assert_integer(tl.constant(1))
    """
    have = convert(x).dtype
    if not have.is_integer:
        raise DTypeError(f"{_lead(message)}Tensor must have an integer dtype, not {have.name}.")


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> Any:
    """The floating dtype that all of `tensors` have; DTypeError if they don't.

    >>> import treadle as tl
    >>> tl.debugging.assert_same_float_dtype([tl.constant(1.0), tl.constant(2.0)])
    tl.float32
    """
    found = None if dtype is None else as_dtype(dtype)
    for x in tensors or ():
        have = convert(x).dtype
        found = found or have
        if have is not found:
            raise DTypeError(f"Expected dtype {found.name}, got {have.name}.")
    found = found or as_dtype("float32")
    if not found.is_floating:
        raise DTypeError(f"Expected a floating dtype, got {found.name}.")
    return found


def assert_proper_iterable(values: Any) -> None:
    """Check that `values` is a collection of tensors, not itself a tensor, array or text.

    >>> import treadle as tl
    >>> tl.debugging.assert_proper_iterable([tl.constant(1)])
    """
    if isinstance(values, (Tensor, np.ndarray, str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"Expected a list or tuple of tensors, got {type(values).__name__}.")


def is_numeric_tensor(tensor: Any) -> bool:
    """True for tensors of integer, floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.debugging.is_numeric_tensor(tl.constant(1)), tl.debugging.is_numeric_tensor(1)
    (True, False)
    """
    return shaping.is_tensor(tensor) and bool(tensor.dtype.is_numeric)
