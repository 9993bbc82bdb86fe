"""Every stage of a function, from its Python to the source that runs."""

import treadle as tl
from treadle.runtime.executable import executable


@tl.function
def collatz(n):
    """How many steps it takes to come to 1."""
    steps = 0
    while n > 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


print("The Python that AutoGraph made:\n")
print(tl.autograph.to_code(collatz.python_function))

graph = collatz.get_concrete_function(tl.TensorSpec([], tl.int32)).graph
print("The graph as traced:\n")
print(graph)
print(tl.graph.summary(graph))

print("\nThe plan that runs:\n")
plan = executable(graph).plan
assert plan is not None
print(plan.source)

print("collatz(27) =", collatz(tl.constant(27)).numpy())
assert collatz(tl.constant(27)).numpy() == 111
