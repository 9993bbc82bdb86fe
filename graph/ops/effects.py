"""Ops that are there for what they do: print, and checks that fail when the program runs."""

from __future__ import annotations

import builtins
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..build import apply, convert, eager_constant
from ..convert import Array
from ..dtypes import int32
from ..errors import AssertionFailedError, DTypeError, ShapeError
from ..node import Tensor
from ..op import CHECKS, IO, OPS, Attrs, Op, batches, no_gradient
from ..spec import TensorShape, TensorSpec
from ..symbolic_text import python_value
from ..weak import is_python
from .define import primitive
from .dims import partial_value

# --- text of values, as TensorFlow prints them -------------------------------------


# As in C: quotes and what can't be seen, the latter by number in octal where it has no letter.
_ESCAPED = {
    **{i: f"\\{i:03o}" for i in (*range(32), 127)},
    **{ord(c): f"\\{letter}" for c, letter in zip("\n\r\t\"'\\", "nrt\"'\\", strict=True)},
}


def number_text(value: Any) -> str:
    """One item: floats as short as they can be read back, texts in quotes."""
    if isinstance(value, (bytes, str)):
        data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        text = data.decode("utf-8", "surrogateescape").translate(_ESCAPED)
        shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        return f'"{shown}"'
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    if isinstance(value, np.integer):
        return str(int(value))
    if isinstance(value, np.complexfloating):
        return str(complex(value)).strip("()")
    double = value.dtype.itemsize == 8
    text = f"{float(value):.{15 if double else 6}g}"
    back = np.float64(text) if double else np.float32(text)
    same = np.isnan(value) or back == value.astype(back.dtype)
    return text if same else f"{float(value):.{17 if double else 9}g}"


def array_text(array: Array, summarize: int = 3) -> str:
    """An array in brackets, with `...` for all but `summarize` items at each end of an axis."""
    if array.ndim == 0:
        return number_text(array[()])
    return _axis_text(array, summarize, 1)


def _axis_text(array: Array, summarize: int, depth: int) -> str:
    size = len(array)
    whole = summarize < 0 or size <= 2 * summarize
    shown = range(size) if whole else [*range(summarize), *range(size - summarize, size)]
    if array.ndim == 1:
        texts = [number_text(array[i]) for i in shown]
        gap = " "
    else:
        texts = [_axis_text(array[i], summarize, depth + 1) for i in shown]
        gap = "\n" * (array.ndim - 1) + " " * depth
    if not whole:
        texts.insert(summarize, "...")
    return f"[{gap.join(texts)}]"


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """A tensor that stands for a Python number or text: `make` gives its text, as of that."""

    tensor: Tensor
    make: str  # "str" or "repr"


Parts = list["str | Tensor | Plain"]


def parts_of(value: Any, top: bool = True) -> Parts:
    """A Python value as texts and the tensors between them."""
    if isinstance(value, Tensor):
        return [Plain(value, "str" if top else "repr") if is_python(value) else value]
    if hasattr(value, "__tl_tensor__"):
        return parts_of(value.__tl_tensor__(), top)
    if isinstance(value, str):
        return [value if top else repr(value)]
    if isinstance(value, OrderedDict):
        return [f"{type(value).__name__}(", *parts_of(list(value.items()), False), ")"]
    if isinstance(value, dict):
        try:
            keys: Sequence[Any] = sorted(value)
        except TypeError:
            keys = list(value)
        return _bracketed("{", [[f"{k!r}: ", *parts_of(value[k], False)] for k in keys], "}")
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        named = zip(value._fields, value, strict=True)
        items: list[Parts] = [[f"{n}=", *parts_of(v, False)] for n, v in named]
        return _bracketed(f"{type(value).__name__}(", items, ")")
    if isinstance(value, tuple) and not isinstance(value, TensorShape):
        items = [parts_of(v, False) for v in value]
        return _bracketed("(", items, ",)" if len(items) == 1 else ")")
    if isinstance(value, (list, range)):
        return _bracketed("[", [parts_of(v, False) for v in value], "]")
    if isinstance(value, np.generic):
        return [str(value)]
    return [repr(value)]


def _bracketed(start: str, items: Sequence[Parts], end: str) -> Parts:
    parts: Parts = [start]
    for i, item in enumerate(items):
        parts += [", ", *item] if i else item
    return [*parts, end]


