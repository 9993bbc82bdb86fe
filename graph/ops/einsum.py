"""Einstein summation, made of diagonals, sums, transposes and one matmul for each pair."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..build import convert
from ..errors import InvalidArgumentError, OpError, ShapeError
from ..node import Tensor
from ..op import Op
from .arithmetic import multiply
from .axes import ensure_shape
from .define import same_dtype
from .dims import refuse
from .linear import matmul, regroup, reorder, sizes_of
from .matrices import diag_part
from .reductions import reduce_sum

Labels = list[str]  # one letter an axis; the axes of an ellipsis are "...1" (the last), "...2"

_EINSUM = Op("einsum", infer=len, display="einsum")  # what messages name


def _parse(equation: str, ranks: Sequence[int]) -> tuple[list[Labels], Labels]:
    text = equation.replace(" ", "")
    found = re.fullmatch(r"([A-Za-z.,]*)(?:->([A-Za-z.]*))?", text)
    if found is None or re.search(r"(?<!\.)\.{1,2}(?!\.)|\.{4,}", text):
        raise InvalidArgumentError(f"{equation!r} is no equation such as 'ij,jk->ik'")
    terms = found[1].split(",")
    if len(terms) != len(ranks):
        raise InvalidArgumentError(
            f"{equation!r} has {len(terms)} operands, {len(ranks)} were given"
        )
    labels = [_labels(t, r, equation) for t, r in zip(terms, ranks, strict=True)]
    dots = max((sum(len(a) > 1 for a in term) for term in labels), default=0)
    every = [f"...{i}" for i in range(dots, 0, -1)]
    if found[2] is None:
        letters = [a for term in labels for a in term if len(a) == 1]
        return labels, every + sorted(a for a in set(letters) if letters.count(a) == 1)
    out: Labels = []
    for part in re.findall(r"\.\.\.|.", found[2]):
        out += every if part == "..." else [part]
    known = {a for term in labels for a in term}
    for a in out:
        if a not in known or out.count(a) > 1:
            raise InvalidArgumentError(
                f"{equation!r}: {a!r} of the result must stand there once, and in an operand"
            )
    return labels, out


def _labels(term: str, rank: int, equation: str) -> Labels:
    parts = re.findall(r"\.\.\.|.", term)
    dots = rank - len(parts) + 1 if "..." in parts else 0
    if (
        parts.count("...") > 1
        or dots < 0
        or (not dots and "..." not in parts and len(parts) != rank)
    ):
        raise ShapeError(f"{equation!r}: the operand {term!r} does not fit one of {rank} axes")
    out: Labels = []
    for part in parts:
        out += [f"...{i}" for i in range(dots, 0, -1)] if part == "..." else [part]
    return out


def einsum(equation: str, *inputs: Any, name: str | None = None, **kwargs: Any) -> Tensor:
    """The sum of products that `equation` tells, as NumPy's `einsum`.

    Numeric dtypes, equal for all operands. A repeated letter takes a
    diagonal, `...` stands for axes that broadcast; without `->` letters that occur once are
    kept, in order. InvalidArgumentError for a bad equation, ShapeError for sizes that differ.

    >>> import treadle as tl
    >>> tl.einsum("ij,jk->ik", [[1, 2], [3, 4]], [[5], [6]])
    <tl.Tensor: shape=(2, 1), dtype=int32, numpy=
    array([[17],
           [39]], dtype=int32)>
    >>> tl.einsum("ii", [[1, 2], [3, 4]])
    <tl.Tensor: shape=(), dtype=int32, numpy=5>
    >>> tl.einsum("...i,i->...", [[1, 2], [3, 4]], [10, 1])
    <tl.Tensor: shape=(2,), dtype=int32, numpy=array([12, 34], dtype=int32)>
    """
    tensors = [convert(x) for x in inputs]
    try:
        return _einsum(equation, tensors)
    except OpError as error:
        raise refuse(error, _EINSUM, *tensors) from None


def _einsum(equation: str, tensors: list[Tensor]) -> Tensor:
    if not tensors:
        raise InvalidArgumentError("einsum needs at least one operand")
    same_dtype(*[x.spec for x in tensors])
    tensors = _ranked(equation, tensors)
    terms, out = _parse(equation, [len(x.shape) for x in tensors])
    _check_sizes(equation, tensors, terms)
    pending = list(zip(tensors, terms, strict=True))
    pending = [_alone(x, a, out, [t for j, t in enumerate(terms) if j != i])
               for i, (x, a) in enumerate(pending)]  # fmt: skip
    while len(pending) > 1:
        i, j = _cheapest(pending)
        (x, a), (y, b) = pending[i], pending[j]
        rest = [p for n, p in enumerate(pending) if n not in (i, j)]
        kept = {*out, *(label for _, term in rest for label in term)}
        pending = [_contract(x, a, y, b, kept), *rest]
    x, labels = pending[0]
    gone = [i for i, a in enumerate(labels) if a not in out]
    if gone:
        x = reduce_sum(x, gone)
        labels = [a for a in labels if a in out]
    return reorder(x, [labels.index(a) for a in out])


def _ranked(equation: str, tensors: list[Tensor]) -> list[Tensor]:
    """An operand of unknown rank must have the axes that the equation names."""
    terms = equation.replace(" ", "").partition("->")[0].split(",")
    for i, (x, term) in enumerate(zip(tensors, terms, strict=False)):
        if x.shape.rank is None:
            if "." in term:
                raise InvalidArgumentError("the rank of an operand with '...' must be known")
            tensors[i] = ensure_shape(x, [None] * len(term))
    return tensors


def _check_sizes(equation: str, tensors: Sequence[Tensor], terms: Sequence[Labels]) -> None:
    known: dict[str, int] = {}
    for x, term in zip(tensors, terms, strict=True):
        for d, label in zip(x.shape, term, strict=True):
            if d is None or (d == 1 and len(label) > 1):
                continue
            if known.setdefault(label, d) != d:
                raise ShapeError(f"{equation!r}: {label!r} has the sizes {known[label]} and {d}")


def _alone(
    x: Tensor, labels: Labels, out: Labels, others: Sequence[Labels]
) -> tuple[Tensor, Labels]:
    """One operand with diagonals taken, and the axes that nothing else mentions summed."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            p = labels.index(label)
            q = labels.index(label, p + 1)
            rest = [i for i in range(len(labels)) if i not in (p, q)]
            x = diag_part(reorder(x, [*rest, p, q]))
            labels = [labels[i] for i in rest] + [label]
    used = {*out, *(a for term in others for a in term)}
    gone = [i for i, a in enumerate(labels) if a not in used]
    return (reduce_sum(x, gone) if gone else x), [a for a in labels if a in used]


