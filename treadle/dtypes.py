"""Element types, and changing them. `tl.bfloat16` is there where the package ml_dtypes is."""

from .clipping import saturate_cast
from .graph.dtypes import (
    DType,
    as_dtype,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .graph.dtypes import bool_ as bool
from .graph.ops.casting import cast
from .graph.ops.casting import complex_ as complex

double = float64
half = float16

__all__ = [
    "DType",
    "as_dtype",
    "bool",
    "cast",
    "complex",
    "complex64",
    "complex128",
    "double",
    "float16",
    "float32",
    "float64",
    "half",
    "int8",
    "int16",
    "int32",
    "int64",
    "saturate_cast",
    "string",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]
