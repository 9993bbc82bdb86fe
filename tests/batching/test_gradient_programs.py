"""Random programs with arrays, calls and early returns: a batch gives what each example does.

`PYTHONPATH=tests python tests/batching/test_gradient_programs.py 500` runs more.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from gradients.programs.running import Traced
from gradients.programs.writer import program, start

import treadle as tl

EXAMPLES, SEEDS, CHUNK = 4, 60, 20


def difference(seed: int) -> str | None:
    """What a batch gives that differs from its examples; None if nothing, or it is refused."""
    traced = Traced(program(seed))
    first = start(seed)
    traced.sources(first)
    random = np.random.default_rng(seed)
    batch = [
        tl.constant(np.asarray(x, float) + random.normal(size=(EXAMPLES, *np.shape(x))) * 0.7)
        for x in first[:2]
    ]
    f = tl.function(traced.program)

    @tl.function
    def slopes(a: Any, p: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch([a, p])
            y = f(a, p)
        return y, *tape.gradient(y, [a, p, traced.v], unconnected_gradients="zero")

    try:
        got = tl.vmap(slopes)(*batch)
    except tl.errors.BatchingError as error:
        return None if "its size depends on the example" in str(error) else str(error)
    each = [slopes(*example) for example in zip(*batch, strict=True)]
    for found, wanted in zip(got, zip(*each, strict=True), strict=True):
        want = np.stack([x.numpy() for x in wanted])
        least = 1e-9 * (1 + np.abs(np.nan_to_num(want)).max())
        if not np.allclose(found.numpy(), want, rtol=1e-6, atol=least, equal_nan=True):
            return f"{found.numpy()} is not {want}"
    return None


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_a_batch_as_each_example(first: int) -> None:
    found = {seed: difference(seed) for seed in range(first, first + CHUNK)}
    assert {seed: wrong for seed, wrong in found.items() if wrong} == {}


if __name__ == "__main__":
    for seed in range(int(sys.argv[1])):
        wrong = difference(seed)
        if wrong is not None:
            print(seed, wrong)
