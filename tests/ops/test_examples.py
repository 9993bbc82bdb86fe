"""Every public function of the libraries shows an example, and each example holds."""

from __future__ import annotations

import doctest
import io
from typing import Any

import numpy as np
import pytest

import treadle as tl

MODULES = {"math": tl.math, "nn": tl.nn, "linalg": tl.linalg, "bitwise": tl.bitwise}
NAMES = [f"{module}.{name}" for module in MODULES for name in MODULES[module].__all__]


def function(name: str) -> Any:
    module, _, attribute = name.partition(".")
    return getattr(MODULES[module], attribute)


@pytest.mark.parametrize("name", [*NAMES, "cast", "where", "complex", "saturate_cast"])
def test_the_example_holds(name: str) -> None:
    """`tests/test_docs.py` does not see what `elementwise` makes."""
    documented = function(name) if "." in name else getattr(tl, name)
    assert (documented.__doc__ or "").count(">>>") >= 2, "no example"
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    finder = doctest.DocTestFinder(recurse=False)
    for example in finder.find(documented, name, module=False, globs={"tl": tl, "np": np}):
        runner.run(example, out=report.write)
    assert runner.failures == 0, report.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_names_are_what_they_say(name: str) -> None:
    assert callable(function(name))
    assert name.rpartition(".")[2] in dir(MODULES[name.partition(".")[0]])


def test_dropout() -> None:
    x = tl.ones([4, 1000])
    tl.random.set_seed(5)
    y = tl.nn.dropout(x, 0.25).numpy()
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < 0.03
    rows = tl.nn.dropout(x, 0.5, noise_shape=[None, 1]).numpy()
    assert (rows == rows[:, :1]).all()
    assert tl.nn.dropout(x, 0) is x
    with pytest.raises(tl.errors.DTypeError, match="x has dtype int32; it must be floating, since"):
        tl.nn.dropout(tl.constant([1, 2]), 0.5)
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = tl.nn.dropout(x, tl.constant(0.5))
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), y.numpy())


def test_clipping_by_a_common_norm() -> None:
    grads = [tl.constant([3.0]), None, tl.constant([4.0])]
    clipped, norm = tl.clip_by_global_norm(grads, 1.0)
    assert float(norm) == 5
    assert clipped[1] is None
    np.testing.assert_allclose([clipped[0].numpy()[0], clipped[2].numpy()[0]], [0.6, 0.8], 1e-6)
    kept, _ = tl.clip_by_global_norm(grads, 9.0)
    assert kept[0].numpy().tolist() == [3.0]
    broken, _ = tl.clip_by_global_norm([tl.constant([np.inf]), tl.constant([1.0])], 1.0)
    assert np.isnan(broken[1].numpy()).all()
    assert tl.clip_by_norm(tl.zeros([2]), 1.0).numpy().tolist() == [0, 0]


def test_saturating_casts() -> None:
    for source, target, value, want in [
        (tl.int32, tl.uint8, -3, 0), (tl.int32, tl.int8, 300, 127), (tl.uint8, tl.int8, 200, 127),
        (tl.int8, tl.uint64, -1, 0), (tl.uint64, tl.int32, 2**40, 2**31 - 1),
        (tl.float64, tl.float16, 1e9, 65504), (tl.float32, tl.int16, -1e9, -(2**15)),
    ]:  # fmt: skip
        assert tl.saturate_cast(tl.constant(value, source), target).numpy() == want


def test_rows_of_large_embeddings_are_scaled_down() -> None:
    found = tl.nn.embedding_lookup([[3.0, 4.0], [0.3, 0.4]], [0, 1], max_norm=1.0)
    np.testing.assert_allclose(found.numpy(), [[0.6, 0.8], [0.3, 0.4]], rtol=1e-6)


def test_a_number_beside_a_list() -> None:
    """As in TensorFlow, what comes first has a say; ints beside a float become floats."""
    for got, want in [
        (tl.maximum(0.0, [1, -1]), [1.0, 0.0]),
        (tl.add(2.5, [1]), [3.5]),
        (tl.add(1.5, np.array([1, 2])), [2.5, 3.5]),
        (tl.function(lambda: tl.maximum(0.0, [1, -1]))(), [1.0, 0.0]),
    ]:
        assert got.dtype is tl.float32
        assert got.numpy().tolist() == want
    assert tl.add(1, [0.5]).numpy().tolist() == [1.5]
    assert tl.add(1, [2]).dtype is tl.int32
    with pytest.raises(TypeError, match=r"0\.0 can't be a tensor of dtype int32"):
        tl.maximum([1, -1], 0.0)
