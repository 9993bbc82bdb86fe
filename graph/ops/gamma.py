"""The gamma function's logarithm and its derivatives."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ..build import apply, convert
from ..errors import InvalidArgumentError
from ..node import Tensor
from ..spec import TensorSpec
from .arithmetic import strong
from .define import FLOATING, Function, elementwise, primitive, require_kind
from .dims import constant_int
from .special import blocked, polynomial

# lgamma(2 + v) / (v * (v + 1)) for v in [-1, 1], a Chebyshev fit made with mpmath.
LGAMMA = (
    *(
        1.4756784498205599e-09,
        -3.045083104616406e-09,
        -3.670778197486026e-09,
        7.546982106044216e-09,
    ),
    *(
        1.4354602538691462e-08,
        -2.9689377236178223e-08,
        8.980752930432223e-09,
        -1.9155798912805917e-08,
    ),
    *(
        1.0090082501517637e-07,
        -2.1160209415295267e-07,
        3.982919861909783e-07,
        -8.417878185566207e-07,
    ),
    *(
        1.8101965374589628e-06,
        -3.851628024568635e-06,
        8.221641184688299e-06,
        -1.7660549436859962e-05,
    ),
    *(3.816898383928977e-05, -8.30953205143401e-05, 0.00018255262896164608, -0.0004057073767183402),
    *(0.0009153769228592748, -0.0021081308352055112, 0.00499864116468036, -0.012384192193336403),
    *(0.03296500062115597, -0.10031730167435421, 0.42278433509846713),
)
# Stirling's series: the Bernoulli numbers B2, B4, ... as (numerator, denominator).
BERNOULLI = (
    *((1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510)),
    *((43867, 798), (-174611, 330), (854513, 138), (-236364091, 2730)),
)
_STIRLING = tuple(
    n / (d * 2 * k * (2 * k - 1)) for k, (n, d) in reversed([*enumerate(BERNOULLI, 1)][:7])
)
_DIGAMMA = tuple(n / (d * 2 * k) for k, (n, d) in reversed([*enumerate(BERNOULLI, 1)][:8]))
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def _lgamma_small(m: Any, z: Any) -> Any:
    """For 0 < z < 13: steps down into [1, 3], where a product has no cancellation."""
    steps = 1.0
    for k in range(1, 11):
        steps = steps * m.where(z - k >= 2, z - k, 1.0)
    v = m.where(z < 1, z - 1, m.where(z < 3, z - 2, z - m.floor(z)))
    low = v * (v + 1) * polynomial(v, LGAMMA)
    logarithm = m.log(m.where(z < 1, z, steps))
    return m.where(z < 1, low - logarithm, low + logarithm)


def _lgamma_positive(m: Any, z: Any) -> Any:
    small = _lgamma_small(m, m.minimum(z, 13.0))
    w = 1 / m.maximum(z, 13.0)
    large = (z - 0.5) * (m.log(z) - 1) + (_HALF_LOG_2PI - 0.5) + w * polynomial(w * w, _STIRLING)
    return m.where(z < 13, small, large)


def _lgamma(m: Any, x: Any) -> Any:
    away = x - m.rint(x)
    reflected = math.log(math.pi) - m.log(m.abs(m.sin(math.pi * away)))
    value = _lgamma_positive(m, m.where(x < 0, 1 - x, x))
    return m.where(m.isinf(x), m.abs(x), m.where(x < 0, reflected - value, value))


def _digamma(m: Any, x: Any) -> Any:
    away = x - m.rint(x)
    z = m.where(x < 0, 1 - x, x)
    total: Any = 0.0
    for k in range(10):
        total = total + 1 / (z + k)
    z = z + 10
    w = 1 / z
    value = m.log(z) - 0.5 * w - w * w * polynomial(w * w, _DIGAMMA) - total
    pole = m.where(away == 0, math.nan, m.tan(math.pi * away))
    return m.where(x < 0, value - math.pi / pole, value)


lgamma = elementwise(
    "lgamma",
    _lgamma,
    lambda g, out, x: (lambda: strong(g, digamma(x)),),
    eval=blocked(_lgamma),
    accepts=FLOATING,
    doc="""The logarithm of the absolute value of the gamma function; infinite at its poles.

    Floating dtypes.

    >>> import treadle as tl
    >>> tl.math.lgamma([5., 0.5, 0.]).numpy()
    array([3.1780539, 0.5723649,       inf], dtype=float32)
    """,
)
digamma: Function = elementwise(
    "digamma",
    _digamma,
    lambda g, out, x: (lambda: strong(g, polygamma(1, x)),),
    eval=blocked(_digamma),
    accepts=FLOATING,
    doc="""The derivative of `lgamma`; NaN at its poles. Floating dtypes.

    >>> import treadle as tl
    >>> tl.math.digamma([1., 2., -0.5]).numpy()
    array([-0.5772157 ,  0.4227841 ,  0.03648959], dtype=float32)
    """,
)


# --- the further derivatives -------------------------------------------------


def _infer_polygamma(x: TensorSpec, *, n: int) -> TensorSpec:
    require_kind(x, FLOATING)
    return TensorSpec(x.shape, x.dtype)


def _polygamma(m: Any, x: Any, *, n: int) -> Any:
    """Sum the first terms, Euler-Maclaurin for the rest; below 0 by reflection."""
    z = m.where(x < 0, 1 - x, x)
    total: Any = 0.0
    steps = 12 + n
    for k in range(steps):
        total = total + (z + k) ** -(n + 1.0)
    total = total * math.factorial(n)
    z = z + steps
    series: Any = 0.0
    for k, (a, b) in reversed([*enumerate(BERNOULLI, 1)]):
        factor = a * math.factorial(2 * k + n - 1) / (b * math.factorial(2 * k))
        series = (series + factor) / (z * z)
    rest = z ** -float(n) * (math.factorial(n - 1) + math.factorial(n) * 0.5 / z + series)
    value = (total + rest) * (-1) ** (n + 1)
    cot = 1 / m.tan(math.pi * (x - m.rint(x)))
    bent = math.pi ** (n + 1) * polynomial(cot, tuple(_cot_derivative(n)))
    return m.where(x < 0, (value - (-1) ** n * bent) * (-1) ** n, value)


def _cot_derivative(n: int) -> Iterator[float]:
    """d^n/dx^n cot(x) as a polynomial of cot(x), the highest power first."""
    p = [0, 1]
    for _ in range(n):
        slope = [i * c for i, c in enumerate(p)][1:]
        p = [-(a + b) for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    return map(float, reversed(p))


_POLYGAMMA = primitive(
    "polygamma",
    _infer_polygamma,
    lambda xp, x, *, n: _in_double(xp, x, n),
    lambda g, out, x, *, n: (lambda: strong(g, polygamma(n + 1, x)),),
    scalar=_polygamma,
    elementwise=True,
)


def _in_double(xp: Any, x: Any, n: int) -> Any:
    """float32 would overflow where the result does not."""
    return _polygamma(xp, x.astype(xp.float64), n=n).astype(x.dtype)


def polygamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The derivative of order `a` of `digamma`, a whole number known while tracing.

    Floating dtypes. InvalidArgumentError for a negative order.

    >>> import treadle as tl
    >>> tl.math.polygamma(1, [1., 2.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([1.644934  , 0.64493406], dtype=float32)>
    """
    n = constant_int(a, "the order")
    if n < 0:
        raise InvalidArgumentError(f"the order of a derivative is not negative, it is {n}")
    x = convert(x)
    result: Tensor = apply(_POLYGAMMA, (x,), {"n": n}) if n else digamma(x)
    return result
