"""`treadle demo`: handwritten digits, learned by a training loop that is one traced function."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import treadle as tl

BATCH = 64
TARGET_LOSS = 0.02


class Network(tl.Module):
    """Two dense layers: 64 pixels -> 48 -> 10 digits."""

    def __init__(self) -> None:
        self.w1 = tl.Variable(tl.random.normal([64, 48], stddev=0.15), name="w1")
        self.b1 = tl.Variable(tl.zeros([48]), name="b1")
        self.w2 = tl.Variable(tl.random.normal([48, 10], stddev=0.15), name="w2")
        self.b2 = tl.Variable(tl.zeros([10]), name="b2")

    def __call__(self, images: Any) -> Any:
        hidden = tl.nn.relu(images @ self.w1 + self.b1)
        return hidden @ self.w2 + self.b2


def train_step(network: Network, images: Any, labels: Any, rate: Any) -> Any:
    """One step of gradient descent on a mini-batch: the loss before it."""
    with tl.GradientTape() as tape:
        losses = tl.nn.sparse_softmax_cross_entropy_with_logits(labels, network(images))
        loss = tl.reduce_mean(losses)
    gradients = tape.gradient(loss, network.trainable_variables)
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        variable.assign_sub(rate * gradient)
    return loss


@tl.function
def train(network: Network, images: Any, labels: Any, most_steps: Any) -> Any:
    """Train until the loss is small: steps taken, last loss."""
    batches = tl.shape(images)[0] // BATCH
    step = 0
    loss = tl.constant(10.0)
    best = tl.constant(10.0)
    rate = 0.5
    while loss > TARGET_LOSS and step < most_steps:
        order = tl.random.shuffle(tl.range(tl.shape(images)[0]))
        total = 0.0
        for i in tl.range(batches):
            chosen = order[i * BATCH : (i + 1) * BATCH]
            total += train_step(network, tl.gather(images, chosen), tl.gather(labels, chosen), rate)
            step += 1
            if step >= most_steps:
                break
        loss = total / tl.cast(batches, tl.float32)
        if loss > best:
            rate *= 0.7
        best = tl.minimum(best, loss)
        tl.print("  step", step, " loss", loss, " learning rate", rate, output_stream=sys.stdout)
        if rate < 0.01:
            break
    return step, loss


def accuracy(network: Network, images: Any, labels: Any) -> float:
    """The share of images whose digit is found."""
    found = tl.argmax(network(images), axis=1, output_type=tl.int32)
    return float(tl.reduce_mean(tl.cast(found == labels, tl.float32)))


def load_digits(seed: int) -> tuple[Any, Any, Any, Any]:
    """Scikit-learn's digits, shuffled: training images and labels, held-out ones (20 %)."""
    from sklearn.datasets import load_digits as load  # noqa: PLC0415 - of the extra `demo`

    data = load()
    order = np.random.default_rng(seed).permutation(len(data.target))
    images = (data.data[order] / 16.0).astype(np.float32)
    labels = data.target[order].astype(np.int32)
    held_out = len(labels) // 5
    parts = (images[held_out:], labels[held_out:], images[:held_out], labels[:held_out])
    return tuple(map(tl.constant, parts))  # type: ignore[return-value]


def milliseconds(job: Callable[[], Any], repeats: int = 30) -> float:
    """The median time of a call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def heading(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def main(steps: int, seed: int) -> int:
    """Run the demo; 0, or 1 where scikit-learn is missing."""
    try:
        images, labels, test_images, test_labels = load_digits(seed)
    except ImportError:
        print("treadle demo needs scikit-learn: pip install 'treadle[demo]'", file=sys.stderr)
        return 1
    tl.random.set_seed(seed)
    network = Network()
    heading(f"Training on {len(labels)} scanned digits, {len(test_labels)} held out")
    start = time.perf_counter()
    taken, loss = train(network, images, labels, tl.constant(steps))
    seconds = time.perf_counter() - start
    print(f"{int(taken)} steps in {seconds:.2f} s, last loss {float(loss):.4f}")

    heading("The Python that AutoGraph made of `train`")
    print(tl.autograph.to_code(train.python_function))

    graph = train.get_concrete_function(network, images, labels, tl.constant(steps)).graph
    heading("Its graph")
    print(tl.graph.summary(graph))
    text = str(graph).splitlines()
    print(f"\nThe first lines of its text form ({len(text)} in all):\n")
    print("\n".join(text[:30]))

    heading("Results")
    print(f"held-out accuracy   {accuracy(network, test_images, test_labels):.4f}")
    traced_step = tl.function(train_step)
    some = images[:BATCH], labels[:BATCH], tl.constant(0.0)
    traced_step(network, *some)
    eager = milliseconds(lambda: train_step(network, *some))
    traced = milliseconds(lambda: traced_step(network, *some))
    print(f"one step, eager     {eager:.3f} ms")
    print(f"one step, graph     {traced:.3f} ms   ({eager / traced:.1f} times as fast)")
    print(f"traces of `train`   {train.experimental_get_tracing_count()}")
    return 0