def _cheapest(pending: Sequence[tuple[Tensor, Labels]]) -> tuple[int, int]:
    """The two operands whose product takes the fewest multiplications."""
    sizes: dict[str, int] = {}
    for x, term in pending:
        for d, label in zip(x.shape, term, strict=True):
            sizes[label] = max(sizes.get(label, 1), 64 if d is None else d)

    def cost(pair: tuple[int, int]) -> int:
        total = 1
        for label in {*pending[pair[0]][1], *pending[pair[1]][1]}:
            total *= sizes[label]
        return total

    count = len(pending)
    return min(((i, j) for i in range(count) for j in range(i + 1, count)), key=cost)


def _contract(x: Tensor, a: Labels, y: Tensor, b: Labels, kept: set[str]) -> tuple[Tensor, Labels]:
    """The product of two operands, summed over what both have and nothing else needs.

    Axes of an ellipsis may have size 1 on one side, so they are never merged with others.
    """
    batch = [label for label in a if label in b and (label in kept or len(label) > 1)]
    summed = [label for label in a if label in b and label not in batch]
    rows = [label for label in a if label not in b]
    columns = [label for label in b if label not in a]
    out = [*batch, *rows, *columns]
    if not summed:
        return _spread_product(x, a, y, b, out), out
    have = dict(zip(b, sizes_of(y), strict=True))
    also = dict(zip(a, sizes_of(x), strict=True))
    middle = [also[s] if isinstance(also[s], int) else have[s] for s in summed]
    swap_x, swap_y = a == [*batch, *summed, *rows], b == [*batch, *columns, *summed]
    if not swap_x:
        x = reorder(x, [a.index(label) for label in (*batch, *rows, *summed)])
    if not swap_y:
        y = reorder(y, [b.index(label) for label in (*batch, *summed, *columns)])
    left, right = [also[r] for r in rows], [have[c] for c in columns]
    x = regroup(x, [*([also[s]] for s in batch), *([middle, left] if swap_x else [left, middle])])
    y = regroup(y, [*([have[s]] for s in batch), *([right, middle] if swap_y else [middle, right])])
    product = matmul(x, y, transpose_a=swap_x, transpose_b=swap_y)
    sizes = sizes_of(product)[: len(batch)]
    return regroup(product, [[s] for s in (*sizes, *left, *right)]), out


def _spread_product(x: Tensor, a: Labels, y: Tensor, b: Labels, out: Labels) -> Tensor:
    def spread(t: Tensor, labels: Labels) -> Tensor:
        t = reorder(t, [labels.index(label) for label in out if label in labels])
        sizes = iter(sizes_of(t))
        return regroup(t, [[next(sizes)] if label in labels else [] for label in out])

    result: Tensor = multiply(spread(x, a), spread(y, b))
    return result
