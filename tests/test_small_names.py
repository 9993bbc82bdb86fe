"""Small public functions, against values that TensorFlow 2.21 gave."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl

c = tl.constant
MIN = float(np.finfo("f4").min)
LINE = [-1.0, 0.0, 1.5, 2.0, 5.0, 15]

# A function, its tensors, its other arguments, what TensorFlow gave.
ROWS: list[tuple[str, list[Any], dict[str, Any], Any]] = [
    ("math.unsorted_segment_max", [[1.0, 5.0, 3.0], [1, -1, 1], 3], {}, [MIN, 3.0, MIN]),
    (
        "math.unsorted_segment_min",
        [[[1, 2], [3, 0], [5, 5]], [1, 0, 1], 2],
        {},
        [[3, 0], [1, 2]],
    ),
    ("math.unsorted_segment_sqrt_n", [[1.0, 5, 3], [1, 0, 1], 3], {}, [5.0, 2.828427, 0.0]),
    ("math.segment_max", [[1, 5, 3], [0, 0, 2]], {}, [5, 0, 3]),
    (
        "math.segment_min",
        [[[1.0, 2], [0, 5], [3, 3]], [0, 0, 2]],
        {},
        [[0.0, 2], [0, 0], [3, 3]],
    ),
    ("math.segment_mean", [[1.0, 5, 3], [0, 0, 2]], {}, [3.0, 0.0, 3.0]),
    ("histogram_fixed_width", [LINE, [0.0, 5.0]], {"nbins": 5}, [2, 1, 1, 0, 2]),
    ("histogram_fixed_width_bins", [LINE, [0.0, 5.0]], {"nbins": 5}, [0, 0, 1, 2, 4, 4]),
    (
        "math.confusion_matrix",
        [[1, 2, 4], [2, 2, 4]],
        {},
        [[0, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1]],
    ),
    (
        "math.confusion_matrix",
        [[1, 0], [0, 0]],
        {"num_classes": 3, "weights": [2.0, 3.0], "dtype": "float32"},
        [[3.0, 0, 0], [2, 0, 0], [0, 0, 0]],
    ),
    ("math.invert_permutation", [[3, 4, 0, 2, 1]], {}, [2, 4, 3, 0, 1]),
    ("math.is_non_decreasing", [[1, 1, 3]], {}, True),
    ("math.is_non_decreasing", [[3, 1, 1]], {}, False),
    ("math.is_strictly_increasing", [[1, 1, 3]], {}, False),
    ("math.is_strictly_increasing", [np.zeros(0, "f4")], {}, True),
    ("unravel_index", [[2, 5, 7], [3, 3]], {}, [[0, 1, 2], [2, 2, 1]]),
    ("unravel_index", [22, [2, 3, 4]], {}, [1, 2, 2]),
    (
        "reverse_sequence",
        [[[1, 2, 3, 4], [5, 6, 7, 8]], [2, 3]],
        {"seq_axis": 1, "batch_axis": 0},
        [[2, 1, 3, 4], [7, 6, 5, 8]],
    ),
    (
        "reverse_sequence",
        [[[1, 2], [3, 4], [5, 6]], [3, 1]],
        {"seq_axis": 0, "batch_axis": 1},
        [[5, 2], [3, 4], [1, 6]],
    ),
    ("realdiv", [1.0, 2.0], {}, 0.5),
]


def named(name: str) -> Callable[..., Any]:
    found: Any = tl
    for part in name.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize(("name", "tensors", "options", "want"), ROWS, ids=[r[0] for r in ROWS])
def test_values(name: str, tensors: list[Any], options: dict[str, Any], want: Any) -> None:
    function = named(name)
    xs = [c(x) for x in tensors]
    wanted = np.asarray(want)
    specs = [tl.TensorSpec([None] * x.ndim, x.dtype) for x in xs]
    traced = tl.function(lambda *xs: function(*xs, **options))
    unknown = tl.function(lambda *xs: function(*xs, **options), input_signature=specs)
    for result in (function(*tensors, **options), traced(*xs), unknown(*xs)):
        np.testing.assert_allclose(result.numpy(), wanted, 1e-6)
        assert result.dtype.is_floating == (wanted.dtype.kind == "f")


def test_out_of_range() -> None:
    with pytest.raises(tl.errors.InvalidArgumentError, match="is out of the range of dims"):
        tl.unravel_index([9], [3, 3])
    with pytest.raises(tl.errors.InvalidArgumentError, match="a class is out of range"):
        tl.math.confusion_matrix([7], [1], num_classes=3)


def test_gradients_of_segments() -> None:
    x = c([1.0, 5.0, 3.0])
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = tl.reduce_sum(tl.math.segment_max(x, [0, 0, 1]) * c([2.0, 3.0]))
    assert tape.gradient(y, x).numpy().tolist() == [0.0, 2.0, 3.0]


# --- what is known while tracing ---


def test_what_is_symbolic_and_what_is_known() -> None:
    seen: dict[str, Any] = {}
    v = tl.Variable([1.0])

    @tl.function
    def f(x: Any) -> Any:
        seen["symbolic"] = [tl.is_symbolic_tensor(t) for t in (x, v, 3, x + 1)]
        seen["tensor"] = [tl.is_tensor(t) for t in (x, v, 3)]
        sizes = tl.shape(x)
        unknown = [x, v, sizes, sizes[0]]
        seen["unknown"] = [tl.get_static_value(t) for t in unknown]
        seen["known"] = [tl.get_static_value(t) for t in (sizes[1], c([1, 2]), c("a"), c(2) * 3)]
        seen["eagerly"] = tl.executing_eagerly()
        return tl.identity_n([x, v, 2])

    f.get_concrete_function(tl.TensorSpec([None, 3]))
    assert seen["symbolic"] == [True, False, False, True]
    assert seen["tensor"] == [True, True, False]
    assert seen["unknown"] == [None] * 4
    assert [np.asarray(k).tolist() for k in seen["known"]] == [3, [1, 2], b"a", 6]
    assert not seen["eagerly"]
    assert tl.executing_eagerly()
    assert tl.get_static_value(c([1, 2])).tolist() == [1, 2]
    assert tl.get_static_value(v).tolist() == [1.0]
    with pytest.raises(TypeError, match="3 is not a tensor"):
        tl.get_static_value(3)


def test_nothing_comes_of_groups() -> None:
    v = tl.Variable(1)

    @tl.function
    def f(x: Any) -> Any:
        assert tl.group(v.assign(x), v.assign_add(1)) is tl.no_op() is None
        first, none = tl.tuple([x, None])
        assert none is None
        return first

    assert f(c(4)).numpy() == 4
    assert v.numpy() == 5


def test_the_time_is_that_of_the_run() -> None:
    f = tl.function(lambda: (tl.timestamp(), tl.timestamp()))
    before = time.time()
    first, second = f()
    later, _ = f()
    assert before <= first.numpy() <= second.numpy() <= later.numpy() <= time.time()
    assert first.dtype == tl.float64


def test_devices() -> None:
    (cpu,) = tl.config.list_physical_devices()
    assert tl.config.list_logical_devices("CPU") == [("/device:CPU:0", "CPU")]
    assert tl.config.get_visible_devices() == [cpu]
    assert tl.config.list_logical_devices("GPU") == tl.config.get_visible_devices("GPU") == []
    tl.config.set_visible_devices(cpu, "CPU")
    tl.config.set_visible_devices([], "GPU")
    with pytest.raises(tl.errors.InvalidArgumentError, match="the CPU can't be left out"):
        tl.config.set_visible_devices([])
    with pytest.raises(ValueError, match="is no device of this machine"):
        tl.config.set_visible_devices(["GPU:0"])


def test_names_of_older_guides() -> None:
    assert tl.config.experimental.list_physical_devices("GPU") == []
    assert tl.config.experimental.list_physical_devices("CPU") == tl.config.list_physical_devices(
        "CPU"
    )
    assert not tl.config.experimental_functions_run_eagerly()
    ds = tl.data.Dataset.range(3).prefetch(tl.data.experimental.AUTOTUNE)
    assert int(tl.data.experimental.cardinality(ds)) == 3
    assert tl.data.experimental.get_structure(iter(ds)) == ds.element_spec
    assert int(iter(ds).next()) == 0
    assert tl.dtypes.saturate_cast(300.0, tl.uint8).numpy() == 255
    assert tl.dtypes.cast(1.5, tl.int32).numpy() == 1
    assert tl.as_string(5).numpy() == b"5"
