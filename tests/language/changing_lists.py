"""Lists that change while a loop goes over them: each item is what it is when it is its turn."""

from __future__ import annotations

from .harness import Collection

program = Collection()
CALLS = ([1, 2, 3, 4], [2, 2, 3], [1, 1], [5])


def above(xs):
    return [x for x in xs if x > 1]


@program(*CALLS)
def items_set_ahead():
    def f(xs):
        items = above(xs)
        t = 0
        for i, v in enumerate(items):
            t += v
            if i + 1 < len(items):
                items[i + 1] = 100
        return t

    return f


@program(*CALLS)
def appended_while_gone_over():
    def f(xs):
        items = above(xs)
        t = 0
        for v in items:
            t += v
            if v == 2:
                items.append(50)
        return t

    return f


@program(*CALLS)
def popped_while_gone_over():
    def f(xs):
        items = above(xs)
        t = 0
        for v in items:
            t += v
            if len(items) > 2:
                items.pop()
        return t, len(items)

    return f


@program(*CALLS)
def python_list_changed():
    def f(xs):
        items = [1, 2, 3]
        t = 0
        for v in items:
            t += v
            if v > xs[0]:
                items[-1] = 100
        return t

    return f


@program(*CALLS)
def last_item_set():
    def f(xs):
        items = above(xs)
        t = 0
        for v in items:
            items[-1] = 7
            t += v
        return t

    return f


@program(*CALLS)
def inserted_until_a_break():
    def f(xs):
        items = above(xs)
        t = 0
        for v in items:
            items.insert(0, 7)
            t += v
            if len(items) > 6:
                break
        return t

    return f


@program(*CALLS)
def removed_from_while_a_copy_is_gone_over():
    def f(xs):
        items = above(xs)
        t = 0
        for v in list(items):
            items.remove(v)
            t += v
        return t, len(items)

    return f


@program(*CALLS)
def set_behind_an_iterator():
    def f(xs):
        items = above(xs)
        t = 0
        it = iter(items)
        for v in it:
            items[-1] = 9
            t += v
        return t

    return f


@program(*CALLS)
def both_of_a_zip_changed():
    def f(xs):
        items = above(xs)
        t = 0
        for a, b in zip(items, items):
            items[-1] = 9
            t += a * b
        return t

    return f


@program(*CALLS)
def changed_by_a_function():
    def f(xs):
        items = above(xs)

        def change():
            items[-1] = 11

        t = 0
        for a in items:
            change()
            t += a
        return t

    return f


@program(*CALLS)
def dict_that_changes_its_size():
    def f(xs):
        counts, total = {}, 0
        for x in xs:
            counts[int(x)] = 1
        for key, count in counts.items():
            counts[key] = count + 1
        try:
            for key in counts:  # noqa: PLC0206
                if key > 1:
                    counts[key + 100] = 5
                total += counts[key]
        except RuntimeError:
            total += 1000
        return total, len(counts)

    return f


@program(*CALLS)
def dict_that_changes_before_a_break():
    def f(xs):
        counts = {}
        for x in xs:
            counts[int(x)] = 1
        for key in counts:
            if key > 1:
                counts.pop(key)
                break
        return len(counts), sum(counts)

    return f


def counted(xs):
    return {int(x): 1 for x in xs}


@program(*CALLS)
def numbered_dict_that_changes_before_a_break():
    def f(xs):
        counts, places = counted(xs), 0
        for i, key in enumerate(counts):
            if key > 1:
                counts[key + 100] = i
                break
            places += i
        for key, x in zip(counts, xs):
            if key == x:
                counts[key + 200] = places
                break
        return len(counts), places, sum(counts)

    return f


@program(*CALLS)
def numbered_and_reversed_dicts_that_change_their_size():
    def f(xs):
        outcomes = []
        for order in enumerate, reversed:
            counts = counted(xs)
            try:
                for found in order(counts):
                    counts[found[1] if order is enumerate else found] = 2
                    if len(counts) > 1:
                        counts[100] = 3
                outcomes.append(0)
            except RuntimeError:
                outcomes.append(1)
        return outcomes

    return f


@program(*CALLS)
def reversed_list_that_grows():
    def f(xs):
        items, t = above(xs), 0
        for v in reversed(items):
            t = 10 * t + v
            if v > 2:
                items.append(7)
        return t, items

    return f
