"""What ops refuse, in the words that the user reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl

E = tl.errors
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "shapes": (
        lambda: tl.ones([2, 3]) + tl.ones([4]),
        E.ShapeError,
        "add: shapes (2, 3) and (4,) do not broadcast",
    ),
    "dtypes": (
        lambda: tl.ones([2]) * tl.ones([2], tl.int32),
        E.DTypeError,
        "multiply: dtypes float32 and int32 are mixed; use tl.cast to make them equal",
    ),
    "kind": (
        lambda: tl.exp(tl.constant([1, 2])),
        E.DTypeError,
        "exp: the operand has dtype int32, a floating or complex dtype is needed; use tl.cast",
    ),
    "a singular matrix": (
        lambda: tl.linalg.inv(tl.ones([2, 2])),
        E.InvalidArgumentError,
        "matrix_inverse: the matrix is not invertible",
    ),
    "equations without a solution": (
        lambda: tl.linalg.solve(tl.ones([2, 2]), tl.ones([2, 1])),
        E.InvalidArgumentError,
        "matrix_solve: the matrix is not invertible",
    ),
    "a matrix that is not positive": (
        lambda: tl.linalg.cholesky([[1.0, 2.0], [2.0, 1.0]]),
        E.InvalidArgumentError,
        "cholesky: the matrix is not positive definite",
    ),
    "a matrix that is not square": (
        lambda: tl.linalg.inv(tl.ones([2, 3])),
        E.ShapeError,
        "matrix_inverse: the matrix must be square, its shape is (2, 3)",
    ),
    "more right-hand sides than equations": (
        lambda: tl.linalg.solve(tl.ones([2, 2]), tl.ones([3, 1])),
        E.ShapeError,
        "matrix_solve: 2 equations, but 3 right-hand sides: (2, 2), (3, 1)",
    ),
    "a vector as a matrix": (
        lambda: tl.linalg.det(tl.ones([2])),
        E.ShapeError,
        "det: a matrix has 2 axes or more, this has the shape (2,)",
    ),
    "singular values of NaN": (
        lambda: tl.linalg.svd(tl.fill([2, 2], float("nan"))),
        E.InvalidArgumentError,
        "svd: no singular values or eigenvalues were found; is an item NaN or infinite?",
    ),
    "a norm that is none": (
        lambda: tl.norm(tl.ones([2, 2]), 3, axis=[0, 1]),
        E.InvalidArgumentError,
        "ord=3 is no norm of matrices: 'fro', 1, 2 or inf is",
    ),
    "an image without channels": (
        lambda: tl.image.adjust_contrast(tl.ones([2, 2]), 2.0),
        E.ShapeError,
        "AdjustContrastv2: images have 3 axes or more, this has the shape (2, 2)",
    ),
    "a factor for each item": (
        lambda: tl.raw_ops.AdjustContrastv2(images=tl.ones([2, 2, 3]), contrast_factor=[2.0]),
        E.ShapeError,
        "AdjustContrastv2: the factor is a scalar, it has the shape (1,)",
    ),
    "strings": (
        lambda: tl.cast("a", tl.int32),
        E.DTypeError,
        "cast: string can't be cast to int32; use tl.strings.to_number",
    ),
    "zero": (
        lambda: tl.constant([1, 2]) // tl.constant([1, 0]),
        E.DivisionByZeroError,
        "floordiv: integer division by zero",
    ),
    "zero as ZeroDivisionError": (
        lambda: tl.constant(1) % 0,
        ZeroDivisionError,
        "floormod: integer division by zero",
    ),
    "power": (
        lambda: tl.constant(2) ** tl.constant(-1),
        E.InvalidArgumentError,
        "pow: an integer to a negative power is no integer; use tl.cast to a floating dtype",
    ),
    "condition": (
        lambda: tl.where([1, 0], 1.0, 2.0),
        E.DTypeError,
        "where: the condition has dtype int32, dtype bool is needed; use tl.cast",
    ),
    "matmul": (
        lambda: tl.matmul(tl.ones([2, 3]), tl.ones([4, 5])),
        E.ShapeError,
        "matmul: inner sizes differ: (2, 3) @ (4, 5)",
    ),
    "matmul transposed": (
        lambda: tl.matmul(tl.ones([2, 3]), tl.ones([2, 5]), transpose_b=True),
        E.ShapeError,
        "matmul: inner sizes differ: (2, 3) @ (2, 5) transposed",
    ),
    "vector": (
        lambda: tl.matmul(tl.ones([3]), tl.ones([3, 2])),
        E.ShapeError,
        (
            "matmul: a matrix has 2 axes or more, this has the shape (3,); "
            "use tl.linalg.matvec or tl.tensordot for vectors"
        ),
    ),
    "axis": (
        lambda: tl.reduce_sum(tl.ones([2, 3]), axis=2),
        E.InvalidArgumentError,
        "reduce_sum: axis 2 is out of range for 2 axes",
    ),
    "axis twice": (
        lambda: tl.reduce_max(tl.ones([2, 3]), axis=[1, -1]),
        E.InvalidArgumentError,
        "reduce_max: an axis is named twice in [1, 1]",
    ),
    "nothing to choose from": (
        lambda: tl.argmax(tl.zeros([2, 0]), axis=1),
        E.InvalidArgumentError,
        "argmax: axis 1 of the shape (2, 0) has no items to choose from",
    ),
    "equation": (
        lambda: tl.einsum("ij;jk", tl.ones([2, 2]), tl.ones([2, 2])),
        E.InvalidArgumentError,
        "einsum: 'ij;jk' is no equation such as 'ij,jk->ik'",
    ),
    "operands of an equation": (
        lambda: tl.einsum("ij,jk->ik", tl.ones([2, 2])),
        E.InvalidArgumentError,
        "einsum: 'ij,jk->ik' has 2 operands, 1 were given",
    ),
    "sizes of an equation": (
        lambda: tl.einsum("ij,jk->ik", tl.ones([2, 3]), tl.ones([2, 2])),
        E.ShapeError,
        "einsum: 'ij,jk->ik': 'j' has the sizes 3 and 2",
    ),
    "result of an equation": (
        lambda: tl.einsum("ij->ik", tl.ones([2, 3])),
        E.InvalidArgumentError,
        "einsum: 'ij->ik': 'k' of the result must stand there once, and in an operand",
    ),
    "axes of an equation": (
        lambda: tl.einsum("ij->", tl.ones([2])),
        E.ShapeError,
        "einsum: 'ij->': the operand 'ij' does not fit one of 1 axes",
    ),
    "tensordot": (
        lambda: tl.tensordot(tl.ones([2, 3]), tl.ones([2, 3]), 1),
        E.ShapeError,
        "tensordot: axis 1 of the shape (2, 3) and axis 0 of (2, 3) differ in size",
    ),
    "float16": (
        lambda: tl.complex(tl.ones([], tl.float16), tl.ones([], tl.float16)),
        E.DTypeError,
        "complex: float16 has no complex dtype; use tl.cast to float32 first",
    ),
    "labels": (
        lambda: tl.nn.sigmoid_cross_entropy_with_logits(tl.ones([2]), tl.ones([3])),
        E.ShapeError,
        "labels have the shape (2,), logits (3,); they must be equal",
    ),
    "rate": (
        lambda: tl.nn.dropout(tl.ones([2]), 1.0),
        E.InvalidArgumentError,
        "the rate of dropout is in [0, 1), it is 1.0",
    ),
    "order": (
        lambda: tl.math.polygamma(-1, 1.0),
        E.InvalidArgumentError,
        "the order of a derivative is not negative, it is -1",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    call, kind, message = REFUSED[case]
    with pytest.raises(kind) as found:
        call()
    assert str(found.value).split("\n")[0] == message


def test_the_message_names_line_and_operands() -> None:
    x, y = tl.ones([2, 3]), tl.ones([4, 5])
    with pytest.raises(E.ShapeError) as found:
        x @ y
    first, line, *operands = str(found.value).split("\n")
    assert first == "matmul: inner sizes differ: (2, 3) @ (4, 5)"
    assert line.strip().startswith("test_refusals.py:")
    assert line.endswith(": x @ y")
    assert [o.strip() for o in operands] == ["x: f32[2,3]", "y: f32[4,5]"]


def test_what_can_fail_only_when_it_runs_fails_there() -> None:
    spec = tl.TensorSpec([None, None])
    product = tl.function(lambda a, b: a @ b, input_signature=[spec, spec])
    assert product(tl.ones([2, 3]), tl.ones([3, 1])).shape == (2, 1)
    with pytest.raises(E.ShapeError, match=r"inner sizes differ: \(2, 3\) @ \(4, 5\)"):
        product(tl.ones([2, 3]), tl.ones([4, 5]))
    half = tl.function(lambda x, n: x // n)
    assert half(tl.constant(7), tl.constant(2)).numpy() == 3
    with pytest.raises(E.DivisionByZeroError, match="integer division by zero"):
        half(tl.constant(7), tl.constant(0))


@pytest.mark.parametrize("target", [d for d in tl.graph.dtypes.ALL if d.is_integer], ids=str)
def test_casts_out_of_range_saturate(target: Any) -> None:
    limits = np.iinfo(target.numpy)
    x = tl.constant([np.nan, np.inf, -np.inf, 1e30, -1e30, 1.9, -0.9])
    want = [0, limits.max, limits.min, limits.max, limits.min, 1, 0]
    for dtype in (tl.float32, tl.float64):
        assert tl.cast(tl.cast(x, dtype), target).numpy().tolist() == want
    assert tl.cast(tl.constant(np.inf, tl.float16), target).numpy() == limits.max
