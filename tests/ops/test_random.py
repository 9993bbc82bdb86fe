"""Random numbers: Philox's published answers, TensorFlow's numbers, streams and distributions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ops.table_random import philox as plain_philox

import treadle as tl
from treadle.graph import philox

ALL_ONES = (1 << 64) - 1


# Random123's kat_vectors, philox4x32 with 10 rounds: counter, key, block.
@pytest.mark.parametrize(
    ("counter", "key", "block"),
    [
        (0, 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        (ALL_ONES << 64 | ALL_ONES, ALL_ONES, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            0x0370734413198A2E85A308D3243F6A88,
            0x299F31D0A4093822,
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_known_answers(counter: int, key: int, block: str) -> None:
    found = philox.blocks(np, key, philox.counters_from(np, counter, 1))
    assert " ".join(f"{w:08x}" for w in found[0].tolist()) == block


@given(st.integers(0, (1 << 128) - 1), st.integers(0, ALL_ONES), st.integers(1, 9))
def test_blocks(counter: int, key: int, count: int) -> None:
    found = philox.blocks(np, key, philox.counters_from(np, counter, count))
    want = [plain_philox(key, (counter + i) % (1 << 128)) for i in range(count)]
    assert found.tolist() == want


@given(st.integers(0, (1 << 128) - 1), st.integers(0, ALL_ONES), st.integers(0, 1 << 70))
def test_states(counter: int, key: int, steps: int) -> None:
    state = philox.state_of(key, counter)
    assert (state.dtype, state.shape) == (np.int64, (3,))
    assert philox.key_and_counter(state) == (key, counter)
    moved = philox.key_and_counter(philox.advanced(state, steps))
    assert moved == (key, (counter + steps) % (1 << 128))


def test_tensorflows_numbers() -> None:
    """What TensorFlow 2.21 gives on the CPU; uniform numbers to the bit."""
    stateless = tl.random.stateless_uniform([3], [1, 2])
    np.testing.assert_array_equal(
        stateless.numpy(), np.array([0.8440604, 0.19204533, 0.9962232], np.float32)
    )
    g = tl.random.Generator.from_seed(1234)
    normal = np.array([0.9356609, 1.0854305, -0.93788373], np.float32)
    np.testing.assert_allclose(g.normal([3]).numpy(), normal, rtol=1e-6)
    assert g.state.numpy().tolist() == [2002, 0, 0]


# --- distributions -----------------------------------------------------------------

COUNT = 20000
FLOATS = [tl.float16, tl.float32, tl.float64]


def moments_hold(x: Any, mean: float, variance: float, fourth: float) -> None:
    """Within five standard errors of what the distribution has."""
    x = np.asarray(x, np.float64)
    assert abs(x.mean() - mean) < 5 * math.sqrt(variance / x.size)
    spread = math.sqrt((fourth - variance**2) / x.size)
    assert abs(((x - mean) ** 2).mean() - variance) < 5 * spread + 1e-3


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: d.name)
def test_uniform(dtype: Any) -> None:
    x = tl.random.stateless_uniform([COUNT], [3, 4], dtype=dtype).numpy()
    assert (x.dtype, x.min() >= 0, x.max() < 1) == (dtype.numpy, True, True)
    moments_hold(x, 1 / 2, 1 / 12, 1 / 80)
    wide = tl.random.stateless_uniform([COUNT], [3, 4], -3, 5, dtype).numpy()
    assert wide.min() >= -3
    assert wide.max() <= 5


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: d.name)
def test_normal(dtype: Any) -> None:
    x = tl.random.stateless_normal([COUNT], [3, 4], dtype=dtype).numpy()
    assert x.dtype == dtype.numpy
    moments_hold(x, 0, 1, 3)
    scaled = tl.random.stateless_normal([COUNT], [3, 4], mean=5.0, stddev=0.5, dtype=dtype).numpy()
    np.testing.assert_allclose(scaled, x * dtype.numpy.type(0.5) + dtype.numpy.type(5))


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: d.name)
def test_truncated_normal(dtype: Any) -> None:
    x = tl.random.stateless_truncated_normal([COUNT], [3, 4], dtype=dtype).numpy()
    # float16 rounds what is just below 2 to 2
    assert (x.dtype, np.abs(x).max() <= 2) == (dtype.numpy, True)
    variance = 1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2))
    moments_hold(x, 0, variance, 1.4)


@pytest.mark.parametrize("dtype", [tl.int32, tl.int64, tl.uint32, tl.uint64], ids=lambda d: d.name)
def test_integers(dtype: Any) -> None:
    low = 0 if dtype.is_unsigned else -4
    x = tl.random.stateless_uniform([COUNT], [3, 4], low, 6, dtype).numpy()
    assert x.dtype == dtype.numpy
    counts = np.bincount(x.astype(int) - low)
    assert len(counts) == 6 - low
    expected = COUNT / len(counts)
    assert ((counts - expected) ** 2 / expected).sum() < 35  # chi squared, 9 degrees of freedom
    bits = tl.random.stateless_uniform([COUNT], [3, 4], None, None, dtype).numpy()
    assert len(np.unique(bits)) > 0.99 * COUNT


def test_categorical() -> None:
    tl.random.set_seed(3)
    chances = np.array([[0.1, 0.0, 0.6, 0.3], [0.0, 1.0, 0.0, 0.0]])
    with np.errstate(divide="ignore"):
        logits = np.log(chances).astype(np.float32) + 50
    x = tl.random.categorical(logits, COUNT)
    assert (x.shape, x.dtype) == ((2, COUNT), tl.int64)
    counts = np.bincount(x.numpy()[0], minlength=4) / COUNT
    np.testing.assert_allclose(counts, chances[0], atol=0.02)
    assert counts[1] == 0
    assert (x.numpy()[1] == 1).all()


def test_shuffle() -> None:
    x = np.arange(4)
    seen = {}
    for i in range(600):
        order = tuple(tl.random.experimental.stateless_shuffle(x, [5, i]).numpy().tolist())
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 24
    assert max(seen.values()) < 60
    with tl.GradientTape() as tape:
        rows = tl.constant([[1.0, 2.0], [3.0, 4.0]])
        tape.watch(rows)
        y = tl.random.shuffle(rows)
    assert tape.gradient(y, rows).numpy().tolist() == [[1, 1], [1, 1]]


# --- streams -----------------------------------------------------------------------


def draws(count: int, **options: Any) -> list[list[float]]:
    return [tl.random.uniform([2], **options).numpy().tolist() for _ in range(count)]


def test_a_seed_starts_the_stream_anew() -> None:
    tl.random.set_seed(7)
    first = draws(3)
    tl.random.set_seed(7)
    assert draws(3) == first
    tl.random.set_seed(8)
    assert draws(3) != first
    assert len({tuple(d) for d in first}) == 3


def test_streams_of_op_seeds() -> None:
    """Each has its own stream, which depends on the global seed too."""
    tl.random.set_seed(7)
    own, other, plain = draws(2, seed=1), draws(2, seed=2), draws(2)
    assert own != other != plain != own
    tl.random.set_seed(7)
    assert (draws(2, seed=2), draws(2), draws(2, seed=1)) == (other, plain, own)
    tl.random.set_seed(9)
    assert draws(2, seed=1) != own


def test_without_a_global_seed() -> None:
    """Op seeds are enough; without them each run differs."""
    tl.random.set_seed(None)
    own = draws(1, seed=1)
    some = draws(1)
    tl.random.set_seed(None)
    assert draws(1, seed=1) == own
    assert draws(1) != some


def test_the_same_stream_eager_and_in_a_graph() -> None:
    @tl.function
    def two() -> Any:
        return tl.random.uniform([2]), tl.random.uniform([2])

    tl.random.set_seed(7)
    want = draws(5)
    tl.random.set_seed(7)
    got = draws(1)
    got += [x.numpy().tolist() for x in two()]
    got += [x.numpy().tolist() for x in two()]
    assert got == want
    tl.random.set_seed(7)
    assert [x.numpy().tolist() for x in two()] == want[:2]  # a trace sees the new start


def test_in_a_loop_each_turn_draws_anew() -> None:
    tl.random.set_seed(7)
    want = draws(3)

    @tl.function
    def f(n: Any) -> Any:
        total = tl.zeros([2])
        for _ in tl.range(n):
            total = total * 10 + tl.random.uniform([2])
        return total

    tl.random.set_seed(7)
    weights = np.array([[100], [10], [1]], np.float32)
    np.testing.assert_allclose(f(3).numpy(), (np.array(want) * weights).sum(0), rtol=1e-5)


def test_unknown_shapes() -> None:
    @tl.function(input_signature=[tl.TensorSpec([None, 2]), tl.TensorSpec([None], tl.int32)])
    def f(x: Any, shape: Any) -> Any:
        noise = tl.random.normal(tl.shape(x))
        assert noise.shape == (None, 2)
        return noise, tl.random.uniform(shape, maxval=9, dtype=tl.int32)

    noise, numbers = f(np.zeros((3, 2), np.float32), [2, 4])
    assert (noise.shape, numbers.shape) == ((3, 2), (2, 4))


def test_generator() -> None:
    g = tl.random.Generator.from_seed(5)
    first = g.normal([3])
    kept = tl.random.Generator(copy_from=g)
    second = g.uniform([3], 1, 7, tl.int32)
    assert kept.uniform([3], 1, 7, tl.int32).numpy().tolist() == second.numpy().tolist()
    g.reset_from_seed(5)
    assert g.normal([3]).numpy().tolist() == first.numpy().tolist()
    g.reset_from_seed(5)
    g.skip(3)
    assert g.uniform([3], 1, 7, tl.int32).numpy().tolist() == second.numpy().tolist()
    assert (g.algorithm, int(g.key)) == (1, 0)
    again = tl.random.Generator.from_state(g.state.numpy())
    assert again.truncated_normal([2]).numpy().tolist() == g.truncated_normal([2]).numpy().tolist()
    keyed = tl.random.Generator.from_key_counter(3, [1, 2])
    assert keyed.state.numpy().tolist() == [1, 2, 3]
    keyed.reset_from_key_counter(4, [5, 6])
    assert keyed.state.numpy().tolist() == [5, 6, 4]
    parts = g.split(3)
    numbers = [tuple(p.uniform([2]).numpy().tolist()) for p in parts]
    assert len(set(numbers)) == 3
    seeds = g.make_seeds(4)
    assert (seeds.shape, seeds.dtype, seeds.numpy()[1].tolist()) == ((2, 4), tl.int64, [0] * 4)
    free = tl.random.Generator.from_non_deterministic_state()
    assert free.uniform_full_int([2]).dtype is tl.uint64


def test_generator_in_a_function() -> None:
    g = tl.random.Generator.from_seed(5)
    want = [g.normal([2]).numpy().tolist() for _ in range(3)]
    g.reset_from_seed(5)

    @tl.function
    def f() -> Any:
        return g.normal([2])

    assert [f().numpy().tolist(), g.normal([2]).numpy().tolist(), f().numpy().tolist()] == want


def test_the_global_generator_follows_the_seed() -> None:
    tl.random.set_seed(3)
    first = tl.random.get_global_generator().normal([2]).numpy().tolist()
    tl.random.set_seed(3)
    assert tl.random.get_global_generator().normal([2]).numpy().tolist() == first
    mine = tl.random.Generator.from_seed(1)
    before = tl.random.get_global_generator()
    try:
        tl.random.set_global_generator(mine)
        tl.random.set_seed(3)
        assert tl.random.get_global_generator() is mine
        assert mine.state.numpy().tolist() == [1, 0, 0]
    finally:
        tl.random.set_global_generator(before)


def test_split_and_fold_in() -> None:
    seeds = tl.random.split([1, 2], 3).numpy()
    assert len({tuple(s) for s in seeds.tolist()}) == 3
    one, two = (tl.random.fold_in([1, 2], i).numpy().tolist() for i in range(2))
    assert one != two


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tl.random.uniform([2], dtype=tl.int32), "Must specify maxval"),
        (
            lambda: tl.random.uniform([2], 5, 5, tl.int32),
            "minval 5 must be less than maxval 5",
        ),
        (lambda: tl.random.normal([2], dtype=tl.int32), "are floating, not int32"),
        (lambda: tl.random.normal([-2]), "sizes are not negative"),
        (lambda: tl.random.stateless_normal([2], [1, 2, 3]), "a seed is two integers"),
        (lambda: tl.random.shuffle(3), "a scalar can't be shuffled"),
        (lambda: tl.random.categorical([1.0], 2), "logits have shape (rows, classes)"),
        (lambda: tl.random.create_rng_state([1, 2, 3, 4]), "one to three integers"),
        (tl.random.Generator, "needs copy_from or state"),
    ],
)
def test_messages(call: Any, text: str) -> None:
    with pytest.raises(tl.errors.InvalidArgumentError) as caught:
        call()
    assert text in str(caught.value)


def test_other_algorithms_are_not_there() -> None:
    with pytest.raises(tl.errors.UnimplementedError, match="threefry"):
        tl.random.Generator.from_seed(1, alg="threefry")
