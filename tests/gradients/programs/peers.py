"""`PYTHONPATH=tests python -m gradients.programs.peers` remakes `peers.json`, with JAX and torch.

Values and derivatives of the first programs of the writer, and of the ones by hand below, which
`test_peers.py` compares with treadle's. The file tells the versions that made it; the tests need
neither.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from .writer import program, start

FILE = Path(__file__).parent / "peers.json"
WRITTEN = 40
BY_HAND = {
    "zero trips": """
def program(a, p):
    q = p * p
    for i in tl.range(3):
        for j in tl.range(i - i):
            q = q * a
        while test(a * a < -1.0):
            a = a * v
    return tl.reduce_sum(tl.sin(q) * p) + a * v
""",
    "from before a loop to behind it": """
def program(a, p):
    before = tl.sin(p) * v
    q = before
    for i in tl.range(4):
        q = tl.tanh(tl.linalg.matvec(m, q)) + before * 0.3
    return tl.reduce_sum(q * before) * a
""",
    "break and continue": """
def program(a, p):
    q, k = p, 0
    for i in tl.range(20):
        k = k + 1
        if test(k % 3 == 1):
            continue
        q = q * 1.2 + tl.sin(p * a) * v
        if test(tl.reduce_sum(q * q) > 6.0):
            break
    return tl.reduce_sum(q) / (1.0 + a * a)
""",
    "loops in loops, with a branch": """
def program(a, p):
    q = p
    for i in tl.range(3):
        if test(tl.reduce_sum(q) > 0.2):
            for j in tl.range(i + 1):
                q = tl.tanh(q * a) + 0.2 * p
        else:
            for w in p:
                a = a * 0.5 + tl.sin(w * v)
            q = q + a
    return tl.reduce_sum(q * q) + a
""",
    "an array that is read and written": """
def program(a, p):
    ta = tl.TensorArray(tl.float64, 6, element_shape=[])
    ta = ta.write(0, a)
    ta = ta.write(1, v)
    for i in tl.range(2, 6):
        ta = ta.write(i, tl.sin(ta.read(i - 1)) + ta.read(i - 2) * tl.gather(p, [i % 3, 0, 1])[0])
    return tl.reduce_sum(ta.stack() * ta.stack()) + tl.reduce_sum(p)
""",
    "an item is replaced": """
def program(a, p):
    q = p
    for i in tl.range(5):
        q = put(q, i % 3, q[(i + 1) % 3] * a + tl.cos(v))
    return tl.reduce_sum(q * tl.linalg.matvec(m, q))
""",
}


class _Array:
    """A TensorArray of a peer."""

    def __init__(self, stack: Any, size: int) -> None:
        self.stacked, self.values = stack, [0.0] * size

    def write(self, i: int, x: Any) -> _Array:
        made = _Array(self.stacked, 0)
        made.values = list(self.values)
        made.values[i] = x
        return made

    def read(self, i: int) -> Any:
        return self.values[i]

    def stack(self) -> Any:
        return self.stacked(self.values)


def _names(m: Any, **others: Any) -> SimpleNamespace:
    functions = {name: getattr(m, name) for name in ("sin", "cos", "tanh", "exp")}
    return SimpleNamespace(
        **functions,
        **others,
        float64=None,
        function=lambda f: f,
        constant=int,
        range=range,
        reduce_sum=m.sum,
        TensorArray=lambda dtype, size, element_shape: _Array(others["stack"], size),
        linalg=SimpleNamespace(matvec=lambda m, x: m @ x),
    )


def _program(text: str, **known: Any) -> Any:
    space: dict[str, Any] = dict(known)
    exec(text, space)

    def run(a: Any, p: Any, v: Any, m: Any) -> Any:
        space.update(v=v, m=m)
        return space["program"](a, p)

    return run


def by_torch(text: str, arrays: list[Any], directions: list[list[Any]]) -> dict[str, Any]:
    import torch

    def put(x: Any, i: int, value: Any) -> Any:
        made = x.clone()
        made[i] = value
        return made

    tl = _names(
        torch,
        stack=torch.stack,
        reverse=torch.flip,
        concat=torch.cat,
        gather=lambda x, i: x[torch.tensor(i)],
    )
    f = _program(text, tl=tl, test=bool, pick=_picked(torch), put=put)
    xs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in arrays]
    y = f(*xs)
    found: dict[str, Any] = {"value": float(y)}
    for order, along in enumerate(directions, 1):
        grads = torch.autograd.grad(y, xs, create_graph=True, allow_unused=True)
        grads = [torch.zeros_like(x) if g is None else g for g, x in zip(grads, xs, strict=True)]
        found[f"order {order}"] = [g.detach().numpy().tolist() for g in grads]
        y = sum((g * torch.tensor(d)).sum() for g, d in zip(grads, along, strict=True))
        if not y.requires_grad:
            y = y + 0.0 * sum(x.sum() for x in xs)
    return found


def _picked(module: Any) -> Any:
    def pick(condition: Any, x: Any, y: Any) -> Any:
        if isinstance(condition, bool):
            return x if condition else y
        return module.where(condition, x, y)

    return pick


def by_jax(text: str, arrays: list[Any], directions: list[list[Any]]) -> dict[str, Any]:
    import jax
    import jax.numpy as jnp

    tl = _names(
        jnp,
        stack=lambda xs: jnp.stack(xs),
        reverse=lambda x, axes: x[::-1],
        concat=jnp.concatenate,
        gather=lambda x, i: x[jnp.array(i)],
    )
    put = lambda x, i, value: x.at[i].set(value)  # noqa: E731
    f = _program(text, tl=tl, test=bool, pick=_picked(jnp), put=put)
    xs = [jnp.asarray(x, jnp.float64) for x in arrays]
    found: dict[str, Any] = {"value": float(f(*xs))}

    def inner(slopes: Any, along: Any) -> Any:
        return lambda *xs: sum(jnp.sum(g * d) for g, d in zip(slopes(*xs), along, strict=True))

    for order, along in enumerate(directions, 1):
        slopes = jax.grad(f, argnums=(0, 1, 2, 3))
        found[f"order {order}"] = [np.asarray(g).tolist() for g in slopes(*xs)]
        f = inner(slopes, along)
    return found


def texts() -> dict[str, str]:
    return {**BY_HAND, **{f"seed {seed}": program(seed, 12) for seed in range(WRITTEN)}}


def directions_for(arrays: list[Any]) -> list[list[Any]]:
    random = np.random.default_rng(5)
    return [[random.normal(size=np.shape(x)) for x in arrays] for _ in range(3)]


def main() -> None:
    import jax
    import torch

    jax.config.update("jax_enable_x64", True)
    corpus = []
    for i, (name, text) in enumerate(texts().items()):
        arrays = start(i)
        directions = directions_for(arrays)
        ways = {"torch": by_torch, "jax": by_jax}
        found = {who: way(text, arrays, directions) for who, way in ways.items()}
        corpus.append({"name": name, "text": text, "start": i, **found})
    versions = {"jax": jax.__version__, "torch": torch.__version__}
    FILE.write_text(json.dumps({"versions": versions, "corpus": corpus}, indent=0) + "\n")


if __name__ == "__main__":
    main()
