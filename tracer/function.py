"""`@tl.function`: a Python function that is traced once for each signature."""

from __future__ import annotations

import copy
import functools
import inspect
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar, overload

from ..autograph import convert as autograph_convert
from ..autograph import to_code, why_unconverted
from ..graph.build import convert, is_tracing
from ..graph.control import UnknownResultError, call
from ..graph.location import strip_internal_frames
from ..graph.nest import children
from ..graph.node import FunctionRef, Tensor, Value
from ..graph.settings import debug, debug_level
from ..graph.spec import TensorSpec
from ..runtime import EagerTensor, Variable
from ..runtime.variable import StandIn
from .concrete import ConcreteFunction
from .fitting import Fitted, InputSignature, spec_if_fitted, value_if_fitted
from .lock import TraceLock
from .progress import rests_on, unfinished
from .signature import Key, Keyed, Parameters, is_tensor_like, quick_key
from .trace import trace_function

P = ParamSpec("P")
R = TypeVar("R")
MAX_TRACES = 256

_settings = {"run_eagerly": False}


class CacheInfo(NamedTuple):
    """What `Function.cache_info()` tells."""

    traces: int
    kept: int
    limit: int


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Make every `tl.function` run as plain Python (for debugging), or trace again.

    >>> import treadle as tl
    >>> tl.config.run_functions_eagerly(True)
    >>> tl.function(lambda: tl.executing_eagerly())()
    True
    >>> tl.config.run_functions_eagerly(False)
    """
    _settings["run_eagerly"] = bool(run_eagerly)


def functions_run_eagerly() -> bool:
    """True after `run_functions_eagerly(True)`."""
    return _settings["run_eagerly"]


class Function(Generic[P, R]):
    """A traced function; see `function`."""

    def __init__(
        self,
        python_function: Callable[P, R],
        input_signature: Sequence[Any] | None = None,
        autograph: bool = True,
        name: str | None = None,
    ) -> None:
        functools.update_wrapper(self, python_function)
        self.python_function = python_function
        self.input_signature = None if input_signature is None else tuple(input_signature)
        self._autograph = autograph
        self.name = str(name or getattr(python_function, "__name__", "function"))
        if not self.name.isidentifier():
            self.name = "lambda_" if "lambda" in self.name else "function"
        self.parameters = Parameters(self.name, inspect.signature(python_function))
        self._wanted = (
            InputSignature(self.name, self.parameters, self.input_signature)
            if self.input_signature is not None
            else None
        )
        self._lock = TraceLock()
        self._traces: dict[Key, ConcreteFunction] = {}  # the oldest, or longest unused, first
        self._quick: dict[Key, ConcreteFunction] = {}
        self._tied: dict[int, Variable] = {}  # the variables that traces capture, by id
        self._owners: dict[int, Any] = {}  # weak references to objects that are part of keys
        self._created_for: set[Key] = set()  # signatures' objects for which a first call was made
        self._count = 0

    # --- calls ---------------------------------------------------------------

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if not kwargs and not self._quick_blocked():
            key = quick_key(args)
            if key is not None:
                known = self._quick.get(key)
                if known is not None:
                    known.used = True
                    quick: R = known.run([a for a in args if type(a) is EagerTensor])
                    return quick
        else:
            key = None
        if _settings["run_eagerly"]:
            return self.python_function(*args, **kwargs)
        try:
            result: R = self._call(args, kwargs, key)
        except UnknownResultError:
            raise
        except Exception as error:
            raise strip_internal_frames(error) from error.__cause__
        return result

    def _quick_blocked(self) -> bool:
        return is_tracing() or _settings["run_eagerly"]

    def _call(self, args: Sequence[Any], kwargs: Mapping[str, Any], quick: Key | None) -> Any:
        arguments = self._bind(args, kwargs)
        keyed = Keyed(arguments, self._tied)
        tensors = _tensors_of(arguments)
        concrete = self._traces.get(keyed.parts)
        if concrete is not None:
            concrete.used = True
        else:
            started = unfinished(self, keyed.parts)
            if started is not None and is_tracing():
                started.extra["recursive"] = True
                results = call(started, [*tensors, *started.extra["captures"]])
                return _shaped_like(started, results)
            concrete, done = self._trace(arguments, keyed, tensors)
            if done:
                return done[0]
        if is_tracing():
            rests_on(concrete.ref)
        elif quick is not None and self._wanted is None and keyed.parts in self._traces:
            found = sum(type(a) is EagerTensor for a in args)
            if len(tensors) == found:  # there are none among the defaults
                self._quick[quick] = concrete
        return concrete.run(tensors)

    def _bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        arguments = self.parameters.bind(args, kwargs)
        return arguments if self._wanted is None else self._wanted.fit(arguments)

    # --- traces --------------------------------------------------------------

    def _trace(
        self, arguments: dict[str, Any], keyed: Keyed, tensors: Sequence[Any] | None
    ) -> tuple[ConcreteFunction, list[Any]]:
        """The trace for `keyed`, and the result if it was already run on `tensors`."""
        with self._lock.held():
            known = self._traces.get(keyed.parts)
            if known is not None:
                return known, []
            concrete, done = self._trace_now(arguments, keyed, tensors)
            captured = {id(v): v for v in concrete.variables}
            if done or captured.keys().isdisjoint(map(id, keyed.variables)):
                return concrete, done
            # An argument is also captured: reads and writes of both must keep their order.
            keyed = Keyed(arguments, self._tied | captured)
            known = self._traces.get(keyed.parts)
            return (known, []) if known else self._trace_now(arguments, keyed, tensors)

    def _trace_now(
        self, arguments: dict[str, Any], keyed: Keyed, tensors: Sequence[Any] | None
    ) -> tuple[ConcreteFunction, list[Any]]:
        """Trace. A first call that makes variables is a trace of its own, run once: here."""
        self._count += 1
        name = self.name if self._count == 1 else f"{self.name}_{self._count}"
        owner = tuple(id(x) for x in keyed.objects)
        may_create = owner not in self._created_for
        lift = arguments if tensors is None else None
        if self._wanted is not None:
            lift = lift and {n: value_if_fitted(a) for n, a in arguments.items()}
            arguments = {n: spec_if_fitted(a) for n, a in arguments.items()}
        ref = FunctionRef(name)
        concrete, created = trace_function(self, keyed, ref, arguments, may_create, lift)
        done: list[Any] = []
        if created:
            assert tensors is not None
            first, ref.name = concrete, f"{name}_first_call"
            concrete, _ = trace_function(self, keyed, FunctionRef(name), arguments, False, None)
            done.append(first.run(tensors))
        self._created_for.add(owner)
        if not any(isinstance(c, (Value, StandIn)) for c in concrete.captures):
            self._tied |= {id(v): v for v in concrete.variables}
            self._keep(keyed, concrete)
        return concrete, done

    def _keep(self, keyed: Keyed, concrete: ConcreteFunction) -> None:
        for x in keyed.objects:
            self._watch(x)
        self._traces[keyed.parts] = concrete
        if len(self._traces) > MAX_TRACES:
            self._evict()

    def _evict(self) -> None:
        """Drop the oldest trace that was not used since the last time that this was asked."""
        for key, concrete in list(self._traces.items())[:-1]:
            if not concrete.used:
                break
            concrete.used = False
            self._traces[key] = self._traces.pop(key)
        oldest = next(iter(self._traces))
        self.forget(lambda key: key == oldest)

    def _watch(self, x: Any) -> None:
        """Drop the traces that are keyed by the identity of `x` when it dies."""
        if id(x) in self._owners:
            return
        number = id(x)
        this = weakref.ref(self)

        def died(_: Any) -> None:
            function = this()
            if function is not None:
                function._owners.pop(number, None)
                function._created_for = {o for o in function._created_for if number not in o}
                function.forget(lambda key: _mentions(key, number))

        try:
            self._owners[number] = weakref.ref(x, died)
        except TypeError:
            self._owners[number] = x  # can't be held weakly: lives as long as its traces

    def forget(self, which: Callable[[Key], bool]) -> None:
        """Drop the traces whose key is one of `which`. Takes no lock: objects may die anywhere."""
        dropped = [self._traces.pop(key, None) for key in list(self._traces) if which(key)]
        if not dropped:
            return
        kept = list(self._traces.items())
        self._quick = {q: c for q, c in list(self._quick.items()) if c not in dropped}
        self._tied = {id(v): v for _, trace in kept for v in trace.variables}
        for number, owner in list(self._owners.items()):
            strong = not isinstance(owner, weakref.ref)
            if strong and not any(_mentions(key, number) for key, _ in kept):
                self._owners.pop(number, None)
                self._created_for = {o for o in self._created_for if number not in o}

    def converted(self) -> Callable[..., Any]:
        """The Python function that is traced."""
        if self._autograph and debug_level() >= 2 and why_unconverted(self.python_function) is None:
            debug(2, to_code(self.python_function))
        return autograph_convert(self.python_function) if self._autograph else self.python_function

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The trace for these arguments: tensors, `TensorSpec`s or Python values.

        Traces if there is none yet; does not run anything.
        """
        if not args and not kwargs and self.input_signature is not None:
            args = self.input_signature
        try:
            arguments = self._bind(args, kwargs)
            keyed = Keyed(arguments, self._tied)
            return self._traces.get(keyed.parts) or self._trace(arguments, keyed, None)[0]
        except Exception as error:
            raise strip_internal_frames(error) from error.__cause__

    def experimental_get_tracing_count(self) -> int:
        """How often the function was traced."""
        return self._count

    def cache_info(self) -> CacheInfo:
        """How many traces were made and are kept, and how many are kept at most."""
        return CacheInfo(self._count, len(self._traces), MAX_TRACES)

    def cache_clear(self) -> None:
        """Forget all traces."""
        self.forget(lambda key: True)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        return BoundFunction(self, instance)

    def __deepcopy__(self, memo: Any) -> Function[P, R]:
        """A function without traces. That of a copied object's method belongs to the copy."""
        target = copy.deepcopy(self.python_function, memo)
        return Function(target, self.input_signature, self._autograph, self.name)

    def __reduce__(self) -> str:
        return self.python_function.__qualname__  # pickled by name, as Python's functions are

    def __repr__(self) -> str:
        return f"<tl.function {self.name}>"


