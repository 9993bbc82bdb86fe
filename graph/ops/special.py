"""The error function and its kin.

The polynomials are Chebyshev fits made with mpmath (60 digits) and checked against it by the tests:
no branch, no table, so the same text runs on scalars of any interpreter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..build import convert
from ..convert import Array
from ..node import Tensor
from .arithmetic import square, strong
from .define import FLOATING, elementwise
from .exponential import exp

_BLOCK = 32768  # items

ERF = (
    *(
        5.957176147748911e-11,
        -1.1372848856791674e-09,
        1.4659775274047436e-08,
        -1.6350312701054695e-07,
    ),
    *(
        1.6461000484121368e-06,
        -1.4925595266831182e-05,
        0.0001205533111164271,
        -0.000854832698083379,
    ),
    *(0.0052239776248180145, -0.026866170645076792, 0.11283791670954879, -0.3761263890318375),
    *(1.1283791670955126,),
)
ERFCX = (
    *(
        -4.198517062437881e-09,
        2.1853059712428366e-09,
        3.908792194066806e-08,
        -2.5388706256771198e-08,
    ),
    *(
        -2.630942770941041e-07,
        2.7854741501757584e-07,
        1.6558983601444984e-06,
        -3.2887285820257156e-06,
    ),
    *(
        -8.903948641191086e-06,
        3.7471453384395654e-05,
        1.0594005393447211e-05,
        -0.00034864679611386497,
    ),
    *(0.0007948230949009115, 0.0009863380718724989, -0.012535880040385831, 0.049118778615847236),
    *(-0.13195540117858287, 0.27906204903376314, -0.4904702912076769, 0.7363189252217519),
    *(-0.9587415766529096, 1.0919229095627891),
)
CENTER = (
    *(
        1.64533799430872e-19,
        2.538203868845463e-18,
        -2.6645648809770092e-17,
        -1.0138086192836234e-16,
    ),
    *(1.8941456297431503e-15, -3.177077584174987e-15, -7.610626530191807e-14, 5.3717803411669e-13),
    *(9.114669783363668e-13, -3.110795974484731e-11, 1.1960729171935375e-10, 9.073147838739175e-10),
    *(
        -1.0861169521763927e-08,
        1.3416788811913557e-08,
        4.78725219198754e-07,
        -3.416619584862394e-06,
    ),
    *(
        -4.996079599279791e-06,
        0.00021825026433935945,
        -0.0012527079078109066,
        -0.004177317724382887,
    ),
    *(0.246640276744167, 1.501409351110792),
)
TAIL = (
    *(4.385881232583466e-09, 3.1708836070745416e-09, -4.82592883119616e-08, 5.2657667221007695e-08),
    *(1.3865233932484452e-07, -5.561579021887708e-07, 7.450434713308094e-07, 9.031379462966625e-07),
    *(
        -6.26924927149646e-06,
        1.1399430691226155e-05,
        2.1834749317802725e-06,
        -5.8851952261789065e-05,
    ),
    *(
        0.00013610508151384632,
        -8.955339340751886e-05,
        -0.00032866219678389215,
        0.0012606698952529294,
    ),
    *(-0.002519882690117681, 0.003794420014597868, -0.005301010608534191, 0.007047884417818127),
    *(1.0037186917979253, 2.958320150240462),
)
FAR = (
    *(4.801222688342719e-12, -1.46441397117492e-11, 3.000753526266373e-13, 7.957682950449638e-11),
    *(
        -3.1531939171908245e-10,
        9.842304530389056e-10,
        -2.5208083365866005e-09,
        5.385834989574248e-09,
    ),
    *(
        -1.0319907990345242e-08,
        2.0343395283506198e-08,
        -5.231894567419205e-08,
        1.9558768226538614e-07,
    ),
    *(-8.872227708499568e-07, 4.115357176272387e-06, -1.806295233360962e-05, 7.010167456817717e-05),
    *(-0.00019677853802492118, -0.0001773033612949483, 1.0102806778035605, 4.913049587233785),
)


def polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    """Horner's rule, the highest power first."""
    total: Any = coefficients[0]
    for c in coefficients[1:]:
        total = total * x + c
    return total


def blocked(scalar: Callable[..., Any]) -> Callable[..., Any]:
    """An `eval` for a long formula: block by block, intermediate results stay in the cache."""

    def evaluate(xp: Any, x: Array) -> Array:
        if x.dtype.itemsize == 2:
            return evaluate(xp, x.astype(np.float32)).astype(x.dtype)
        if x.size <= _BLOCK or xp is not np:
            return scalar(xp, x)  # type: ignore[no-any-return]
        flat = x.reshape(-1)
        out = np.empty_like(flat)
        for i in range(0, flat.size, _BLOCK):
            out[i : i + _BLOCK] = scalar(np, flat[i : i + _BLOCK])
        return out.reshape(x.shape)

    return evaluate


def _erf_near(x: Any) -> Any:
    """erf(x) for |x| <= 1."""
    return x * polynomial(x * x, ERF)


