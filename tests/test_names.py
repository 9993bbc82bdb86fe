"""The one list of public names: `treadle.__all__`, and those of its modules."""

from __future__ import annotations

import importlib
import subprocess
import sys
import types

import pytest

import treadle as tl

# TensorFlow's names for what treadle has; a name taken out of here breaks somebody's program.
TOP = """
    Assert DType GradientTape Module Tensor TensorShape TensorSpec UnconnectedGradients Variable
    abs acos acosh add add_n argmax argmin argsort as_dtype asin asinh atan atan2 atanh autograph
    bitcast bitwise bool boolean_mask broadcast_dynamic_shape broadcast_static_shape broadcast_to
    case cast clip_by_global_norm clip_by_norm clip_by_value complex complex128 complex64 concat
    cond config constant convert_to_tensor cos cosh cumsum debugging device divide double dtypes
    dynamic_partition dynamic_stitch einsum ensure_shape equal errors executing_eagerly exp
    expand_dims eye fill float16 float32 float64 floor function gather gather_nd greater
    greater_equal half identity init_scope int16 int32 int64 int8 is_tensor less less_equal linalg
    linspace logical_and logical_not logical_or math matmul maximum meshgrid minimum multiply
    negative nest newaxis nn norm not_equal one_hot ones ones_like pad pow print random range rank
    reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_sum
    repeat reshape reverse roll round saturate_cast scalar_mul scatter_nd searchsorted sequence_mask
    shape shape_n sigmoid sign sin sinh size slice sort split sqrt square squeeze stack
    stop_gradient strided_slice string subtract switch_case tan tanh tensor_scatter_nd_add
    tensor_scatter_nd_max tensor_scatter_nd_min tensor_scatter_nd_sub tensor_scatter_nd_update
    tensordot tile transpose truediv truncatediv truncatemod uint16 uint32 uint64 uint8 unique
    unique_with_counts unstack where while_loop zeros zeros_like
    IndexedSlices control_dependencies get_current_name_scope get_static_value group
    histogram_fixed_width histogram_fixed_width_bins identity_n is_symbolic_tensor name_scope no_op
    RegisterGradient image numpy_function py_function raw_ops realdiv reverse_sequence timestamp
    tuple unravel_index
""".split()
INNER = {
    "math": """
        abs acos acosh add add_n angle argmax argmin asin asinh atan atan2 atanh bincount ceil conj
        cos cosh count_nonzero cumprod cumsum digamma divide divide_no_nan equal erf erfc erfinv
        exp expm1 floor floordiv floormod greater greater_equal imag is_finite is_inf is_nan less
        less_equal lgamma log log1p log_sigmoid logical_and logical_not logical_or logical_xor
        maximum minimum mod multiply multiply_no_nan negative not_equal pow real reciprocal
        reduce_all reduce_any reduce_euclidean_norm reduce_logsumexp reduce_max reduce_mean
        reduce_min reduce_prod reduce_std reduce_sum reduce_variance rint round rsqrt sigmoid sign
        sin sinh softplus sqrt square squared_difference subtract tan tanh top_k truediv
        unsorted_segment_sum segment_sum xdivy xlogy zero_fraction
        confusion_matrix invert_permutation is_non_decreasing is_strictly_increasing segment_max
        segment_mean segment_min unsorted_segment_max unsorted_segment_min unsorted_segment_sqrt_n
    """.split(),
    "nn": """
        batch_normalization bias_add dropout elu gelu l2_loss l2_normalize leaky_relu log_softmax
        moments relu relu6 selu sigmoid sigmoid_cross_entropy_with_logits silu softmax
        softmax_cross_entropy_with_logits softplus softsign
        sparse_softmax_cross_entropy_with_logits swish tanh top_k zero_fraction
    """.split(),
    "linalg": """
        adjoint band_part cross diag diag_part einsum eye matmul matrix_transpose matvec norm
        set_diag tensordot trace cholesky cholesky_solve det eigh eigvalsh inv logdet lstsq pinv qr
        slogdet solve svd triangular_solve
    """.split(),
    "random": """
        Generator categorical get_global_generator normal set_seed shuffle stateless_categorical
        stateless_normal stateless_truncated_normal stateless_uniform truncated_normal uniform
    """.split(),
    "debugging": """
        Assert assert_all_finite assert_equal assert_greater assert_less assert_near
        assert_non_negative assert_positive assert_rank assert_shapes
    """.split(),
    "strings": """
        as_string bytes_split format join length lower reduce_join regex_full_match regex_replace
        split strip substr to_number unicode_decode unicode_encode unicode_split upper
    """.split(),
    "data": "AUTOTUNE Dataset INFINITE_CARDINALITY Iterator UNKNOWN_CARDINALITY".split(),
    "nest": "assert_same_structure flatten is_nested map_structure pack_sequence_as".split(),
    "config": """
        functions_run_eagerly get_visible_devices list_logical_devices list_physical_devices
        run_functions_eagerly set_visible_devices
    """.split(),
    "bitwise": "bitwise_and bitwise_or bitwise_xor invert left_shift right_shift".split(),
    "autograph": "do_not_convert to_code to_graph".split(),
    "graph": "Graph check gradients optimize parse summary to_networkx".split(),
}


def test_the_face_has_tensorflows_names() -> None:
    assert [name for name in TOP if not hasattr(tl, name)] == []
    assert [name for name in TOP if name not in tl.__all__] == []


@pytest.mark.parametrize("module", INNER)
def test_the_modules_have_tensorflows_names(module: str) -> None:
    found = getattr(tl, module)
    assert [name for name in INNER[module] if not hasattr(found, name)] == []


@pytest.mark.parametrize(
    "module", ["treadle", *(f"treadle.{m}" for m in INNER), "treadle.errors", "treadle.dtypes"]
)
def test_what_is_listed_is_there_and_documented(module: str) -> None:
    found = importlib.import_module(module)
    for name in found.__all__:
        value = getattr(found, name)
        if isinstance(value, types.FunctionType | type) and value.__module__.startswith("treadle"):
            assert value.__doc__, f"{module}.{name} has no docstring"


def test_bfloat16_comes_with_ml_dtypes() -> None:
    pytest.importorskip("ml_dtypes", reason="bfloat16 needs the package ml_dtypes")
    x = tl.cast(tl.constant([1.0, 2.0]), tl.bfloat16)
    assert x.dtype == tl.bfloat16
    assert tl.cast(x + x, tl.float32).numpy().tolist() == [2.0, 4.0]


def test_what_traces_is_loaded_when_it_is_asked_for():
    text = (
        "import sys, treadle as tl; tl.ones([2]) + 1; "
        "from treadle.graph.op import OPS; ops = set(OPS); "
        "later = [m for m in sys.modules if m.startswith(('treadle.tracer', 'treadle.autograph'))];"
        "assert not later, later; assert {'function', 'Module', 'data'} <= set(dir(tl)); "
        "tl.function(lambda x: x)(1); assert 'treadle.tracer' in sys.modules; "
        "[getattr(tl, name) for name in tl.__all__]; assert set(OPS) == ops, set(OPS) - ops"
    )
    subprocess.run([sys.executable, "-c", text], check=True)
