"""`@tl.function`: a Python function that is traced once for each signature."""

from __future__ import annotations

import copy
import functools
import pickle
import sys
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, ParamSpec, Protocol, TypeVar, overload

from ..autograph import convert as autograph_convert
from ..autograph import to_code, why_unconverted
from ..autograph.control.exceptions import is_caught
from ..graph.build import convert, is_tracing
from ..graph.control import UnknownResultError, call
from ..graph.errors import RetracingWarning
from ..graph.location import is_internal, strip_internal_frames
from ..graph.nest import children
from ..graph.node import FunctionRef, Value
from ..graph.settings import SETTINGS, debug, debug_level
from ..graph.spec import DataSpec, TensorSpec
from ..runtime import EagerTensor, Variable
from ..runtime.variable import StandIn
from .bound import BoundFunction
from .cache import MAX_TRACES, TraceCache
from .concrete import ConcreteFunction
from .explain import KEPT, Explanation, TraceReason, described, keeps_retracing, reason_for
from .fitting import Fitted, InputSignature, spec_if_fitted, stand_in, value_if_fitted
from .guards import Guards, guards_from
from .lock import TraceLock
from .places import State
from .progress import note_guards, rests_on, unfinished
from .reading.reader import Reading
from .relax import open_sizes
from .side_effects import warn_of_side_effects
from .signature import Key, Keyed, Parameters, is_tensor_like, quick_key
from .target import code_of, refuse_suspending, signature_of
from .trace import _is_of_class, handed_on, trace_function
from .undo import put_back

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")
S_contra = TypeVar("S_contra", contravariant=True)
T_co = TypeVar("T_co", covariant=True)

_OLDER = frozenset(
    [
        *("experimental_relax_shapes", "experimental_compile", "experimental_implements"),
        *("experimental_autograph_options", "experimental_attributes"),
        "experimental_follow_type_hints",
    ]
)


class CacheInfo(NamedTuple):
    """What `Function.cache_info()` tells."""

    traces: int
    kept: int
    limit: int


class _Method(Protocol[S_contra, Q, T_co]):
    def __call__(self, first: S_contra, /, *args: Q.args, **kwargs: Q.kwargs) -> T_co: ...


