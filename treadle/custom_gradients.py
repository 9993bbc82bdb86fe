"""`custom_gradient`: functions whose gradient their author gives."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from .autograph import operators as ag
from .graph.build import convert, is_tracing, recorders, recording
from .graph.control import new_branch
from .graph.errors import GradientError
from .graph.indexed_slices import IndexedSlices
from .graph.location import describe, user_location
from .graph.nest import flatten, pack
from .graph.node import FunctionRef, Node, Tensor
from .graph.op import Attrs, Op
from .graph.ops import custom_gradients as ops
from .graph.spec import ResourceSpec
from .runtime import Variable

# What may go wrong in a gradient function while it is traced: it is raised when, and if, the
# gradient is asked for, as in eager code.
_ERRORS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, NameError, RuntimeError),
    *(TypeError, ValueError),
)


class custom_gradient:  # noqa: N801 - TensorFlow's name
    """Let the function itself say what its gradient is.

    The decorated function gives its result (a tensor, or a nested structure of tensors) and a
    function. This one takes the gradient of each tensor of the result, and gives one for each
    argument, or None: a single one, or a list, or nested as the arguments are. Keyword-only
    arguments may be left out, they have no gradient then. If the function reads trainable
    variables that are no arguments, its gradient function takes `variables=`, the list of these,
    and gives a pair: gradients of the arguments, and a list of those of the variables.

    Works eagerly and in functions, branches and loops, as a method too. What the gradient function
    does is differentiated in turn; it may use `tl.custom_gradient` itself. Raises TypeError if no
    pair of result and function is given, GradientError where the number, the shape or the dtype of
    the gradients is wrong.

    >>> import treadle as tl
    >>> @tl.custom_gradient
    ... def log1pexp(x):
    ...     e = tl.exp(x)
    ...     def grad(dy):
    ...         return dy * (1 - 1 / (1 + e))
    ...     return tl.math.log(1 + e), grad
    >>> x = tl.constant(100.0)
    >>> with tl.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = log1pexp(x)
    >>> tape.gradient(y, x).numpy()
    np.float32(1.0)
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        if not callable(f):
            raise TypeError(f"tl.custom_gradient takes a function, not {f!r}")
        self._function = f
        functools.update_wrapper(self, f)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        bound = getattr(self._function, "__get__", None)
        return self if bound is None or instance is None else type(self)(bound(instance, owner))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _Call(self._function, args, kwargs).result()


class _Variables:
    """Notes the trainable variables that are read."""

    orders = 0  # of gradients: it asks for none

    def __init__(self) -> None:
        self.seen: dict[int, Variable] = {}

    def record(
        self, op: Op, inputs: Sequence[Any], attrs: Attrs, outputs: Any, above: int = 0
    ) -> None:
        for x in inputs:
            if isinstance(x, Variable) and x.trainable:
                self.seen[id(x)] = x

    def widened(self, node: Node) -> None:
        pass

    def is_watched(self, value: Any) -> bool:
        return False


