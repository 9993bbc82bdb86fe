"""Three orders of derivatives against the stored figures of JAX and torch.

`gradients/programs/peers.py` says how they were made, `peers.json` with which versions.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from gradients.programs.peers import FILE, directions_for
from gradients.programs.running import Traced
from gradients.programs.writer import start

import treadle as tl

STORED = json.loads(FILE.read_text())
CORPUS = STORED["corpus"]


def derivatives(traced: Traced, arrays: list[Any], wrap: Any) -> dict[str, Any]:
    """As `peers.by_torch` gives them."""
    program, (_, _, v, m) = tl.function(traced.program), traced.sources(arrays)
    given = [tl.constant(x) for x in arrays[:2]]
    found: dict[str, Any] = {"value": program(*given).numpy()}

    def gradients(f: Any) -> Any:
        def derive(a: Any, p: Any) -> Any:
            with tl.GradientTape() as tape:
                tape.watch([a, p])
                y = f(a, p)
            return tape.gradient(y, [a, p, v, m], unconnected_gradients="zero")

        return derive

    def inner(f: Any, direction: list[Any]) -> Any:
        def product(a: Any, p: Any) -> Any:
            pairs = zip(gradients(f)(a, p), direction, strict=True)
            return tl.add_n([tl.reduce_sum(g * d) for g, d in pairs])

        return product

    f: Any = program
    for order, direction in enumerate(directions_for(arrays), 1):
        found[f"order {order}"] = [g.numpy() for g in wrap(gradients(f))(*given)]
        f = inner(f, direction)
    return found


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case["name"])
def test_three_orders(case: dict[str, Any]) -> None:
    arrays = start(case["start"])
    got = derivatives(Traced(case["text"]), arrays, tl.function)
    for who in ("jax", "torch"):
        for name, want in case[who].items():
            for g, w in zip(tl.nest.flatten(got[name]), flat(want), strict=True):
                scale = 1e-12
                atol = scale * (1 + np.max(np.abs(w)))
                np.testing.assert_allclose(g, w, atol=atol, rtol=1e-9, err_msg=f"{who}: {name}")


def flat(want: Any) -> list[Any]:
    return [np.asarray(w) for w in want] if isinstance(want, list) else [np.asarray(want)]


def test_the_versions_are_told() -> None:
    assert {*STORED["versions"]} == {"jax", "torch"}
    assert len(CORPUS) >= 40