class Function(Generic[P, R]):
    """A traced function; see `function`."""

    def __init__(
        self,
        python_function: Callable[P, R],
        input_signature: Sequence[Any] | None = None,
        autograph: bool = True,
        name: str | None = None,
        relaxed: bool = False,
        reduce_retracing: bool = False,
    ) -> None:
        refuse_suspending(python_function)
        functools.update_wrapper(self, python_function)
        self.python_function = python_function
        self.input_signature = None if input_signature is None else tuple(input_signature)
        self._autograph = autograph
        self._relaxed = relaxed
        self.marks: dict[Any, Any] = {}  # of the graphs that it is traced into: how to treat them
        self.is_helper = False  # a plain function, traced by itself since it calls itself
        self.name = str(name or getattr(python_function, "__name__", "function"))
        if not self.name.isidentifier():
            self.name = "lambda_" if "lambda" in self.name else "function"
        # Functions that are not written in Python may mind if they are given their defaults.
        plain = code_of(python_function) is not None
        self.parameters = Parameters(self.name, signature_of(python_function), plain)
        # A default that can be changed in place is looked at in each call.
        self._fixed = all(_is_fixed(p.default) for p in self.parameters.listed)
        self._wanted = (
            InputSignature(
                self.name, self.parameters, self.input_signature, _is_of_class(python_function)
            )
            if self.input_signature is not None
            else None
        )
        self._reduce_retracing = reduce_retracing and input_signature is None
        self._lock = TraceLock()
        self._cache = TraceCache()
        self._count = 0
        self._reasons: list[tuple[TraceReason, weakref.ref[ConcreteFunction]]] = []
        self._told: set[tuple[str, int]] = set()  # lines of side effects that were warned of
        self._warned = False  # of retracing

    # --- calls ---------------------------------------------------------------

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if not kwargs and not self._quick_blocked():
            key = quick_key(args)
            if key is not None:
                known = self._cache.quick.get(key)
                if known is not None and (known.check is None or known.check()):
                    known.used = True
                    try:
                        quick: R = known.run([a for a in args if type(a) is EagerTensor])
                    except (Exception, KeyboardInterrupt) as error:
                        raise strip_internal_frames(error) from error.__cause__
                    return quick
        else:
            key = None
        if SETTINGS["run_eagerly"]:
            return self.python_function(*args, **kwargs)
        try:
            result: R = self._call(args, kwargs, key)
        except UnknownResultError:
            raise
        except (Exception, KeyboardInterrupt) as error:
            raise strip_internal_frames(error) from error.__cause__
        return result

    def _quick_blocked(self) -> bool:
        return is_tracing() or SETTINGS["run_eagerly"]

    def _call(self, args: Sequence[Any], kwargs: Mapping[str, Any], quick: Key | None) -> Any:
        arguments = self._bind(args, kwargs)
        if is_tracing():
            arguments = {name: handed_on(x) for name, x in arguments.items()}
        keyed = Keyed(arguments, self._cache.tied)
        tensors = _tensors_of(arguments)
        concrete = self._cache.find(keyed.parts)
        if concrete is not None:
            if not concrete.used:
                concrete.used = True
                concrete.check = concrete.guards.check()
        else:
            started = unfinished(self, keyed.parts)
            if started is not None and is_tracing():
                started.extra["recursive"] = True
                results = call(started, [*tensors, *started.extra["captures"]])
                return _shaped_like(started, results)
            concrete = self._cache.find_general(keyed.parts)
            if concrete is None:
                concrete, done = self._trace(arguments, keyed, tensors)
                if not is_tracing():
                    self._warn_of_retracing()
                if done:
                    return done[0]
        if is_tracing():
            rests_on(concrete.ref)
            note_guards(concrete.guards)
            if concrete.state is not None and concrete.state.rescue is not None and is_caught():
                # A handler is to see what it changes before it raises.
                args, kwargs = self.parameters.unbind(arguments)
                return self.converted()(*args, **kwargs)
        elif quick is not None and self._fixed and not self._wanted and concrete.state is None:
            found = sum(type(a) is EagerTensor for a in args)
            if len(tensors) == found:  # there are none among the defaults
                self._cache.remember_call(quick, concrete)
        return concrete.run(tensors, arguments)

    def _bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        arguments = self.parameters.bind(args, kwargs)
        return arguments if self._wanted is None else self._wanted.fit(arguments)

    # --- traces --------------------------------------------------------------

    def _trace(
        self, arguments: dict[str, Any], keyed: Keyed, tensors: Sequence[Any] | None
    ) -> tuple[ConcreteFunction, list[Any]]:
        """The trace for `keyed`, and the result if it was already run on `tensors`."""
        with self._lock.held():
            known = self._cache.find(keyed.parts)
            if known is not None:
                return known, []
            if self._reduce_retracing:
                wider = open_sizes(arguments, keyed.parts, self._cache.keys())
                if wider is not None:
                    arguments = wider
                    keyed = Keyed(arguments, self._cache.tied)
            concrete, done = self._trace_now(arguments, keyed, tensors)
            captured = {id(v): v for v in concrete.variables}
            if done or captured.keys().isdisjoint(map(id, keyed.variables)):
                return concrete, done
            # An argument is also captured: reads and writes of both must keep their order.
            keyed = Keyed(arguments, self._cache.tied | captured)
            known = self._cache.find(keyed.parts)
            return (known, []) if known else self._trace_now(arguments, keyed, tensors)

    def _trace_now(
        self, arguments: dict[str, Any], keyed: Keyed, tensors: Sequence[Any] | None
    ) -> tuple[ConcreteFunction, list[Any]]:
        """Trace. A first call that makes variables is a trace of its own, run once: here."""
        self._count += 1
        number = self._count
        name = self.name if number == 1 else f"{self.name}_{number}"
        owner = tuple(id(x) for x in keyed.objects)
        may_create = owner not in self._cache.created_for
        lift = arguments if tensors is None else None
        if self._wanted is not None:
            lift = lift and {n: value_if_fitted(a) for n, a in arguments.items()}
            arguments = {n: spec_if_fitted(a) for n, a in arguments.items()}
        ref = self._named(name)
        concrete, touched = trace_function(self, keyed, ref, arguments, may_create, lift)
        done: list[Any] = []
        if touched is not None:
            assert tensors is not None
            first, ref.name = concrete, f"{name}_first_call"
            for mark in self.marks:  # it makes variables, which can't be done again
                del ref.extra[mark]
            try:
                if not first.returns:
                    first.run(tensors, arguments)  # raises: there was no first call
                concrete, _ = trace_function(self, keyed, self._named(name), arguments, False, None)
                done.append(first.run(tensors, arguments))
            except Exception:
                put_back(touched)
                raise
        self._cache.created_for.add(owner)
        self._note_reason(number, described(arguments, keyed), concrete)
        if not any(isinstance(c, (Value, StandIn)) for c in concrete.captures):
            self._cache.keep(keyed, concrete)
        return concrete, done

    def read(
        self,
        guards: Guards,
        arguments: Mapping[str, Any],
        called: Iterable[Any],
        state: State | None,
    ) -> None:
        """Find what a trace that was just made is guarded for, and warn of side effects."""
        reading = Reading()
        reading.read(self.python_function, arguments)
        reading.read_more(called)
        items = {} if state is None else state.items_written(arguments)
        guards.own = guards_from(reading, items)
        guards.finished = True
        written = set() if state is None else state.written(arguments)
        warn_of_side_effects(self.name, reading, self._told, written)

    def _named(self, name: str) -> FunctionRef:
        ref = FunctionRef(name)
        ref.extra.update(self.marks)
        return ref

    def _note_reason(self, number: int, arguments: Any, concrete: ConcreteFunction) -> None:
        earlier = [r for r, _ in self._reasons]
        reason = reason_for(number, arguments, concrete.guards, earlier, self._reduce_retracing)
        self._reasons = [*self._reasons[1 - KEPT :], (reason, weakref.ref(concrete))]

    def _warn_of_retracing(self) -> None:
        if self._warned or len(self._reasons) < 2:
            return
        traces = [trace() for _, trace in self._reasons]
        reasons = [r for r, _ in self._reasons]
        if keeps_retracing(reasons, [t is not None and t.used for t in traces]):
            self._warned = True
            last = reasons[-1]
            warnings.warn(
                f"'{self.name}' keeps being traced, and its traces are not used again: "
                f"{last.reason}. To avoid it: {last.cure}. {self.name}.explain() tells of each "
                "trace",
                RetracingWarning,
                stacklevel=_stack_level(),
            )

    def explain(self) -> Explanation:
        """Why each trace was made, and what would have avoided it; prints as text.

        >>> import treadle as tl
        >>> @tl.function
        ... def scale(x, k):
        ...     return x * k
        >>> for n in range(2, 4):
        ...     _ = scale(tl.ones([n]), 2.0)
        >>> print(scale.explain())
        scale was traced 2 times
        1. scale(x: f32[2], k=2.0)
           the first call
        2. scale(x: f32[3], k=2.0)
           x was f32[2] in trace 1, is f32[3]
           to avoid it: leave the sizes that differ open: reduce_retracing=True, or ...
        """
        kept = set(self._cache)
        for reason, trace in self._reasons:
            reason.kept = trace() in kept
        return Explanation(self.name, [r for r, _ in self._reasons], self._count)

    def forget(self, which: Callable[[Key], bool]) -> None:
        """Drop the traces whose key is one of `which`."""
        self._cache.forget(lambda key, _: which(key))

    def converted(self) -> Callable[..., Any]:
        """The Python function that is traced."""
        if self._autograph and debug_level() >= 2 and why_unconverted(self.python_function) is None:
            debug(2, to_code(self.python_function))
        if not self._autograph:
            return self.python_function
        return autograph_convert(self.python_function, self._relaxed)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The trace for these arguments: tensors, `TensorSpec`s or Python values.

        Traces if there is none yet; does not run anything.
        """
        if not args and not kwargs and self.input_signature is not None:
            args = self.input_signature
        try:
            arguments = {n: stand_in(a) for n, a in self._bind(args, kwargs).items()}
            keyed = Keyed(arguments, self._cache.tied)
            return self._cache.find(keyed.parts) or self._trace(arguments, keyed, None)[0]
        except Exception as error:
            raise strip_internal_frames(error) from error.__cause__

    def pretty_printed_concrete_signatures(self, verbose: bool = True) -> str:
        """The signatures of all traces as text, each on one line if not `verbose`.

        >>> import treadle as tl
        >>> @tl.function
        ... def scale(x, k=2):
        ...     return x * k
        >>> _ = scale(tl.constant(1.0))
        >>> print(scale.pretty_printed_concrete_signatures())
        Input Parameters:
          x (POSITIONAL_OR_KEYWORD): TensorSpec(shape=(), dtype=tl.float32, name=None)
          k (POSITIONAL_OR_KEYWORD): Literal[2]
        Output Type:
          TensorSpec(shape=(), dtype=tl.float32, name=None)
        Captures:
          None
        """
        separator = "\n\n" if verbose else "\n"
        return separator.join([c.pretty_printed_signature(verbose) for c in self._cache])

    def experimental_get_tracing_count(self) -> int:
        """How often the function was traced."""
        return self._count

    def cache_info(self) -> CacheInfo:
        """How many traces were made and are kept, and how many are kept at most."""
        return CacheInfo(self._count, len(self._cache), MAX_TRACES)

    def cache_clear(self) -> None:
        """Forget all traces."""
        self.forget(lambda key: True)

    @overload
    def __get__(self, instance: None, owner: Any = None) -> Function[..., R]: ...
    @overload
    def __get__(self: _Method[S, Q, T], instance: S, owner: Any = None) -> BoundFunction[Q, T]: ...
    @overload
    def __get__(self, instance: object, owner: Any = None) -> BoundFunction[..., R]: ...
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        return BoundFunction(self, instance)

    def __deepcopy__(self, memo: Any) -> Function[P, R]:
        """A function without traces. That of a copied object's method belongs to the copy."""
        target = copy.deepcopy(self.python_function, memo)
        made: Function[P, R] = Function(
            target,
            self.input_signature,
            self._autograph,
            self.name,
            self._relaxed,
            self._reduce_retracing,
        )
        made.marks.update(self.marks)
        return made

    def __copy__(self) -> Function[P, R]:
        return self

    def __reduce__(self) -> str:
        """Pickled by name, as Python's functions are."""
        module = getattr(self, "__module__", None) or "__main__"
        path = str(getattr(self, "__qualname__", self.name))
        found: Any = sys.modules.get(module)
        for name in path.split("."):
            found = getattr(found, name, None)
        if found is not self:
            raise pickle.PicklingError(
                f"the tl.function '{self.name}' can't be pickled: it is pickled by name, and "
                f"{module}.{path} is not it. Define it at the top level of a module, under its own "
                "name"
            )
        return path

    def __repr__(self) -> str:
        return f"<tl.function {self.name}>"


