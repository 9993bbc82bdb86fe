"""Element types: one `DType` object per type, and the rules to find one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import DTypeError


class DType:
    """An element type of tensors.

    `name` is its TensorFlow name, `as_numpy_dtype` the NumPy scalar type that holds it (strings
    are held as objects of class `bytes`). A dtype equals its name and its NumPy type.

    >>> import treadle as tl
    >>> tl.float32, tl.float32.name, tl.float32 == "float32"
    (tl.float32, 'float32', True)
    """

    __slots__ = (
        *("code", "is_complex", "is_differentiable", "is_floating", "is_integer", "is_unsigned"),
        *("kind", "name", "numpy"),
    )

    def __init__(self, name: str, code: str, numpy: npt.DTypeLike) -> None:
        self.name = name
        self.code = code
        self.numpy: np.dtype[Any] = np.dtype(numpy)
        self.is_complex = self.numpy.kind == "c"
        # bfloat16 is of NumPy kind "V": it comes from an extension package.
        self.is_floating = self.numpy.kind == "f" or name == "bfloat16"
        self.is_differentiable = self.is_floating or self.is_complex
        self.is_integer = self.numpy.kind in "iu"
        self.is_unsigned = self.numpy.kind == "u"
        # b bool, i int, u unsigned, f float, c complex, O string
        self.kind = "f" if self.is_floating else self.numpy.kind

    @property
    def as_numpy_dtype(self) -> type[Any]:
        return self.numpy.type

    @property
    def is_bool(self) -> bool:
        return self.numpy.kind == "b"

    @property
    def is_numeric(self) -> bool:
        return self.is_floating or self.is_integer or self.is_complex

    @property
    def real_dtype(self) -> DType:
        """The dtype of the real part: float32 for complex64."""
        return {"complex64": float32, "complex128": float64}.get(self.name, self)

    @property
    def size(self) -> int:
        """Bytes of one element."""
        return self.numpy.itemsize

    @property
    def min(self) -> Any:
        return _limits(self).min

    @property
    def max(self) -> Any:
        return _limits(self).max

    def __repr__(self) -> str:
        return f"tl.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: '{self.name}'>"

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if other is None or isinstance(other, DType):
            return False
        try:
            return as_dtype(other) is self
        except (TypeError, ValueError):
            return False

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> Any:
        return as_dtype, (self.name,)


def _limits(dtype: DType) -> Any:
    if dtype.is_bool:
        return np.array([False, True])
    return np.iinfo(dtype.numpy) if dtype.is_integer else np.finfo(dtype.numpy)


bool_ = DType("bool", "bool", np.bool_)
int8 = DType("int8", "i8", np.int8)
int16 = DType("int16", "i16", np.int16)
int32 = DType("int32", "i32", np.int32)
int64 = DType("int64", "i64", np.int64)
uint8 = DType("uint8", "u8", np.uint8)
uint16 = DType("uint16", "u16", np.uint16)
uint32 = DType("uint32", "u32", np.uint32)
uint64 = DType("uint64", "u64", np.uint64)
float16 = DType("float16", "f16", np.float16)
float32 = DType("float32", "f32", np.float32)
float64 = DType("float64", "f64", np.float64)
complex64 = DType("complex64", "c64", np.complex64)
complex128 = DType("complex128", "c128", np.complex128)
string = DType("string", "str", np.object_)
variant = DType("variant", "variant", np.object_)  # of values that are no tensors: datasets

ALL: tuple[DType, ...] = (
    *(bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64),
    *(float16, float32, float64, complex64, complex128, string),
)
BY_NAME: dict[str, DType] = {d.name: d for d in ALL}
BY_CODE: dict[str, DType] = {d.code: d for d in ALL}
BY_NUMPY: dict[np.dtype[Any], DType] = {d.numpy: d for d in ALL}
_ALIASES: dict[Any, str] = {
    float: "float32",
    int: "int32",
    bool: "bool",
    complex: "complex128",
    str: "string",
    bytes: "string",
    "half": "float16",
    "float": "float32",
    "double": "float64",
}


def bfloat16() -> DType:
    """The dtype bfloat16; needs the package ml_dtypes."""
    if "bfloat16" not in BY_NAME:
        try:
            import ml_dtypes  # noqa: PLC0415 - optional
        except ImportError as error:
            raise DTypeError(
                "bfloat16 needs the package ml_dtypes: pip install ml_dtypes"
            ) from error
        dtype = DType("bfloat16", "bf16", ml_dtypes.bfloat16)
        BY_CODE["bf16"] = BY_NUMPY[dtype.numpy] = BY_NAME["bfloat16"] = dtype
    return BY_NAME["bfloat16"]


def as_dtype(value: Any) -> DType:
    """The `DType` for a name, a NumPy dtype or scalar type, a Python type or a `DType`.

    Raises `DTypeError` (a TypeError) for anything that is no element type.

    >>> import treadle as tl, numpy as np
    >>> tl.as_dtype("int32"), tl.as_dtype(np.float64)
    (tl.int32, tl.float64)
    """
    if isinstance(value, DType):
        return value
    try:
        value = _ALIASES.get(value, value)
    except TypeError:
        pass
    if isinstance(value, str) and value in BY_NAME:
        return BY_NAME[value]
    if value == "bfloat16":
        return bfloat16()
    try:
        if value is None:
            raise TypeError
        numpy = np.dtype(value)
    except TypeError:
        raise DTypeError(f"{value!r} is not a dtype; known are {', '.join(BY_NAME)}") from None
    if numpy in BY_NUMPY:
        return BY_NUMPY[numpy]
    if numpy.kind in "SUO":
        return string
    if numpy.name == "bfloat16":
        return bfloat16()
    native = numpy.newbyteorder("=")
    if native in BY_NUMPY:
        return BY_NUMPY[native]
    raise DTypeError(f"NumPy dtype {numpy} has no counterpart; known are {', '.join(BY_NAME)}")
