"""Import, tracing, calls and eager ops; the peers do the same work where they are installed."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import treadle as tl
from benchmarks.harness import Figure, Job, Row, optional
from treadle.runtime.executable import executable

CHAIN = 4_000
LONG_CHAIN = 100_000
SMALL = np.ones((4, 4), np.float32)


def importing(module: str) -> Job:
    """Start Python and import a module."""
    return lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True)


def chained(ops: int) -> Callable[[Any], Any]:
    """A function of `ops` operations, no two of which are the same."""

    def chain(x: Any) -> Any:
        for i in range(ops // 2):
            x = x * (1.0 + i * 1e-6) + x
        return x

    return chain


def trace(ops: int) -> tl.graph.Graph:
    chain = tl.function(chained(ops), autograph=False)
    return chain.get_concrete_function(tl.TensorSpec([4, 4])).graph


def lower(ops: int) -> object:
    """Trace, simplify and plan: all that comes before the first run."""
    return executable(trace(ops))


def rows() -> Iterator[Row]:
    yield Row("import (a new process)", importing("treadle"), {"numpy": importing("numpy")}, "ms")
    jax, torch = optional("jax"), optional("torch")
    tensorflow = optional("tensorflow")
    peers: dict[str, Job] = {}
    if jax:
        argument = jax.numpy.asarray(SMALL)
        peers["jax"] = lambda: jax.make_jaxpr(chained(CHAIN))(argument)
    if tensorflow:
        spec = tensorflow.TensorSpec([4, 4])
        peers["tensorflow"] = lambda: tensorflow.function(
            chained(CHAIN), autograph=False
        ).get_concrete_function(spec)
    yield Row(f"trace {CHAIN} chained ops", lambda: trace(CHAIN), peers, "ms", goal=60)
    yield Row(
        f"trace, simplify, plan {LONG_CHAIN} ops: each",
        lambda: lower(LONG_CHAIN),
        {},
        "us",
        per=LONG_CHAIN,
        goal=40,
    )
    yield Row(
        f"trace, simplify, plan {LONG_CHAIN // 10} ops: each",
        lambda: lower(LONG_CHAIN // 10),
        {},
        "us",
        per=LONG_CHAIN // 10,
        goal=40,
    )
    yield from _calls(jax, torch, tensorflow)


def _calls(jax: Any, torch: Any, tensorflow: Any) -> Iterator[Row]:
    x = tl.constant(SMALL)
    add = tl.function(lambda x: x + x)
    calls: dict[str, Job] = {"numpy": lambda: SMALL + SMALL}
    eager: dict[str, Job] = dict(calls)
    if jax:
        y, add_jax = jax.numpy.asarray(SMALL), jax.jit(lambda x: x + x)
        calls["jax"] = lambda: add_jax(y)
        eager["jax"] = lambda: y + y
    if torch:
        z, add_torch = torch.from_numpy(SMALL), torch.compile(lambda x: x + x)
        calls["torch"] = lambda: add_torch(z)
        eager["torch"] = lambda: z + z
    if tensorflow:
        t, add_tf = tensorflow.constant(SMALL), tensorflow.function(lambda x: x + x)
        calls["tensorflow"] = lambda: add_tf(t)
        eager["tensorflow"] = lambda: t + t
    yield Row("call of a traced one-op function, 4x4", lambda: add(x), calls, goal=5)
    yield Row("eager x + x, 4x4", lambda: x + x, eager, goal=2.5)
    matmul: dict[str, Job] = {"numpy": lambda: SMALL @ SMALL}
    yield Row("eager x @ x, 4x4", lambda: x @ x, matmul, goal=2.5)


def started(statement: str) -> float:
    """The milliseconds of a statement in a new process that has loaded NumPy: the median."""
    text = (
        "import numpy, time; start = time.perf_counter();"
        f"exec({statement!r}); print(time.perf_counter() - start)"
    )
    runs = [subprocess.check_output([sys.executable, "-c", text]) for _ in range(9)]
    return 1000 * sorted(map(float, runs))[4]


def figures() -> Iterator[Figure]:
    """The time to start, and the memory that a graph of many ops keeps, with its plan."""
    yield Figure("import treadle, beyond numpy", started("import treadle"), "ms", 80)
    call = "import treadle as tl; tl.function(lambda x: x + x)(tl.ones([3]))"
    yield Figure("import treadle and call a function, beyond numpy", started(call), "ms")
    gc.collect()
    tracemalloc.start()
    kept = lower(LONG_CHAIN)
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    yield Figure(f"memory of {LONG_CHAIN} ops and their plan: each", size / LONG_CHAIN, "B", 2048)
