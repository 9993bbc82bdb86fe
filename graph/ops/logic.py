"""Truth values and bits."""

from __future__ import annotations

from ..op import no_gradient
from .define import BOOL, INTEGER, elementwise

logical_and = elementwise(
    "logical_and",
    lambda m, x, y: m.logical_and(x, y),
    no_gradient,
    arity=2,
    ufunc="logical_and",
    accepts=BOOL,
    commutative=True,
    doc="""True where both are; dtype bool, with broadcasting.

    >>> import treadle as tl
    >>> tl.logical_and([True, True], [True, False]).numpy()
    array([ True, False])
    """,
)
logical_or = elementwise(
    "logical_or",
    lambda m, x, y: m.logical_or(x, y),
    no_gradient,
    arity=2,
    ufunc="logical_or",
    accepts=BOOL,
    commutative=True,
    doc="""True where either is; dtype bool, with broadcasting.

    >>> import treadle as tl
    >>> tl.logical_or([True, False], [False, False]).numpy()
    array([ True, False])
    """,
)
logical_xor = elementwise(
    "logical_xor",
    lambda m, x, y: m.logical_xor(x, y),
    no_gradient,
    arity=2,
    ufunc="logical_xor",
    accepts=BOOL,
    commutative=True,
    doc="""True where just one is; dtype bool, with broadcasting.

    >>> import treadle as tl
    >>> tl.math.logical_xor([True, True], [True, False]).numpy()
    array([False,  True])
    """,
)
logical_not = elementwise(
    "logical_not",
    lambda m, x: m.logical_not(x),
    no_gradient,
    ufunc="logical_not",
    accepts=BOOL,
    doc="""False where x is true, True where it is false; dtype bool.

    >>> import treadle as tl
    >>> tl.logical_not([True, False]).numpy()
    array([False,  True])
    """,
)
bitwise_and = elementwise(
    "bitwise_and",
    lambda m, x, y: m.bitwise_and(x, y),
    no_gradient,
    arity=2,
    ufunc="bitwise_and",
    accepts=INTEGER,
    commutative=True,
    doc="""The bits set in both; integer dtypes, equal for both.

    >>> import treadle as tl
    >>> tl.bitwise.bitwise_and([0b1100], [0b1010]).numpy()
    array([8], dtype=int32)
    """,
)
bitwise_or = elementwise(
    "bitwise_or",
    lambda m, x, y: m.bitwise_or(x, y),
    no_gradient,
    arity=2,
    ufunc="bitwise_or",
    accepts=INTEGER,
    commutative=True,
    doc="""The bits set in either; integer dtypes, equal for both.

    >>> import treadle as tl
    >>> tl.bitwise.bitwise_or([0b1100], [0b1010]).numpy()
    array([14], dtype=int32)
    """,
)
bitwise_xor = elementwise(
    "bitwise_xor",
    lambda m, x, y: m.bitwise_xor(x, y),
    no_gradient,
    arity=2,
    ufunc="bitwise_xor",
    accepts=INTEGER,
    commutative=True,
    doc="""The bits set in just one; integer dtypes, equal for both.

    >>> import treadle as tl
    >>> tl.bitwise.bitwise_xor([0b1100], [0b1010]).numpy()
    array([6], dtype=int32)
    """,
)
invert = elementwise(
    "invert",
    lambda m, x: m.invert(x),
    no_gradient,
    ufunc="invert",
    accepts=INTEGER,
    doc="""All bits flipped; integer dtypes.

    >>> import treadle as tl
    >>> tl.bitwise.invert([0, 5]).numpy()
    array([-1, -6], dtype=int32)
    """,
)
# NumPy's shifts are defined for all counts; a shift by the width or more moves every bit out.
left_shift = elementwise(
    "left_shift",
    lambda m, x, y: m.left_shift(x, y),
    no_gradient,
    arity=2,
    ufunc="left_shift",
    accepts=INTEGER,
    doc="""x with its bits moved up by y places; 0 where y is negative or not below the width.

    >>> import treadle as tl
    >>> tl.bitwise.left_shift([1, 1, 1], [0, 4, 32]).numpy()
    array([ 1, 16,  0], dtype=int32)
    """,
)
right_shift = elementwise(
    "right_shift",
    lambda m, x, y: m.right_shift(x, y),
    no_gradient,
    arity=2,
    ufunc="right_shift",
    accepts=INTEGER,
    doc="""x with its bits moved down by y places; signed numbers keep their sign.

    Where y is negative or not below the width, 0 (or -1 for negative x) is left.

    >>> import treadle as tl
    >>> tl.bitwise.right_shift([16, -16, -16], [2, 2, 99]).numpy()
    array([ 4, -4, -1], dtype=int32)
    """,
)
