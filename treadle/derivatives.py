"""Derivatives of functions as functions: `grad`, `value_and_grad`, `jvp`, `vjp`, `hessian`.

They are written with tapes and accumulators, so they compose in any order, eager or traced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any

from .autograph import operators as ag
from .functional import map_fn
from .graph.build import convert, is_tracing
from .graph.errors import DTypeError, ShapeError
from .graph.nest import flatten, map_structure, pack
from .graph.node import Tensor
from .graph.ops.shaping import concat, eye, identity, reshape, transpose
from .graph.ops.shaping import shape as shape_of
from .graph.ops.shaping import size as size_of
from .runtime import ForwardAccumulator, GradientTape, Variable

Function = Callable[..., Any]


def _prepared(f: Function) -> Function:
    made: Function = ag.call(f) if is_tracing() else f
    return made


def _source(x: Any, what: str) -> Any:
    """`x` as something to differentiate by: a tensor that is not known elsewhere, or a variable."""
    if not isinstance(x, Variable):
        x = identity(x)
    if not x.dtype.is_differentiable:
        raise DTypeError(
            f"{what} has dtype {x.dtype.name}, by which nothing has a derivative; use tl.cast, or "
            "leave it out of argnums"
        )
    return x


class _Arguments:
    """The arguments of a call, of which those in `argnums` are differentiated by."""

    def __init__(self, args: Sequence[Any], argnums: int | Sequence[int]) -> None:
        self.single = isinstance(argnums, int)
        self._args = list(args)
        chosen = [argnums] if isinstance(argnums, int) else list(argnums)
        for i in chosen:
            if not -len(args) <= i < len(args):
                raise ValueError(f"argnums names argument {i}, the call has {len(args)}")
        self._places = [i % len(args) for i in chosen]
        if len(set(self._places)) < len(chosen):
            raise ValueError(f"argnums names an argument twice: {chosen}")
        for i in self._places:
            self._args[i] = map_structure(lambda x, i=i: _source(x, f"argument {i}"), args[i])

    @property
    def structure(self) -> Any:
        """The chosen arguments: one, or a tuple of several."""
        chosen = [self._args[i] for i in self._places]
        return chosen[0] if self.single else tuple(chosen)

    @property
    def sources(self) -> list[Any]:
        return flatten(self.structure)

    def call(self, f: Function, kwargs: dict[str, Any]) -> Any:
        return _prepared(f)(*self._args, **kwargs)


def _with_aux(result: Any, has_aux: bool, name: str) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise ValueError(f"with has_aux '{name}' has to give a pair, it gave {result!r}")
    return result[0], result[1]


def _name(f: Any) -> str:
    return getattr(f, "__name__", None) or repr(f)


def _scalar(value: Any, name: str) -> Tensor:
    y = convert(value)
    if y.shape.rank not in (0, None):
        raise ShapeError(
            f"the gradient of '{name}' needs one number, it gave shape {y.shape}; use "
            "tl.reduce_sum or tl.vjp"
        )
    if not y.dtype.is_differentiable:
        raise DTypeError(f"'{name}' gave dtype {y.dtype.name}, which has no gradient; use tl.cast")
    return y


def value_and_grad(
    f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Function:
    """A function that gives what `f` gives, and its gradient by the arguments `argnums`.

    `f` gives a floating scalar, or with `has_aux` a pair of it and anything else. An argument may
    be a nested structure of tensors and variables; its gradient has the same structure, zeros
    where `f` does not depend on it. For several arguments the gradient is a tuple. Raises
    ShapeError where `f` gives no scalar, DTypeError for arguments and results without gradients.

    >>> import treadle as tl
    >>> value, g = tl.value_and_grad(lambda x: tl.reduce_sum(x * x))(tl.constant([1., 2.]))
    >>> float(value), g.numpy()
    (5.0, array([2., 4.], dtype=float32))
    """

    @wraps(f, updated=())
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        given = _Arguments(args, argnums)
        with GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(given.sources)
            result = given.call(f, kwargs)
            value, _ = _with_aux(result, has_aux, _name(f))
            y = _scalar(value, _name(f))
        found = tape.gradient(y, given.sources, unconnected_gradients="zero")
        return result, pack(given.structure, [convert(g) for g in found])

    return differentiated


def grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """A function that gives the gradient of `f` by the arguments `argnums`.

    As `value_and_grad`, but without the value; with `has_aux` a pair of the gradient and what `f`
    gives besides.

    >>> import treadle as tl
    >>> float(tl.grad(tl.grad(lambda x: x ** 3.))(2.))
    12.0
    """
    both = value_and_grad(f, argnums, has_aux)

    @wraps(f, updated=())
    def gradient(*args: Any, **kwargs: Any) -> Any:
        result, found = both(*args, **kwargs)
        return (found, result[1]) if has_aux else found

    return gradient


def jvp(
    f: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> tuple[Any, ...]:
    """What `f(*primals)` gives, and its derivative along `tangents`, which has its structure.

    `tangents` has a direction for each argument, of the same structure, shapes and dtypes. Results
    that do not depend on the arguments have zeros, those of integer dtypes None. With `has_aux`
    `f` gives a pair, and the second part is the third result here. Raises ValueError, ShapeError
    or DTypeError where tangents do not fit.

    >>> import treadle as tl
    >>> y, t = tl.jvp(lambda x: x * x, (3.,), (1.,))
    >>> float(y), float(t)
    (9.0, 6.0)
    """
    if not isinstance(primals, (list, tuple)) or not isinstance(tangents, (list, tuple)):
        raise TypeError("jvp takes a tuple of arguments and a tuple of tangents: (x,), (t,)")
    given = _Arguments(primals, range(len(primals)))
    with ForwardAccumulator(list(given.structure), list(tangents)) as accumulator:
        result = given.call(f, {})
        value, aux = _with_aux(result, has_aux, _name(f))
        value = map_structure(convert, value)
    found = map_structure(lambda y: _tangent(accumulator, y), value)
    return (value, found, aux) if has_aux else (value, found)


def _tangent(accumulator: ForwardAccumulator, y: Any) -> Any:
    return accumulator.jvp(y, "zero") if y.dtype.is_differentiable else None


def vjp(f: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """What `f(*primals)` gives, and a function that pulls gradients of it back to the arguments.

    That function takes a gradient for each result, in the structure of the results (None counts as
    zeros), and gives a tuple with one for each argument; it may be called more than once. With
    `has_aux` `f` gives a pair, and the second part is the third result here.

    >>> import treadle as tl
    >>> y, back = tl.vjp(lambda x, w: x * w, 3., 4.)
    >>> [float(g) for g in back(1.)]
    [4.0, 3.0]
    """
    given = _Arguments(primals, range(len(primals)))
    with GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(given.sources)
        result = given.call(f, {})
        value, aux = _with_aux(result, has_aux, _name(f))
        value = map_structure(convert, value)
    targets = flatten(value)

    def pull_back(gradients: Any) -> tuple[Any, ...]:
        weights = flatten(gradients)
        if len(weights) != len(targets):
            raise ValueError(f"{len(weights)} gradients are given for {len(targets)} results")
        pairs = [(y, g) for y, g in zip(targets, weights, strict=True) if g is not None]
        found = tape.gradient([y for y, _ in pairs], given.sources, [g for _, g in pairs], "zero")
        packed: tuple[Any, ...] = pack(given.structure, [convert(g) for g in found])
        return packed

    return (value, pull_back, aux) if has_aux else (value, pull_back)


def hessian(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """A function that gives the second derivatives of `f` by the arguments `argnums`.

    For one tensor `x` it is a tensor of the shape of x twice. For nested structures and several
    arguments it is their structure, and each part of it such a structure again: `h["a"]["b"]` has
    the shape of part "a", then that of part "b". `f` and `has_aux` are as for `grad`.

    Forward over reverse, one direction after the other: the gradient of `f` is run as often as the
    arguments have items, and what `f` does besides happens as often.

    >>> import treadle as tl
    >>> tl.hessian(lambda x: tl.reduce_prod(x))(tl.constant([2., 3.])).numpy()
    array([[0., 1.],
           [1., 0.]], dtype=float32)
    """
    gradient = grad(f, argnums, has_aux)

    @wraps(f, updated=())
    def second(*args: Any, **kwargs: Any) -> Any:
        given = _Arguments(args, argnums)
        sources = given.sources

        def along(place: int, direction: Tensor) -> list[Tensor]:
            x = sources[place]
            with ForwardAccumulator(x, reshape(direction, shape_of(x))) as accumulator:
                found = given.call(gradient, kwargs)
                found = found[0] if has_aux else found
            tangents: list[Tensor] = accumulator.jvp(flatten(found), "zero")
            return tangents

        columns = [_rows(partial(along, j), x, sources) for j, x in enumerate(sources)]
        blocks = [
            pack(given.structure, [column[i] for column in columns]) for i in range(len(sources))
        ]
        result = pack(given.structure, blocks)
        if not has_aux:
            return result
        return result, _with_aux(given.call(f, kwargs), True, _name(f))[1]

    return second


def _rows(along: Callable[[Tensor], list[Tensor]], x: Any, like: list[Any]) -> list[Tensor]:
    """`along` for each item of `x`: for each of `like` a tensor of its shape and that of `x`."""
    count = x.shape.num_elements()
    basis = eye(size_of(x) if count is None else count, dtype=x.dtype)
    dtypes = [y.dtype for y in like]
    stacked = map_fn(along, basis, fn_output_signature=dtypes)
    return [
        reshape(transpose(reshape(s, [shape_of(s)[0], -1])), concat([shape_of(y), shape_of(x)], 0))
        for s, y in zip(stacked, like, strict=True)
    ]


__all__ = ["grad", "hessian", "jvp", "value_and_grad", "vjp"]
