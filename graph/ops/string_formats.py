"""Text of numbers, numbers of text, and patterns in text."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import (
    DType,
    as_dtype,
    bool_,
    float32,
    float64,
    int32,
    int64,
    string,
    uint32,
    uint64,
)
from ..errors import InvalidArgumentError, ShapeError
from ..node import Tensor
from ..op import loops_over_batches, no_gradient
from ..spec import TensorSpec
from .define import batches_as_they_are, batches_in_step, constant_of, primitive
from .effects import array_text
from .strings import each, one_of, require_text

# --- numbers -----------------------------------------------------------------------

_NUMBERS = (float32, float64, int32, int64, uint32, uint64)
_INTEGER = re.compile(rb"[+-]?\d+")
_HEXADECIMAL = re.compile(rb"[+-]?0[xX]")


def _number(text: bytes, *, dtype: DType) -> Any:
    stripped = text.strip()
    try:
        if dtype.is_integer:
            number = int(stripped) if _INTEGER.fullmatch(stripped) else None
            if number is not None and dtype.min <= number <= dtype.max:
                return number
        elif b"_" not in stripped:
            if _HEXADECIMAL.match(stripped):
                return float.fromhex(stripped.decode())
            return float(stripped)
    except ValueError:
        pass
    raise InvalidArgumentError(f"the text {text!r} is no number of dtype {dtype.name}")


def _number_infer(x: TensorSpec, *, dtype: DType) -> TensorSpec:
    require_text(x)
    return TensorSpec(x.shape, dtype)


_TO_NUMBER = primitive(
    "string_to_number",
    _number_infer,
    lambda xp, x, *, dtype: each(lambda text: _number(text, dtype=dtype), x, dtype=dtype.numpy),
    no_gradient,
    checks=lambda x, **attrs: True,
    display="to_number",
)


def to_number(input: Any, out_type: Any = float32, name: str | None = None) -> Tensor:
    """The numbers that texts spell, of dtype `out_type`.

    InvalidArgumentError for a text that spells none, or one that the dtype does not have.

    >>> import treadle as tl
    >>> tl.strings.to_number(["1", " -2.5e1 "]).numpy()
    array([  1., -25.], dtype=float32)
    """
    dtype = as_dtype(out_type)
    one_of(dtype.name, [d.name for d in _NUMBERS], "out_type")
    result: Tensor = apply(_TO_NUMBER, (convert(input),), {"dtype": dtype})
    return result


def _spelled(value: Any, form: str) -> bytes:
    if isinstance(value, complex):
        return f"({form % value.real},{form % value.imag})".encode()
    if isinstance(value, bool):
        value = "true" if value else "false"
    text: str = form % value
    return text.encode()


def _as_string_eval(xp: Any, x: Array, *, form: str) -> Array:
    if x.dtype.kind == "O":
        return each(lambda text: (form % text.decode("latin-1")).encode("latin-1"), x)
    wide = x.astype(np.float64) if x.dtype.kind in "fV" else x
    return each(lambda value: _spelled(value, form), wide)


_AS_STRING = primitive(
    "string_as_string",
    lambda x, *, form: TensorSpec(x.shape, string),
    _as_string_eval,
    no_gradient,
    display="as_string",
)


def as_string(
    input: Any,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Tensor:
    """The numbers as texts: floats with `precision` digits (6) behind the point.

    `scientific` writes `1e+03`, `shortest` whichever is shorter. With `width` texts are filled up
    with spaces on their left, or as `fill` says: "0" with zeros, "-" on the right, "+" with a sign.

    >>> import treadle as tl
    >>> tl.strings.as_string([3.14159, 2.0], precision=2).numpy()
    array([b'3.14', b'2.00'], dtype=object)
    """
    x = convert(input)
    one_of(fill, ("", " ", "0", "-", "+"), "fill")
    if scientific and shortest:
        raise InvalidArgumentError("as_string: either scientific or shortest may be asked for")
    decimal = x.dtype.is_differentiable
    if not decimal and (scientific or shortest or precision >= 0):
        raise InvalidArgumentError(
            f"as_string: precision, scientific and shortest are for floats, not {x.dtype.name}"
        )
    kind = "e" if scientific else "g" if shortest else "f"
    letter = kind if decimal else "d" if x.dtype.is_integer else "s"
    size = f"{width if width > 0 else ''}{f'.{precision}' if precision >= 0 else ''}"
    result: Tensor = apply(_AS_STRING, (x,), {"form": f"%{fill}{size}{letter}"})
    return result


def _format_eval(xp: Any, *arrays: Array, template: tuple[str, ...], summarize: int) -> Array:
    texts = [array_text(np.asarray(a), summarize) for a in arrays]
    whole = "".join(t + a for t, a in zip(template, [*texts, ""], strict=True))
    out = np.empty((), object)
    out[()] = whole.encode()
    return out


_FORMAT = primitive(
    "string_format",
    lambda *specs, template, summarize: TensorSpec((), string),
    _format_eval,
    no_gradient,
    display="format",
)


def format(
    template: str,
    inputs: Any,
    placeholder: str = "{}",
    summarize: int = 3,
    name: str | None = None,
) -> Tensor:
    """The text `template` with a tensor in the place of each `placeholder`, as `tl.print` has it.

    ValueError where their numbers differ.

    >>> import treadle as tl
    >>> tl.strings.format("{} of {}", [tl.constant(2), tl.range(9)]).numpy()
    b'2 of [0 1 2 ... 6 7 8]'
    """
    given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    pieces = template.split(placeholder)
    if len(pieces) != len(given) + 1:
        raise ValueError(
            f"format: the template has {len(pieces) - 1} places, there are {len(given)} inputs"
        )
    attrs = {"template": tuple(pieces), "summarize": summarize}
    result: Tensor = apply(_FORMAT, [convert(x) for x in given], attrs)
    return result


# --- patterns ----------------------------------------------------------------------


@functools.lru_cache(256)
def _compiled(pattern: bytes) -> re.Pattern[str]:
    try:
        return re.compile(pattern.decode("utf-8", "surrogateescape"), re.ASCII)
    except re.error as error:
        raise InvalidArgumentError(f"the pattern {pattern!r} is not valid: {error}") from None


def _replacer(rewrite: str) -> Callable[[re.Match[str]], str]:
    r"""What stands in for a match: `\1` is a group, `\0` all of it, `\\` a backslash."""
    pieces = re.split(r"\\(.)", rewrite, flags=re.DOTALL)
    last = -1

    def replace(match: re.Match[str]) -> str:
        nonlocal last
        if match.start() == match.end() == last:
            return ""  # nothing, right behind a match, is no match
        last = match.end()
        out = pieces[0]
        for mark, text in zip(pieces[1::2], pieces[2::2], strict=True):
            out += (match[int(mark)] or "" if mark.isdigit() else mark) + text
        return out

    return replace


def _valid_rewrite(rewrite: str, groups: int) -> bool:
    marks = re.findall(r"\\(.?)", rewrite, flags=re.DOTALL)
    return all(m == "\\" or (m.isdigit() and int(m) <= groups) for m in marks)


def _replaced(text: bytes, pattern: bytes, rewrite: bytes, count: int) -> bytes:
    found = _compiled(pattern)
    new = rewrite.decode("utf-8", "surrogateescape")
    if not _valid_rewrite(new, found.groups):
        return text  # as TensorFlow does
    old = text.decode("utf-8", "surrogateescape")
    return found.sub(_replacer(new), old, count).encode("utf-8", "surrogateescape")


def _patterns_infer(x: TensorSpec, *patterns: TensorSpec, **attrs: Any) -> TensorSpec:
    require_text(x, *patterns)
    for spec in patterns:
        if spec.shape.rank not in (0, None):
            raise ShapeError(f"a pattern is a scalar, not of shape {spec.shape}")
    return x


def _may_be_wrong(x: Tensor, pattern: Tensor, *rest: Tensor, **attrs: Any) -> bool:
    return constant_of(pattern) is None


_REPLACE = primitive(
    "string_regex_replace",
    _patterns_infer,
    lambda xp, x, pattern, rewrite, *, count: each(
        lambda text: _replaced(text, pattern.item(), rewrite.item(), count), x
    ),
    no_gradient,
    checks=_may_be_wrong,
    display="regex_replace",
)
_FULL_MATCH = primitive(
    "string_regex_full_match",
    lambda x, pattern: TensorSpec(_patterns_infer(x, pattern).shape, bool_),
    lambda xp, x, pattern: each(
        lambda text: bool(
            _compiled(pattern.item()).fullmatch(text.decode("utf-8", "surrogateescape"))
        ),
        x,
        dtype=np.bool_,
    ),
    no_gradient,
    checks=_may_be_wrong,
    display="regex_full_match",
)


def _pattern(value: Any) -> Tensor:
    """The pattern as a tensor, checked at once where it is known."""
    tensor = convert(value)
    known = constant_of(tensor) if tensor.dtype is string else None
    if known is not None and known.ndim == 0:
        _compiled(known.item())
    return tensor


def regex_replace(
    input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None
) -> Tensor:
    r"""The texts with what `pattern` matches replaced by `rewrite`: everywhere, or the first time.

    In `rewrite`, `\1` to `\9` are groups of the pattern, `\0` is all that it matches. Patterns are
    Python's, with classes of ASCII characters. InvalidArgumentError for one that is not valid.

    >>> import treadle as tl
    >>> tl.strings.regex_replace("12 ab", r"(\d)(\d)", r"\2\1").numpy()
    b'21 ab'
    """
    operands = (convert(input), _pattern(pattern), convert(rewrite))
    result: Tensor = apply(_REPLACE, operands, {"count": 0 if replace_global else 1})
    return result


def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Tensor:
    r"""True for the texts that `pattern` matches as a whole.

    >>> import treadle as tl
    >>> tl.strings.regex_full_match(["ab1", "1"], r"[a-z]+\d").numpy()
    array([ True, False])
    """
    result: Tensor = apply(_FULL_MATCH, (convert(input), _pattern(pattern)))
    return result


# --- of a batch of examples ----------------------------------------------------------

batches_in_step(_TO_NUMBER, _AS_STRING)
batches_as_they_are(_REPLACE, _FULL_MATCH)
loops_over_batches(_FORMAT)

__all__ = ["as_string", "format", "regex_full_match", "regex_replace", "to_number"]