def _template(parts: Parts) -> tuple[tuple[str, ...], list[Tensor], tuple[str, ...]]:
    """The texts around the tensors, which are one more than these, the tensors, and the style of
    each: "" for a tensor, or how Python makes a text of it.
    """
    texts, tensors, styles = [""], [], []
    for part in parts:
        if isinstance(part, str):
            texts[-1] += part
        else:
            tensors.append(part.tensor if isinstance(part, Plain) else part)
            styles.append(part.make if isinstance(part, Plain) else "")
            texts.append("")
    return tuple(texts), tensors, tuple(styles)


def _fill(
    template: tuple[str, ...], arrays: Sequence[Array], summarize: int, styles: tuple[str, ...] = ()
) -> str:
    texts = [array_text(np.asarray(a), summarize) for a in arrays]
    for i, style in enumerate(styles):
        if style:
            value = python_value(eager_constant(np.asarray(arrays[i])))
            texts[i] = repr(value) if style == "repr" else str(value)
    return "".join(t + a for t, a in zip(template, [*texts, ""], strict=True))


# --- print -------------------------------------------------------------------------

_streams: list[Any] = []  # what programs print to besides stdout, stderr and files


def _print_eval(
    xp: Any,
    *arrays: Array,
    template: tuple[str, ...],
    summarize: int | None,
    stream: str,
    styles: tuple[str, ...] = (),
) -> tuple[()]:
    if summarize is None:
        text = arrays[0][()].decode("utf-8", "backslashreplace") + template[1]  # type: ignore[attr-defined]
    else:
        text = _fill(template, arrays, summarize, styles)
    if stream.startswith("file://"):
        with open(stream[7:], "a", encoding="utf-8") as file:
            file.write(text)
    elif stream.startswith("stream:"):
        _streams[int(stream[7:])].write(text)
    else:
        getattr(sys, stream).write(text)
    return ()


_print: Op = primitive(
    "print_",
    lambda *specs, template, summarize, stream, styles=(): (),
    _print_eval,
    no_gradient,
    multiple=True,
    effects=(IO,),
    display="print",
)


def print_(
    *inputs: Any,
    output_stream: Any = None,
    summarize: int = 3,
    sep: str = " ",
    end: str = "\n",
    name: str | None = None,
) -> None:
    """Print tensors and other values when the program runs, in order with all other output.

    Of long axes the first and last `summarize` items are shown, all of them for -1. Lists, tuples
    and dicts may hold tensors. A single string tensor is printed as it is, others in quotes.
    `output_stream` is `sys.stderr` (the default), `sys.stdout`, any
    object with a method `write`, or "file://" and a path.

    >>> import treadle as tl, sys
    >>> tl.print("steps:", tl.range(10), {"loss": tl.constant(0.5)}, output_stream=sys.stdout)
    steps: [0 1 2 ... 7 8 9] {'loss': 0.5}
    """
    parts: Parts = []
    for i, value in enumerate(inputs):
        parts += [sep, *parts_of(value)] if i else parts_of(value)
    template, tensors, styles = _template([*parts, end])
    attrs: Attrs = {"template": template, "summarize": summarize, "stream": _stream(output_stream)}
    if len(inputs) == len(tensors) == 1 and template[0] == "" and _is_text(tensors[0]):
        attrs["summarize"] = None  # a single text is printed as it is, without quotes
    elif any(styles):
        attrs["styles"] = styles
    apply(_print, tensors, attrs)


def _is_text(x: Tensor) -> bool:
    return x.dtype.name == "string" and x.shape.rank == 0


def _stream(stream: Any) -> str:
    if stream is None or stream is sys.stderr:
        return "stderr"
    if stream is sys.stdout:
        return "stdout"
    if isinstance(stream, str):
        if not stream.startswith("file://"):
            raise ValueError(f"output_stream must be a stream or 'file://...', not {stream!r}")
        return stream
    with _lock:
        for i, known in enumerate(_streams):
            if known is stream:
                return f"stream:{i}"
        _streams.append(stream)
        return f"stream:{len(_streams) - 1}"


_lock = threading.Lock()

# --- assertions --------------------------------------------------------------------


def _assert_infer(
    condition: TensorSpec, *data: TensorSpec, template: tuple[str, ...], summarize: int
) -> tuple[()]:
    if not condition.dtype.is_bool:
        raise DTypeError(f"the condition has dtype {condition.dtype.name}, bool is needed")
    if condition.shape.rank not in (0, None):
        raise ShapeError(
            f"the condition must be a scalar, it has shape {condition.shape}; use tl.reduce_all"
        )
    return ()


def _assert_eval(
    xp: Any, condition: Array, *data: Array, template: tuple[str, ...], summarize: int
) -> tuple[()]:
    if not condition:
        raise AssertionFailedError(_fill(template, data, summarize))
    return ()