def _is_fixed(default: Any) -> bool:
    if isinstance(default, tuple):
        return all(map(_is_fixed, default))
    return children(default) is None and not isinstance(default, (set, bytearray))


def _tensors_of(arguments: Mapping[str, Any]) -> list[Any]:
    """The tensors and variables in the arguments, in order; each variable once."""
    found: list[Any] = []
    seen: set[int] = set()
    for x in arguments.values():
        _add_tensors(x, found, seen)
    return found


def _add_tensors(x: Any, found: list[Any], seen: set[int]) -> None:
    if isinstance(x, Fitted):
        found.append(x.tensor)
    elif isinstance(x, Variable):
        if id(x) not in seen:
            seen.add(id(x))
            found.append(x)
    elif is_tensor_like(x):
        known = hasattr(x, "spec") or isinstance(x, (TensorSpec, DataSpec))
        found.append(x if known else convert(x))
    else:
        for item in children(x) or ():
            _add_tensors(item, found, seen)


def _stack_level() -> int:
    """Of the user's line, for a warning that is given by the caller of this."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and is_internal(frame.f_code.co_filename):
        level, frame = level + 1, frame.f_back
    return level


def _shaped_like(started: FunctionRef, results: tuple[Any, ...]) -> Any:
    build = started.extra.get("rebuild")
    if build is not None:
        return build(results)
    return results[0] if len(results) == 1 else results


@overload
def function(func: Callable[P, R], /) -> Function[P, R]: ...
@overload
def function(
    func: None = None,
    input_signature: Sequence[Any] | None = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    name: str | None = None,
    relaxed: bool = False,
    **older: Any,
) -> Callable[[Callable[P, R]], Function[P, R]]: ...
def function(
    func: Any = None,
    input_signature: Sequence[Any] | None = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    name: str | None = None,
    relaxed: bool = False,
    **older: Any,
) -> Any:
    """Make a function that is traced into a graph, once for each signature of its arguments.

    Tensors count by dtype and shape, Python values by value. `input_signature`, a list of
    `TensorSpec`, makes one trace serve all. `autograph=False` leaves Python control flow as it is.
    Works on functions, methods and lambdas, as `@tl.function` or `@tl.function(...)`.
    What it reads besides (globals, closure cells, attributes) counts as well: a change is seen.
    `reduce_retracing=True`: from the second shape on, the sizes that differ are left open. (Its
    older name, `experimental_relax_shapes`, works too; TensorFlow's other `experimental_...` do
    nothing.)

    `relaxed=True`: branches and loops over tensors may change the dtype of a variable (which
    becomes what NumPy 2 would promote to) and its shape, a name may stay undefined on some path
    (reading it then is an UnboundLocalError of the run), and a tensor may end a Python loop.
    Functions that it calls inherit this, but for those with a `@tl.function` of their own.

    >>> import treadle as tl
    >>> @tl.function
    ... def steps(n):
    ...     count = 0
    ...     while n > 1:
    ...         n = tl.where(n % 2 == 0, n // 2, 3 * n + 1)
    ...         count += 1
    ...     return count
    >>> steps(tl.constant(27)).numpy()
    np.int32(111)
    """
    unknown = next((n for n in older if n not in _OLDER), None)
    if unknown is not None:
        raise TypeError(f"function() got an unexpected keyword argument {unknown!r}")
    reduce_retracing = bool(reduce_retracing or older.get("experimental_relax_shapes"))

    def decorate(target: Any) -> Any:
        if isinstance(target, (staticmethod, classmethod)):
            return type(target)(decorate(target.__func__))
        return Function(target, input_signature, autograph, name, relaxed, reduce_retracing)

    return decorate if func is None else decorate(func)


__all__ = [
    "BoundFunction",
    "CacheInfo",
    "Function",
    "function",
]
