"""What Python's own methods go over: objects whose items code of the user's gives."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque

from treadle.errors import ConversionError

from .abstract_classes import Few, Squares
from .harness import Collection

program = Collection()

NS = (3, 1, 0)


class Evens:
    """A generator gives its items, as many as the run tells."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        i = 0
        while i < self.n:
            yield i * 2
            i += 1


class Pair:
    def __iter__(self):
        return iter([1, 2])


@program(*NS)
def lists_extended():
    def f(n):
        items = [7]
        items.extend(Evens(n))
        items += Evens(n)
        items += Pair()
        return items, [*Evens(n)], [1, *Evens(n), *Pair()]

    return f


@program(*NS)
def looked_for():
    def f(n):
        return 2 in Evens(n), 3 in Evens(n), 0 not in Evens(n)

    return f


@program(*NS)
def slices_assigned():
    def f(n):
        items, others = [1, 2, 3], [1, 2, 3, 4]
        items[1:] = Evens(n)
        others[:1] = (v + 1 for v in Evens(n))
        others[-1:] = Pair()
        return items, others

    return f


@program(*NS)
def deques_extended():
    def f(n):
        queue = deque([1])
        queue.extend(Evens(n))
        queue.extendleft(Evens(n))
        queue += Evens(n)
        queue += Pair()
        return list(queue)

    return f


@program(3, 1)
def an_item_that_can_be_gone_over():
    def f(n):
        one, queue = Pair(), deque([5])
        queue.append(one)
        queue.insert(0, one)
        return queue[0] is one, len(queue) * n

    return f


@program(*NS)
def sets_extended():
    def f(n):
        n = int(n)
        found = {1}
        found.update(Evens(n))
        more = {1, 2}
        more.update([i * 3 for i in range(n) if i > 0])
        both = sorted({1, 2}.union(Evens(n))), sorted({1, 2} & {*Evens(n)})
        return sorted(found), sorted(more), both, {1, 2}.isdisjoint(Evens(n))

    return f


@program(*NS)
def dicts_of_mappings():
    def f(n):
        n = int(n)
        found = {1: 2}
        found.update(Squares(n, 3))
        more = {7: 2}
        more |= Squares(n, 3)
        pairs = {1: 2}
        pairs.update((k, n) for k in Evens(n))
        return found, dict(Squares(n, 2)), more, pairs

    return f


@program(*NS)
def dicts_of_mappings_of_known_size():
    def f(n):
        found = {1: 2}
        found.update(Squares(2, n))
        ordered, counted = OrderedDict(), defaultdict(int)
        ordered.update(Squares(2, n))
        counted.update(Squares(2, n))
        return found, dict(Squares(2, n)), list(ordered.items()), list(counted.items())

    return f


@program(3, 1)
def of_a_known_number():
    def f(n):
        items = [n]
        items.extend(Few([1, 2]))
        return items, (n, *Pair()), max(*Pair()), frozenset(Pair()) == {1, 2}

    return f


@program(3, refused=(ConversionError, "become arguments, or items of a tuple"))
def tuple_of_items_of_the_run():
    def f(n):
        return (1, *Evens(n))

    return f


@program(3, 1)
def extended_in_a_branch():
    def f(n):
        if n > 2:
            items = [1]
            items += Pair()
            items.extend(Evens(n))
        else:
            items = [*Pair()]
        return items

    return f