_assert: Op = primitive(
    "assert_",
    _assert_infer,
    _assert_eval,
    no_gradient,
    multiple=True,
    effects=(CHECKS,),
    display="assert",
)


def assert_true(condition: Any, *data: Any, summarize: int | None = None, sep: str = " ") -> None:
    """Fail with AssertionFailedError, and the text of `data`, unless `condition` holds.

    A condition that is known to hold while tracing leaves nothing behind.
    """
    tensor = convert(condition)
    known = partial_value(tensor)
    if known is not None and known.dtype == bool and known.ndim == 0 and known:
        return
    parts: Parts = []
    for i, value in enumerate(data or ("the condition does not hold",)):
        parts += [sep, *parts_of(value)] if i else parts_of(value)
    template, tensors, _ = _template(parts)
    attrs = {"template": template, "summarize": 3 if summarize is None else summarize}
    apply(_assert, (tensor, *tensors), attrs)


def _require_eval(
    xp: Any, condition: Array, *values: Array, error: str, message: str
) -> tuple[Array, ...]:
    if not condition:
        raise getattr(builtins, error)(message)
    return values


_require: Op = primitive(
    "require",
    lambda condition, *specs, error, message: specs,
    _require_eval,
    lambda g, out, condition, *values, error, message: (None, *g),
    jvp=lambda ts, outs, condition, *values, error, message: ts[1:],
    multiple=True,
    effects=(CHECKS,),
)


def require(
    condition: Tensor, values: Sequence[Tensor], error: str, message: str
) -> tuple[Tensor, ...]:
    """`values`, if `condition` holds when the program runs; else Python's own `error` is raised."""
    result: tuple[Tensor, ...] = apply(
        _require, (condition, *values), {"error": error, "message": message}
    )
    return result


def assert_(condition: Any, data: Any = (), summarize: int | None = None, name: Any = None) -> None:
    """Fail with AssertionFailedError (an InvalidArgumentError) unless `condition` is true.

    `data` is a list of what the message shows.

    >>> import treadle as tl
    >>> tl.debugging.Assert(tl.constant(2) < 1, ["two is", tl.constant(2)])
    Traceback (most recent call last):
    ...
    treadle.graph.errors.AssertionFailedError: assert: two is 2
    ...
    """
    items = list(data) if isinstance(data, (list, tuple)) else [data]
    assert_true(condition, *items, summarize=summarize)


# --- of a batch of examples ----------------------------------------------------------


@batches(_print)
def _batched_print(batch: Any, flags: Any, *values: Tensor, **attrs: Any) -> Any:
    """Once for the batch, with the values of all examples."""
    if batch.masked and any(flags):
        raise batch.refuse(
            "print",
            "it is on a path that only some of the examples take; print outside of the condition "
            "or loop, for example what tl.where gives",
        )
    if attrs["summarize"] is None:
        attrs = {**attrs, "summarize": 3}
    return apply(_print, values, {k: v for k, v in attrs.items() if k != "styles"})


def _first_failing(batch: Any, flags: Any, condition: Tensor, data: Sequence[Tensor]) -> Any:
    """Whether the condition holds for all examples, and the data of the first for which not."""
    whole = apply(OPS["reduce_all"], (condition,), {"axis": (0,), "keepdims": False})
    holds = apply(OPS["cast"], (condition,), {"dtype": int32})
    first = apply(OPS["argmin"], (holds,), {"axis": 0, "output_type": int32}) if data else None
    picked = [
        apply(OPS["gather"], (x, first), {"axis": 0, "in_range": True}) if flag else x
        for x, flag in zip(data, flags, strict=True)
    ]
    return whole, picked


@batches(_assert)
def _batched_assert(batch: Any, flags: Any, condition: Tensor, *data: Tensor, **attrs: Any) -> Any:
    condition = batch.full(condition, flags[0])
    if data and batch.count is None:
        data = ()
        attrs = {**attrs, "template": ("".join(attrs["template"]),)}
    whole, picked = _first_failing(batch, flags[1 : 1 + len(data)], condition, data)
    return apply(_assert, (whole, *picked), attrs)


@batches(_require)
def _batched_require(
    batch: Any, flags: Any, condition: Tensor, *values: Tensor, **attrs: Any
) -> Any:
    whole, _ = _first_failing(batch, (), batch.full(condition, flags[0]), ())
    return apply(_require, (whole, *batch.fulls(values, flags[1:])), attrs)