class _Call:
    """One call of a function with a gradient of its own."""

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        self.name = getattr(function, "__name__", type(function).__name__)
        self.loc = user_location(3)
        self.tracing = is_tracing()
        watcher = _Variables()
        with recording((*recorders(), watcher)):
            found = self._prepared(function)(*args, **kwargs)
        if not (isinstance(found, (tuple, list)) and len(found) == 2 and callable(found[1])):
            raise TypeError(
                f"'{self.name}' must give a pair, its result and its gradient function, as it is "
                f"under tl.custom_gradient; called at {describe(self.loc)} it gave {found!r}"
            )
        self.structure, self.grad_fn = found
        self.results = [convert(y) for y in flatten(self.structure)]
        self.arguments = _arguments(function, args, kwargs)
        self.leaves = [x for x, _ in self.arguments]
        own = {id(x) for x in self.leaves}
        self.variables = [v for v in watcher.seen.values() if id(v) not in own]
        if self.variables and not _takes(self.grad_fn, "variables"):
            names = ", ".join(f"'{v.name}'" for v in self.variables)
            raise TypeError(
                f"the gradient function of '{self.name}' must take the keyword argument "
                f"'variables', since '{self.name}' reads the variables {names}: "
                "def grad(*dys, variables=None) gives the gradients of the arguments, and a list "
                "of those of the variables; or make them arguments"
            )
        self.sources = [*self.leaves, *self.variables]

    def _prepared(self, function: Any) -> Any:
        return ag.call(function) if self.tracing else function

    def result(self) -> Any:
        places = [i for i, x in enumerate(self.sources) if isinstance(x, (Tensor, Variable))]
        sources = [self.sources[i] for i in places]
        if not self.tracing:
            backward = _Backward(lambda gs: _chosen(self.gradients(gs), places))
            return self._packed(ops.custom_gradient(self.results, sources, backward))
        names = [f"dy{i or ''}" for i in range(len(self.results))]
        branch = new_branch([y.spec for y in self.results], names, "backward")
        try:
            with branch, recording(()):
                grads = _chosen(self.gradients(branch.inputs), places)
                outputs = [branch.builder.resolve(g) for g in grads if g is not None]
        except _ERRORS as error:
            return self._packed(ops.custom_gradient(self.results, sources, _Failed(error)))
        captured = list(branch.captures)
        graph = branch.finish(outputs, captured)
        ref = FunctionRef(f"{self.name}_gradient", graph)
        wrt = [i for i, g in enumerate(grads) if g is not None]
        return self._packed(ops.custom_gradient(self.results, sources, ref, wrt, captured))

    def _packed(self, results: Sequence[Tensor]) -> Any:
        return pack(self.structure, list(results))

    def gradients(self, dys: Sequence[Any]) -> list[Any]:
        """What the gradient function gives for each argument and variable."""
        function = self._prepared(self.grad_fn)
        if not self.variables:
            return self._of_arguments(function(*dys))
        found = function(*dys, variables=list(self.variables))
        if not (isinstance(found, (tuple, list)) and len(found) == 2):
            raise self._error(
                "must give a pair: gradients of the arguments, and a list of those of the variables"
            )
        of_variables = flatten(_dense(found[1]))
        if len(of_variables) != len(self.variables):
            raise self._error(
                f"gives {len(of_variables)} gradients of variables, there are {len(self.variables)}"
            )
        checked = [
            self._checked(g, v, f"the variable '{v.name}'")
            for g, v in zip(of_variables, self.variables, strict=True)
        ]
        return [*self._of_arguments(found[0]), *checked]

    def _of_arguments(self, found: Any) -> list[Any]:
        grads = flatten(_dense(found))
        ways = [[i for i, (_, rank) in enumerate(self.arguments) if rank in way] for way in _WAYS]
        places = next((way for way in ways if len(way) == len(grads)), None)
        if places is None:
            raise self._error(
                f"gives {len(grads)} gradients, but '{self.name}' has {len(ways[0])} arguments: "
                "it must give one for each, or None"
            )
        by_place: list[Any] = [None] * len(self.leaves)
        for i, g in zip(places, grads, strict=True):
            by_place[i] = self._checked(g, self.leaves[i], f"argument {i}")
        return by_place

    def _checked(self, g: Any, x: Any, what: str) -> Any:
        if g is None or not isinstance(x, (Tensor, Variable)) or not x.dtype.is_differentiable:
            return None
        grad = convert(g, hint=x.dtype)
        if grad.dtype is not x.dtype or not grad.shape.is_compatible_with(x.shape):
            wanted = x.spec.value if isinstance(x.spec, ResourceSpec) else x.spec
            raise self._error(f"gives a gradient {grad.spec} for {what}, which is {wanted}")
        return grad

    def _error(self, what: str) -> GradientError:
        return GradientError(
            f"the gradient function of '{self.name}', called at {describe(self.loc)}, {what}"
        )


def _dense(found: Any) -> Any:
    """Gradients, those of some rows as tensors."""
    if isinstance(found, IndexedSlices):
        return convert(found)
    if isinstance(found, (list, tuple)) and not hasattr(found, "_fields"):
        return [_dense(x) for x in found]
    return {k: _dense(x) for k, x in found.items()} if type(found) is dict else found


def _chosen(grads: Sequence[Any], places: Sequence[int]) -> list[Any]:
    return [grads[i] for i in places]


class _Backward:
    """A gradient function in eager code. It is no key of any table, which would keep it alive."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, function: Callable[[Sequence[Any]], Any]) -> None:
        self._function = function

    def __call__(self, gs: Sequence[Any]) -> Any:
        return self._function(gs)


class _Failed:
    """Raises what a gradient function has raised while it was traced."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __call__(self, gs: Sequence[Any]) -> Any:
        raise self._error


def _takes(function: Callable[..., Any], name: str) -> bool:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return True  # it does not tell
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


_GIVEN, _DEFAULT, _KEYWORD, _DEFAULT_KEYWORD = range(4)
# The arguments that gradients may be given for: those of the call; with defaults; all.
_WAYS = ((_GIVEN,), (_GIVEN, _DEFAULT), (_GIVEN, _KEYWORD), tuple(range(4)))


def _arguments(function: Callable[..., Any], args: Any, kwargs: Any) -> list[tuple[Any, int]]:
    """The leaves of the arguments in the order of the parameters, and which kind each one is."""
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except (TypeError, ValueError):
        rest = [(x, _KEYWORD) for x in flatten(kwargs)]
        return [(x, _GIVEN) for x in flatten(list(args))] + rest
    given = set(bound.arguments)
    bound.apply_defaults()
    found: list[tuple[Any, int]] = []
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        named = kind is inspect.Parameter.KEYWORD_ONLY or kind is inspect.Parameter.VAR_KEYWORD
        rank = (_KEYWORD if named else _GIVEN) + (name not in given)
        found += [(x, rank) for x in flatten(value)]
    return found


__all__ = ["custom_gradient"]
