"""`@tl.function`: a Python function that is traced once for each signature."""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar, overload

from ..autograph import convert as autograph_convert
from ..graph.build import convert, is_tracing
from ..graph.control import UnknownResultError, call
from ..graph.errors import DTypeError, SignatureError
from ..graph.location import describe, strip_internal_frames, user_location
from ..graph.nest import children, rebuild
from ..graph.node import FunctionRef, Tensor, Value
from ..graph.spec import TensorSpec, covers
from ..runtime import EagerTensor, Variable
from .concrete import ConcreteFunction
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
        self._name = str(name or getattr(python_function, "__name__", "function"))
        if not self._name.isidentifier():
            self._name = "lambda_" if "lambda" in self._name else "function"
        self._parameters = Parameters(python_function)
        self._lock = threading.RLock()
        self._traces: dict[Key, ConcreteFunction] = {}
        self._quick: dict[Key, ConcreteFunction] = {}
        self._unfinished: dict[Key, FunctionRef] = {}
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
        keyed = Keyed(arguments)
        concrete = self._traces.get(keyed.parts)
        if concrete is None:
            tensors = _tensors_of(arguments)
            unfinished = self._unfinished.get(keyed.parts)
            if unfinished is not None and is_tracing():
                unfinished.extra["recursive"] = True
                results = call(unfinished, [*tensors, *unfinished.extra["captures"]])
                return _shaped_like(unfinished, results)
            concrete = self._trace(arguments, keyed)
        if quick is not None and not self.input_signature and keyed.parts in self._traces:
            self._quick[quick] = concrete
        return concrete.run(_tensors_of(arguments))

    def _bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        arguments = self._parameters.bind(args, kwargs)
        if self.input_signature is None:
            return arguments
        names = [n for n in self._parameters.names if n not in ("self", "cls")]
        for name, spec in zip(names, self.input_signature, strict=False):
            arguments[name] = self._fitted(name, arguments[name], spec, arguments)
        return arguments

    def _fitted(self, name: str, value: Any, spec: Any, arguments: Mapping[str, Any]) -> Any:
        """An argument as the input signature wants it: converted, and checked."""
        items = children(spec)
        if items is not None and not isinstance(spec, TensorSpec):
            parts = children(value)
            if parts is None or len(parts) != len(items):
                raise self._misfit(name, value, spec)
            fitted = [
                self._fitted(name, v, s, arguments) for v, s in zip(parts, items, strict=True)
            ]
            return rebuild(value, fitted)
        if isinstance(value, TensorSpec):
            if value.dtype is not spec.dtype or not covers(spec.shape, value.shape):
                raise self._misfit(name, value, spec)
            return value
        try:
            tensor = convert(value, hint=spec.dtype)
        except DTypeError:
            raise self._misfit(name, value, spec) from None
        if tensor.dtype is not spec.dtype or not covers(spec.shape, tensor.shape):
            raise self._misfit(name, tensor, spec)
        return Fitted(tensor, spec)

    def _misfit(self, name: str, value: Any, spec: Any) -> SignatureError:
        got = (
            f"shape {value.shape} and dtype {value.dtype.name}"
            if isinstance(value, (Tensor, TensorSpec))
            else repr(value)
        )
        wanted = (
            f"shape {spec.shape} and dtype {spec.dtype.name}"
            if isinstance(spec, TensorSpec)
            else repr(spec)
        )
        return SignatureError(
            f"Python inputs incompatible with input_signature: {self._name}() takes the argument "
            f"'{name}' with {wanted}, got {got}, at {describe(user_location(3))}"
        )

    # --- traces --------------------------------------------------------------

    def _trace(self, arguments: dict[str, Any], keyed: Keyed) -> ConcreteFunction:
        with self._lock:
            known = self._traces.get(keyed.parts)
            if known is not None:
                return known
            self._count += 1
            ref = FunctionRef(self._name if self._count == 1 else f"{self._name}_{self._count}")
            self._unfinished[keyed.parts] = ref
            owner = tuple(id(x) for x in keyed.objects)
            try:
                concrete = trace_function(
                    self._converted(),
                    self._name,
                    ref,
                    {n: _spec_if_fitted(a) for n, a in arguments.items()},
                    self._parameters.unbind,
                    may_create=owner not in self._created_for,
                    values={n: _value_if_fitted(a) for n, a in arguments.items()},
                )
            finally:
                del self._unfinished[keyed.parts]
            self._created_for.add(owner)
            if not any(isinstance(c, Value) for c in concrete.captures):
                self._keep(keyed, concrete)
            return concrete

    def _keep(self, keyed: Keyed, concrete: ConcreteFunction) -> None:
        self._traces[keyed.parts] = concrete
        for x in keyed.objects:
            self._watch(x)
        if len(self._traces) > MAX_TRACES:
            oldest = next(iter(self._traces))
            self._forget(lambda key: key == oldest)

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
                function._forget(lambda key: _mentions(key, number))
                function._created_for = {o for o in function._created_for if number not in o}

        try:
            self._owners[number] = weakref.ref(x, died)
        except TypeError:
            self._owners[number] = x  # can't be held weakly: lives as long as the function

    def _forget(self, which: Callable[[Key], bool]) -> None:
        with self._lock:
            for key in [k for k in self._traces if which(k)]:
                gone = self._traces.pop(key)
                for quick in [q for q, c in self._quick.items() if c is gone]:
                    del self._quick[quick]

    def _converted(self) -> Callable[..., Any]:
        return autograph_convert(self.python_function) if self._autograph else self.python_function

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The trace for these arguments: tensors, `TensorSpec`s or Python values.

        Traces if there is none yet; does not run anything.
        """
        if not args and not kwargs and self.input_signature is not None:
            args = self.input_signature
        try:
            arguments = self._bind(args, kwargs)
            keyed = Keyed(arguments)
            return self._traces.get(keyed.parts) or self._trace(arguments, keyed)
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
        self._forget(lambda key: True)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        return BoundFunction(self, instance)

    def __repr__(self) -> str:
        return f"<tl.function {self._name}>"


class Fitted:
    """An argument converted to its `input_signature`: the value, keyed by the signature's spec."""

    __slots__ = ("spec", "tensor")

    def __init__(self, tensor: Tensor, spec: TensorSpec) -> None:
        self.tensor = tensor
        self.spec = spec

    def __tracing_type__(self) -> Any:
        return self.spec


def _unfit(x: Any, pick: Callable[[Fitted], Any]) -> Any:
    if isinstance(x, Fitted):
        return pick(x)
    items = children(x)
    return x if items is None else rebuild(x, [_unfit(item, pick) for item in items])


def _spec_if_fitted(x: Any) -> Any:
    return _unfit(x, lambda fitted: fitted.spec)


def _value_if_fitted(x: Any) -> Any:
    return _unfit(x, lambda fitted: fitted.tensor)


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


def _shaped_like(unfinished: FunctionRef, results: tuple[Any, ...]) -> Any:
    build = unfinished.extra.get("rebuild")
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

    def __getattr__(self, name: str) -> Any:
        return getattr(self.function, name)

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
