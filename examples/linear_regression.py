"""Fit a line to noisy points; the training loop stops by itself and is one graph."""

import treadle as tl

tl.random.set_seed(1)
x = tl.random.uniform([200], -1.0, 1.0)
y = 3.0 * x + 0.5 + tl.random.normal([200], stddev=0.1)
slope, intercept = tl.Variable(0.0), tl.Variable(0.0)


@tl.function
def fit(rate):
    """Gradient descent until the loss stands still."""
    before, loss, step = tl.constant(1e9), tl.constant(1e8), 0
    while before - loss > 1e-7:
        with tl.GradientTape() as tape:
            error = tl.reduce_mean((slope * x + intercept - y) ** 2)
        d_slope, d_intercept = tape.gradient(error, [slope, intercept])
        slope.assign_sub(rate * d_slope)
        intercept.assign_sub(rate * d_intercept)
        before = loss
        loss = error
        step += 1
    return step, loss


steps, loss = fit(tl.constant(0.5))
print(f"{int(steps)} steps, loss {float(loss):.4f}")
print(f"y = {float(slope):.2f} x + {float(intercept):.2f}")
assert abs(float(slope) - 3.0) < 0.05
assert abs(float(intercept) - 0.5) < 0.05