def _erfc_far(m: Any, x: Any) -> Any:
    """erfc(x) for x >= 0.5: exp(-x * x) times a smooth function."""
    a = m.minimum(x, 30.0)  # far in the underflow
    head = m.floor(a * 16) * 0.0625  # few bits: its square is exact
    return m.exp(-head * head) * m.exp((head - a) * (head + a)) * _erfcx(a)


def _erfcx(x: Any) -> Any:
    """exp(x * x) * erfc(x) for 0.5 <= x <= 30."""
    return polynomial((x - 3.75) / (x + 3.75), ERFCX) / (x + 3.75)


def _erf(m: Any, x: Any) -> Any:
    a = m.minimum(m.abs(x), 30.0)
    return m.where(a < 1, _erf_near(m.copysign(a, x)), m.copysign(1 - _erfc_far(m, a), x))


def _erfc(m: Any, x: Any) -> Any:
    a = m.minimum(m.abs(x), 30.0)
    far = _erfc_far(m, a)
    near = 1 - _erf_near(m.copysign(m.minimum(a, 1.0), x))
    return m.where(a < 0.5, near, m.where(x < 0, 2 - far, far))


def _erfinv(m: Any, x: Any) -> Any:
    w = -m.log((1 - x) * (1 + x))
    s = m.sqrt(w)
    center = polynomial(w - 2.5, CENTER)
    tail = polynomial(s - 3.125, TAIL)
    far = polynomial(m.minimum(s, 6.2) - 5.0625, FAR)
    found = m.where(w < 5, center, m.where(s < 4, tail, far)) * x
    return m.where(m.abs(x) == 1, x / (1 - m.abs(x)), found)


def _erfcinv(m: Any, x: Any) -> Any:
    w = -m.log(x * (2 - x))
    near = (1 - x) * m.where(
        w < 5, polynomial(w - 2.5, CENTER), polynomial(m.sqrt(w) - 3.125, TAIL)
    )
    # Far out, Newton's method on the logarithm of erfc.
    level = m.maximum(-m.log(m.minimum(x, 2 - x)), 12.0)
    y = m.sqrt(level - 0.5 * m.log(math.pi * level))
    for _ in range(3):
        tail = _erfcx(y)
        y = y - (y * y - m.log(tail) - level) * tail * (0.5 * math.sqrt(math.pi))
    found = m.where(w < 16, near, m.copysign(y, 1 - x))
    return m.where(w == math.inf, (1 - x) * math.inf, found)


erf = elementwise(
    "erf",
    _erf,
    lambda g, out, x: (lambda: g * exp(-square(x)) * (2 / math.sqrt(math.pi)),),
    eval=blocked(_erf),
    accepts=FLOATING,
    doc="""The error function, 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x.

    Floating dtypes.

    >>> import treadle as tl
    >>> tl.math.erf([0., 0.5, 3.]).numpy()
    array([0.       , 0.5204999, 0.9999779], dtype=float32)
    """,
)
erfc = elementwise(
    "erfc",
    _erfc,
    lambda g, out, x: (lambda: g * exp(-square(x)) * (-2 / math.sqrt(math.pi)),),
    eval=blocked(_erfc),
    accepts=FLOATING,
    doc="""1 - erf(x), precise where erf(x) is near 1. Floating dtypes.

    >>> import treadle as tl
    >>> tl.math.erfc([0., 0.5, 5.]).numpy()
    array([1.0000000e+00, 4.7950009e-01, 1.5374597e-12], dtype=float32)
    """,
)
erfinv = elementwise(
    "erfinv",
    _erfinv,
    lambda g, out, x: (lambda: strong(g, exp(strong(out, out)) * (math.sqrt(math.pi) / 2)),),
    eval=blocked(_erfinv),
    accepts=FLOATING,
    doc="""The inverse of erf: infinite at -1 and 1, NaN beyond. Floating dtypes.

    >>> import treadle as tl
    >>> tl.math.erfinv([0., 0.5204999, 1.]).numpy()
    array([0.        , 0.49999994,        inf], dtype=float32)
    """,
)
erfcinv = elementwise(
    "erfcinv",
    _erfcinv,
    lambda g, out, x: (lambda: strong(g, exp(strong(out, out)) * (-math.sqrt(math.pi) / 2)),),
    eval=blocked(_erfcinv),
    accepts=FLOATING,
    doc="""The inverse of erfc: infinite at 0 and 2, NaN beyond. Floating dtypes.

    >>> import treadle as tl
    >>> tl.math.erfcinv([1., 0.4795001, 1e-30]).numpy()
    array([0.        , 0.50000006, 8.148617  ], dtype=float32)
    """,
)


def ndtri(x: Any, name: str | None = None) -> Tensor:
    """The quantile of the normal distribution: the value below which the share x of it lies.

    >>> import treadle as tl
    >>> tl.math.ndtri([0.5, 0.975, 1e-30]).numpy()
    array([ -0.       ,   1.9599643, -11.464025 ], dtype=float32)
    """
    result: Tensor = erfcinv(convert(x) * 2) * -math.sqrt(2)
    return result
