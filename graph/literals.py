"""Values in the text form: specs, attributes and small constants, each way and exact to the bit.

`f32[2,?]` is a spec, `f32(0.5)` a constant, `dtype=f32` an attribute; what has no readable form is
kept in a table beside the text and named `tables["t0"]`.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .convert import Array
from .dtypes import BY_CODE, DType, bfloat16
from .errors import DTypeError
from .spec import UNKNOWN, ArraySpec, DataSpec, ResourceSpec, Spec, TensorShape, TensorSpec

INLINE_SIZE = 16  # a constant of more elements goes into the tables
_INLINE_BYTES = 200  # the same for strings
# Names that have a meaning in the text, so that no value is called so.
WORDS = frozenset({"complex", "exception", "inf", "nan", "shape", "slice", "spec", "tables"})
# How `name(...)` is read, beside the names of this module. What is written so has a method
# `__tl_literal__` that gives the name and the arguments, or None.
READERS: dict[str, Callable[..., Any]] = {}

_BITS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


class Unreadable(ValueError):  # noqa: N818 - caught and turned into a ParseError
    """A value in a text is written in a way that means nothing."""


# --- specs -------------------------------------------------------------------------


def read_spec(text: str) -> Spec:
    """The spec that prints as `text`: `f32[2,?]`, `var<i32[]>`, `array<f32[...]>`."""
    text = text.strip()
    if text.endswith(">"):
        kind, _, inner = text[:-1].partition("<")
        if kind in ("dataset", "iterator", "queue"):
            return DataSpec(kind, [read_spec(item) for item in split_types(inner)])
        value = read_spec(inner)
        if kind == "var" and isinstance(value, TensorSpec):
            return ResourceSpec(value)
        if kind == "array" and isinstance(value, (TensorSpec, ArraySpec)):
            return ArraySpec(value)
    code, bracket, sizes = text.partition("[")
    dtype = dtype_of_code(code)
    if dtype is not None and bracket and sizes.endswith("]"):
        dims = sizes[:-1].split(",") if sizes != "]" else []
        if dims == ["..."]:
            return TensorSpec(UNKNOWN, dtype)
        if all(d.strip() == "?" or d.strip().isdecimal() for d in dims):
            return TensorSpec([None if d.strip() == "?" else int(d) for d in dims], dtype)
    raise Unreadable(f"{text!r} is no type; write one as f32[2,?], var<f32[]> or array<f32[]>")


def split_types(text: str) -> list[str]:
    """The items of a list of types: split at the commas outside of brackets."""
    items, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "[<") - (c in "]>")
        if c == "," and not depth:
            items.append(text[start:i])
            start = i + 1
    items.append(text[start:])
    return [item.strip() for item in items if item.strip()]


def dtype_of_code(code: str) -> DType | None:
    """The dtype with the short name `code`."""
    if code == "bf16":
        try:
            return bfloat16()
        except DTypeError as error:
            raise Unreadable(str(error)) from error
    return BY_CODE.get(code)


# --- printing ----------------------------------------------------------------------


class Tables:
    """The objects that a text refers to, each under one name."""

    def __init__(self, entries: dict[str, Any] | None = None) -> None:
        self.entries: dict[str, Any] = {} if entries is None else entries
        self._names = {id(v): name for name, v in self.entries.items()}

    def name(self, value: Any) -> str:
        """The reference to `value`, which joins the tables if it is new."""
        found = self._names.get(id(value))
        if found is None:
            found = self._names[id(value)] = f"t{len(self.entries)}"
            self.entries[found] = value
        return f'tables["{found}"]'


def write_value(value: Any, tables: Tables, name_of: Callable[[Any], str | None]) -> str:
    """An attribute as text; `name_of` knows the names of graphs and functions."""
    kind = type(value)
    if value is None or kind in (bool, int, str, bytes):
        return repr(value)
    if value is ...:
        return "..."
    if kind is float:
        return _write_float(value)
    if kind is complex:
        return f"complex({_write_float(value.real)}, {_write_float(value.imag)})"
    if kind in (tuple, list):
        items = [write_value(v, tables, name_of) for v in value]
        if kind is list:
            return f"[{', '.join(items)}]"
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if kind is slice:
        parts = (value.start, value.stop, value.step)
        return f"slice({', '.join([write_value(v, tables, name_of) for v in parts])})"
    if isinstance(value, DType):
        return value.code
    if isinstance(value, TensorShape):
        return f"shape({'...' if value.rank is None else ', '.join(map(str, value))})"
    if isinstance(value, (TensorSpec, ResourceSpec, ArraySpec, DataSpec)):
        name = value.name if isinstance(value, TensorSpec) else None
        return f'spec("{value}")' if name is None else f'spec("{value}", {name!r})'
    if isinstance(value, np.ndarray) and is_small(value):
        return write_constant(value)
    literal = value.__tl_literal__() if hasattr(kind, "__tl_literal__") else None
    if literal is not None:
        return f"{literal[0]}({', '.join([write_value(v, tables, name_of) for v in literal[1]])})"
    return name_of(value) or tables.name(value)


def is_small(array: Array) -> bool:
    """True for a constant that is written out where it is used."""
    if array.size > INLINE_SIZE or array.ndim > 4:
        return False
    if array.dtype.hasobject:
        items = array.ravel().tolist()
        return all(type(v) is bytes for v in items) and sum(map(len, items)) <= _INLINE_BYTES
    return array.dtype in _codes()


def _codes() -> dict[np.dtype[Any], str]:
    if len(_CODES) != len(BY_CODE):  # bfloat16 joins late
        _CODES.update((d.numpy, code) for code, d in BY_CODE.items())
    return _CODES


_CODES: dict[np.dtype[Any], str] = {}


def write_constant(array: Array) -> str:
    """A small array as text: `f32(0.5)`, `i32([1, 2])`."""
    dtype = BY_CODE[_codes()[array.dtype]]
    if array.size == 0 and array.shape != (0,):
        return f"{dtype.code}(shape={array.shape})"
    content = _write_items(array, dtype)
    if dtype.is_floating or dtype.is_complex:
        again = _filled(ast.parse(content, mode="eval").body, dtype)
        if again.tobytes() != array.tobytes():  # a NaN with a payload, say
            raw = np.ascontiguousarray(array).reshape(*array.shape, 1)
            bits = raw.view(_BITS[min(dtype.size, 8)])
            return f"{dtype.code}(bits={bits.tolist()})"
    return f"{dtype.code}({content})"


def _write_items(array: Any, dtype: DType) -> str:
    if isinstance(array, np.ndarray) and array.ndim:
        return f"[{', '.join([_write_items(item, dtype) for item in array])}]"
    value = array.item() if isinstance(array, np.ndarray) else array
    if dtype.is_complex:
        part = np.float32 if dtype.size == 8 else np.float64
        real, imag = (_write_float(part(v)) for v in (value.real, value.imag))
        return f"complex({real}, {imag})"
    if dtype.is_floating:
        return _write_float(dtype.numpy.type(value))
    return repr(value if isinstance(value, bytes) else dtype.numpy.type(value).item())


def _write_float(value: Any) -> str:
    """The shortest digits that give `value` (a Python or NumPy float) again."""
    if not math.isfinite(value):
        return str(float(value))
    if type(value).__name__ == "bfloat16":
        value = np.float32(value)
    text = str(value)
    return text if any(c in text for c in ".en") else f"{text}.0"


# --- reading -----------------------------------------------------------------------


def read_value(
    tree: ast.expr, tables: dict[str, Any], lookup: Callable[[str], Any] = lambda name: None
) -> Any:
    """The attribute that an expression of the text stands for; `lookup` knows graphs by name."""
    match tree:
        case ast.Constant(value=value):
            return value
        case ast.Tuple(elts=items):
            return tuple([read_value(v, tables, lookup) for v in items])
        case ast.List(elts=items):
            return [read_value(v, tables, lookup) for v in items]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = read_value(operand, tables, lookup)
            if type(value) in (int, float):
                return -value
        case ast.Subscript(value=ast.Name(id="tables"), slice=ast.Constant(value=key)):
            if key in tables:
                return tables[key]
            raise Unreadable(f"the tables given to parse have no entry {key!r}")
        case ast.Name(id="nan" | "inf" as name):
            return float(name)
        case ast.Name(id=name):
            found = lookup(name)
            found = dtype_of_code(name) if found is None else found
            if found is not None:
                return found
            raise Unreadable(f"{name!r} is not known here")
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            if dtype_of_code(name) is not None:
                return read_constant(tree)
            if not keywords:
                return _read_call(name, [read_value(v, tables, lookup) for v in args])
    raise Unreadable(f"{ast.unparse(tree)} is no value of an attribute")


def _read_call(name: str, args: list[Any]) -> Any:
    try:
        match name:
            case "complex":
                return complex(*args)
            case "slice":
                return slice(*args)
            case "shape":
                return UNKNOWN if args == [...] else TensorShape(args)
            case "spec":
                spec = read_spec(args[0])
                if isinstance(spec, TensorSpec) and len(args) == 2:
                    return TensorSpec(spec.shape, spec.dtype, args[1])
                return spec
            case _ if name in READERS:
                return READERS[name](*args)
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise Unreadable(f"{name}(...) is not well formed: {error}") from error
    raise Unreadable(f"{name}(...) is no value of an attribute")


def read_constant(tree: ast.expr) -> Array:
    """The array that `f32(0.5)` or the like stands for."""
    match tree:
        case ast.Call(func=ast.Name(id=code), args=args, keywords=keywords):
            dtype = dtype_of_code(code)
        case _:
            dtype = None
    if dtype is None:
        raise Unreadable(f"{ast.unparse(tree)} is no constant; write one as f32(0.5)")
    try:
        match args, keywords:
            case [content], []:
                return _filled(content, dtype)
            case [], [ast.keyword(arg="shape", value=sizes)]:
                return np.zeros(ast.literal_eval(sizes), dtype.numpy)
            case [], [ast.keyword(arg="bits", value=bits)]:
                raw = np.array(ast.literal_eval(bits), _BITS[min(dtype.size, 8)])
                return raw.view(dtype.numpy).reshape(raw.shape[:-1])
    except (TypeError, ValueError, OverflowError) as error:
        raise Unreadable(f"{ast.unparse(tree)} is no constant: {error}") from error
    raise Unreadable(f"{ast.unparse(tree)} is no constant; write one as f32(0.5)")


def _filled(content: ast.expr, dtype: DType) -> Array:
    value = read_value(content, {})
    with np.errstate(all="ignore"):
        if dtype.name != "string":
            _require_items(value, dtype)
            return np.array(value, dtype.numpy)
        array = np.array(value, dtype="S")
        out = np.empty(array.shape, object)
        for index in np.ndindex(array.shape):
            item = value
            for i in index:
                item = item[i]
            if type(item) is not bytes:
                raise TypeError("strings are written as b'...'")
            out[index] = item
        return out


def _require_items(value: Any, dtype: DType) -> None:
    if type(value) is list:
        for v in value:
            _require_items(v, dtype)
        return
    allowed = {"b": (bool,), "c": (complex,), "f": (float,)}.get(dtype.kind, (int,))
    if type(value) not in allowed:
        raise TypeError(f"{value!r} is no {allowed[0].__name__}")