def _tensors_of(arguments: Mapping[str, Any]) -> list[Any]:
    """The tensors and variables in the arguments, in order; each variable once."""
    found: list[Any] = []
    seen: set[int] = set()

    def visit(x: Any) -> None:
        if isinstance(x, Fitted):
            found.append(x.tensor)
        elif isinstance(x, Variable):
            if id(x) not in seen:
                seen.add(id(x))
                found.append(x)
        elif is_tensor_like(x):
            found.append(x if isinstance(x, (Tensor, TensorSpec)) else convert(x))
        else:
            for item in children(x) or ():
                visit(item)

    for x in arguments.values():
        visit(x)
    return found


def _mentions(key: Any, number: int) -> bool:
    if isinstance(key, tuple):
        return key == ("object", number) or any(_mentions(part, number) for part in key)
    return False


def _shaped_like(started: FunctionRef, results: tuple[Any, ...]) -> Any:
    build = started.extra.get("rebuild")
    if build is not None:
        return build(results)
    return results[0] if len(results) == 1 else results


class BoundFunction:
    """A traced method of an instance."""

    __slots__ = ("__self__", "function")

    def __init__(self, function: Function[Any, Any], instance: Any) -> None:
        self.function = function
        self.__self__ = instance

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(self.__self__, *args, **kwargs)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        if not args and not kwargs and self.function.input_signature is not None:
            args = self.function.input_signature
        return self.function.get_concrete_function(self.__self__, *args, **kwargs)

    @property
    def python_function(self) -> Any:
        return self.function.python_function.__get__(self.__self__)

    @property
    def __func__(self) -> Function[Any, Any]:
        return self.function

    def __getattr__(self, name: str) -> Any:
        return getattr(self.function, name)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, BoundFunction)
            and self.function is other.function
            and self.__self__ is other.__self__
        )

    def __hash__(self) -> int:
        return hash((self.function, id(self.__self__)))

    def __deepcopy__(self, memo: Any) -> BoundFunction:
        return BoundFunction(self.function, copy.deepcopy(self.__self__, memo))

    def __reduce__(self) -> Any:
        return BoundFunction, (self.function, self.__self__)

    def __repr__(self) -> str:
        return f"<bound {self.function!r} of {type(self.__self__).__name__}>"


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
) -> Callable[[Callable[P, R]], Function[P, R]]: ...
def function(
    func: Any = None,
    input_signature: Sequence[Any] | None = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    name: str | None = None,
) -> Any:
    """Make a function that is traced into a graph, once for each signature of its arguments.

    Tensors count by dtype and shape, Python values by value. `input_signature`, a list of
    `TensorSpec`, makes one trace serve all. `autograph=False` leaves Python control flow as it is.
    Works on functions, methods and lambdas, as `@tl.function` or `@tl.function(...)`.

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

    def decorate(target: Any) -> Any:
        if isinstance(target, (staticmethod, classmethod)):
            return type(target)(decorate(target.__func__))
        made: Function[Any, Any] = Function(target, input_signature, autograph, name)
        return made

    return decorate if func is None else decorate(func)


__all__ = [
    "BoundFunction",
    "CacheInfo",
    "Function",
    "function",
    "functions_run_eagerly",
    "run_functions_eagerly",
]
