"""Items of lists of the graph's which something else leads to, too: to change one is refused."""

from __future__ import annotations

import treadle as tl

from .harness import Collection

program = Collection()

XS = ([3, 1, 2], [1, 1, 5], [9, 8, 7, 6])
NOT_KNOWN = (tl.errors.ListItemError, "list.*as a copy|read as copies")


class Named:
    def __init__(self, n):
        self.n = n


def named(xs):
    found = []
    for x in xs:
        found.append(Named(x))
    return found


def rows(xs):
    found = []
    for x in xs:
        found.append({"n": x, "k": 0})
    return found


@program(*XS, refused=NOT_KNOWN)
def the_best_one():
    def f(xs):
        out = rows(xs)
        best = out[0]
        for d in out:
            if d["n"] > best["n"]:
                best = d
        best["n"] += 100
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def known_from_a_loop():
    def f(xs):
        out = rows(xs)
        best = out[0]
        for d in out:
            if d["n"] > best["n"]:
                best = d
        out[0]["n"] += 100
        return best

    return f


@program(*XS, refused=NOT_KNOWN)
def known_from_where_it_was_put():
    def f(xs):
        out = []
        last = {"n": 0}
        for x in xs:
            last = {"n": x}
            out.append(last)
        out[-1]["n"] = 50
        return last

    return f


@program(*XS, refused=NOT_KNOWN)
def known_in_an_object():
    class Box:
        def __init__(self):
            self.of = None

    def f(xs):
        box = Box()
        out = []
        for x in xs:
            p = Named(x)
            if x > 1:
                box.of = p
            out.append(p)
        for o in out:
            o.n += 1
        return 0 if box.of is None else box.of.n

    return f


@program(*XS, refused=NOT_KNOWN)
def one_object_in_each_place():
    def f(xs):
        out, one = [], {"n": 0}
        for _ in xs:
            out.append(one)
        out[0]["n"] = 5
        return out

    return f


@program(*XS, refused=(tl.errors.ListItemError, "the items of a list must be alike"))
def one_object_in_some_places():
    def f(xs):
        out, one = [], Named(0)
        for x in xs:
            if x > 1:
                one = Named(x)
            out.append(one)
        out[0].n += 5
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def one_dict_in_some_places():
    def f(xs):
        out, one = [], {"n": xs[0]}
        for x in xs:
            if x > 1:
                one = {"n": x}
            out.append(one)
        out[0]["n"] += 5
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def a_constant_in_each_place():
    def f(xs):
        out, one = [], {"n": 0}
        one["n"] = 1
        for x in xs:
            one["n"] = x
            out.append(one)
        out[0]["n"] = 5
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def twice_in_a_list():
    def f(xs):
        out = []
        for x in xs:
            p = Named(x)
            out.append(p)
            out.append(p)
        out[0].n += 5
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def in_two_lists():
    def f(xs):
        out, other = [], []
        for x in xs:
            p = Named(x)
            out.append(p)
            other.append(p)
        out[0].n += 5
        return [o.n for o in other]

    return f


@program(*XS, refused=NOT_KNOWN)
def in_a_filtered_list():
    def f(xs):
        out = named(xs)
        some = [o for o in out if o.n > 1]
        for o in some:
            o.n = 0
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def one_of_two_lists():
    def f(xs):
        out, more = named(xs), named(xs)
        one = out if xs[0] > 2 else more
        one[0].n = 0
        return [o.n for o in out], [o.n for o in more]

    return f


@program(*XS, refused=NOT_KNOWN)
def one_of_two_lists_from_a_loop():
    def f(xs):
        out, more = named(xs), named(xs)
        one = out
        for x in xs:
            if x > 2:
                one = more
        out[0].n = 0
        return [o.n for o in out], [o.n for o in one]

    return f


@program(*XS, refused=NOT_KNOWN)
def known_from_a_branch():
    def f(xs):
        out, kept = named(xs), []
        if xs[0] > 2:
            kept.append(out[0])
        for o in out:
            o.n += 1
        return [o.n for o in kept]

    return f


@program(*XS, refused=NOT_KNOWN)
def the_one_before():
    def f(xs):
        out = rows(xs)
        before = out[0]
        for d in out:
            d["k"] += before["n"]
            before = d
        return out

    return f


@program(*XS, refused=(tl.errors.ListItemError, "a dict is put into a list .* as a copy"))
def the_last_dict_is_changed():
    def f(xs):
        out, last = [], {"n": 0}
        for x in xs:
            last = {"n": x}
            out.append(last)
        last["n"] += 9
        return out

    return f


@program(*XS, refused=(tl.errors.ListItemError, "a dict is put into a list .* as a copy"))
def the_dict_before_is_changed():
    def f(xs):
        out, last = [], {"n": 0}
        for x in xs:
            last["n"] += 100
            last = {"n": x}
            out.append(last)
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def in_a_slice():
    def f(xs):
        out = named(xs)
        some = out[1:]
        out[1].n = 0
        return [o.n for o in some]

    return f


@program(*XS, refused=NOT_KNOWN)
def in_a_copy():
    def f(xs):
        out = named(xs)
        some = out.copy()
        some[1].n = 0
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def in_a_sorted_list():
    def f(xs):
        out = named(xs)
        some = sorted(out, key=lambda o: o.n)
        some[0].n = 0
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def shared_part():
    def f(xs):
        out, part = [], [0, 0]
        for x in xs:
            out.append({"n": x, "part": part})
        out[0]["part"][0] = 5
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def shared_part_put_later():
    def f(xs):
        out, part = [{"n": 0, "part": [1, 1]}], [0, 0]
        for x in xs:
            out.append({"n": x, "part": [0, 0]})
        out[0]["part"] = part
        out[1]["part"] = part
        out[0]["part"][0] = 5
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def the_largest():
    def f(xs):
        out = named(xs)
        largest = max(out, key=lambda o: o.n)
        out[0].n = 0
        return largest.n

    return f


@program(*XS, refused=NOT_KNOWN)
def moved_by_pop():
    def f(xs):
        out = rows(xs)
        a = out[1]
        out.pop(0)
        a["n"] = 5
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def moved_in_a_loop():
    def f(xs):
        out = rows(xs)
        a = out[1]
        for x in xs:
            a["n"] += 5
            if x > 2:
                out.insert(0, {"n": 0, "k": 0})
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def shared_later_in_a_loop():
    def f(xs):
        out, others = rows(xs), []
        for x in xs:
            out[0]["n"] += x
            others = [d for d in out if d["n"] > 1]
        return out, others

    return f


@program(*XS, refused=NOT_KNOWN)
def replaced_item():
    def f(xs):
        out = rows(xs)
        a = out[0]
        out[0] = {"n": 5, "k": 5}
        out[0]["n"] += 1
        return out, a

    return f


@program(*XS, refused=NOT_KNOWN)
def taken_out_and_known():
    def f(xs):
        out = named(xs)
        a = out[-1]
        b = out.pop()
        b.n = 99
        return a.n

    return f


@program(*XS, refused=NOT_KNOWN)
def changed_by_another_list_of_the_name():
    def f(xs):
        out = named(xs)
        a = out[0]
        for x in xs:
            if x > 100:
                out = [Named(0)]
        a.n += 5
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def added_lists():
    def f(xs):
        out, more = named(xs), named(xs)
        all_of_them = out + more
        all_of_them[0].n = 5
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def repeated_list():
    def f(xs):
        out = named(xs) * 2
        out[0].n = 5
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def in_reverse_as_a_list():
    def f(xs):
        out = named(xs)
        back = list(reversed(out))
        back[0].n = 50
        return [o.n for o in out]

    return f
