"""Ops that cut a text into pieces, and those that know its characters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import int32, string
from ..errors import DTypeError, InvalidArgumentError, ShapeError
from ..node import Tensor
from ..op import Op, has_no_batches, loops_over_batches, no_gradient
from ..spec import TensorSpec
from .define import primitive
from .strings import one_of, require_text

_RAGGED = (
    "rows of different lengths would be a RaggedTensor, which treadle does not have; go over the "
    "texts one by one, in a loop or by tl.map_fn with results of one size"
)
_CODECS = {"UTF-8": "utf-8", "UTF-16-BE": "utf-16-be", "UTF-32-BE": "utf-32-be"}


def _pieces_op(name: str, cut: Callable[..., Any], result: Any = string) -> Op:
    """Define an op that cuts one text into a vector."""

    def infer(x: TensorSpec, **attrs: Any) -> TensorSpec:
        require_text(x)
        if x.shape.rank not in (0, None):
            raise ShapeError(f"a single text is needed, the operand has shape {x.shape}: {_RAGGED}")
        return TensorSpec([None], result)

    def evaluate(xp: Any, x: Array, **attrs: Any) -> Array:
        if x.ndim:
            raise ShapeError(f"a single text is needed, the operand has shape {x.shape}: {_RAGGED}")
        found = cut(x.item(), **attrs)
        out = np.empty(len(found), result.numpy)
        out[:] = found
        return out

    def may_fail(x: Tensor, **attrs: Any) -> bool:
        return x.shape.rank is None

    return primitive(f"string_{name}", infer, evaluate, no_gradient, checks=may_fail, display=name)


def _split(text: bytes, *, sep: str, maxsplit: int) -> list[bytes]:
    return text.split(sep.encode() or None, maxsplit)


def _characters(text: bytes, encoding: str, errors: str, replacement: int) -> str:
    codec = _CODECS[encoding]
    try:
        return text.decode(codec)
    except UnicodeDecodeError:
        if errors == "strict":
            raise InvalidArgumentError(f"the text {text!r} is not {encoding}") from None
    return text.decode(codec, errors).replace("\ufffd", chr(replacement))


def _unicode_split(text: bytes, *, encoding: str, errors: str, replacement: int) -> list[bytes]:
    characters = _characters(text, encoding, errors, replacement)
    return [c.encode(_CODECS[encoding]) for c in characters]


def _unicode_decode(text: bytes, *, encoding: str, errors: str, replacement: int) -> list[int]:
    return [ord(c) for c in _characters(text, encoding, errors, replacement)]


_SPLIT = _pieces_op("split", _split)
_BYTES = _pieces_op("bytes_split", lambda text: [bytes([byte]) for byte in text])
_UNICODE_SPLIT = _pieces_op("unicode_split", _unicode_split)
_UNICODE_DECODE = _pieces_op("unicode_decode", _unicode_decode, int32)


def split(
    input: Any, sep: str | None = None, maxsplit: int = -1, name: str | None = None
) -> Tensor:
    """The parts of one text between separators, a vector; by default between white space.

    With `maxsplit` there are at most that many cuts. ShapeError for a tensor with axes: its rows
    would differ in length.

    >>> import treadle as tl
    >>> tl.strings.split("warp weft  heddle").numpy()
    array([b'warp', b'weft', b'heddle'], dtype=object)
    >>> tl.strings.to_number(tl.strings.split("1,2.5", ",")).numpy()
    array([1. , 2.5], dtype=float32)
    """
    attrs = {"sep": sep or "", "maxsplit": maxsplit}
    result: Tensor = apply(_SPLIT, (convert(input),), attrs)
    return result


def bytes_split(input: Any, name: str | None = None) -> Tensor:
    r"""The bytes of one text, a vector of texts.

    >>> import treadle as tl
    >>> tl.strings.bytes_split("hé").numpy()
    array([b'h', b'\xc3', b'\xa9'], dtype=object)
    """
    result: Tensor = apply(_BYTES, (convert(input),))
    return result


def _coding(encoding: str, errors: str, replacement: int) -> dict[str, Any]:
    one_of(encoding, tuple(_CODECS), "the encoding")
    one_of(errors, ("replace", "strict", "ignore"), "errors")
    return {"encoding": encoding, "errors": errors, "replacement": replacement}


def unicode_split(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = 0xFFFD,
    name: str | None = None,
) -> Tensor:
    r"""The characters of one text, a vector of texts.

    >>> import treadle as tl
    >>> tl.strings.unicode_split("hé", "UTF-8").numpy()
    array([b'h', b'\xc3\xa9'], dtype=object)
    """
    attrs = _coding(input_encoding, errors, replacement_char)
    result: Tensor = apply(_UNICODE_SPLIT, (convert(input),), attrs)
    return result


def unicode_decode(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = 0xFFFD,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Tensor:
    """The numbers of the characters of one text, an int32 vector.

    >>> import treadle as tl
    >>> tl.strings.unicode_decode("hé", "UTF-8").numpy()
    array([104, 233], dtype=int32)
    """
    if replace_control_characters:
        raise NotImplementedError("unicode_decode: control characters can't be replaced")
    attrs = _coding(input_encoding, errors, replacement_char)
    result: Tensor = apply(_UNICODE_DECODE, (convert(input),), attrs)
    return result


def _encode_infer(x: TensorSpec, *, encoding: str) -> TensorSpec:
    if x.dtype is not int32:
        raise DTypeError(f"the characters have dtype {x.dtype.name}, int32 is needed; use tl.cast")
    if x.shape.rank == 0:
        raise ShapeError("the numbers of a text's characters are a vector, not a scalar")
    return TensorSpec(x.shape[:-1], string)


def _encode_eval(xp: Any, x: Array, *, encoding: str) -> Array:
    out = np.empty(x.shape[:-1], object)
    flat, rows = out.reshape(-1), x.reshape(-1, x.shape[-1]).tolist()
    for i in range(flat.size):
        characters = [
            c if 0 <= c < 0x110000 and not 0xD800 <= c < 0xE000 else 0xFFFD for c in rows[i]
        ]
        flat[i] = "".join(map(chr, characters)).encode(_CODECS[encoding])
    return out


_UNICODE_ENCODE = primitive(
    "string_unicode_encode", _encode_infer, _encode_eval, no_gradient, display="unicode_encode"
)


def unicode_encode(input: Any, output_encoding: str, name: str | None = None) -> Tensor:
    r"""A text of the characters whose numbers are along the last axis; int32.

    >>> import treadle as tl
    >>> tl.strings.unicode_encode([104, 233], "UTF-8").numpy()
    b'h\xc3\xa9'
    """
    one_of(output_encoding, tuple(_CODECS), "the encoding")
    attrs = {"encoding": output_encoding}
    result: Tensor = apply(_UNICODE_ENCODE, (convert(input, hint=int32),), attrs)
    return result


# --- of a batch of examples ----------------------------------------------------------

has_no_batches(
    "how many pieces there are depends on the example; take the text apart outside of the vmap",
    *(_SPLIT, _BYTES, _UNICODE_SPLIT, _UNICODE_DECODE),
)
loops_over_batches(_UNICODE_ENCODE)

__all__ = ["bytes_split", "split", "unicode_decode", "unicode_encode", "unicode_split"]
