"""What a handler does with its exception: texts of it, and names and lists that keep it."""

from __future__ import annotations

import contextlib

import treadle as tl

from .harness import Collection

program = Collection()
ALL = (1, 5, -1, 4)


class LimitError(Exception):
    def __init__(self, value, limit=3):
        super().__init__(f"{value} is above {limit}")
        self.value = value
        self.note = f"<{value}>"

    @property
    def double(self):
        return self.value * 2


class ShownError(LimitError):
    def __str__(self):
        return "shown" if self.value > 4 else f"at {int(self.value)}"


def risky(x):
    if x > 3:
        raise ValueError("big")
    if x < 0:
        raise KeyError("negative")
    return x * 2


@program(*ALL)
def texts_of_an_exception():
    def f(x):
        try:
            if x > 3:
                raise ValueError(f"bad {int(x)}")
        except ValueError as e:
            return [str(e), repr(e), f"got {e}!", e.args[0].upper(), "%s" % e, str(e) + "."]  # noqa: UP031
        return [""] * 6

    return f


@program(*ALL)
def questions_about_the_text():
    def f(x):
        try:
            if x > 3:
                raise ValueError(f"bad {int(x)}")
        except ValueError as e:
            text = str(e)
            return text == "bad 5", "5" in text, text.startswith("ba"), len(text), not text
        return False, False, False, 0, True

    return f


@program(*ALL)
def attributes_of_an_exception():
    def f(x):
        try:
            if x > 3:
                raise LimitError(int(x))
        except LimitError as e:
            return e.value, e.double, e.note, str(e), e.args[0], type(e).__name__
        return 0, 0, "", "", "", ""

    return f


@program(*ALL)
def text_by_a_method_of_its_own():
    def f(x):
        try:
            if x > 3:
                raise ShownError(x)
        except LimitError as e:
            return str(e), f"{e}"
        return "", ""

    return f


@program(*ALL)
def text_of_a_failed_assertion():
    def f(x):
        try:
            assert x < 4, f"{int(x)} is too much"
        except AssertionError as e:
            return str(e)
        return "fine"

    return f


@program(*ALL)
def texts_kept_in_a_dict():
    def f(x):
        out = {"text": "", "first": ""}
        try:
            if x > 3:
                raise ValueError(f"bad {int(x)}", 7)
        except ValueError as e:
            out["text"] = str(e)
            out["first"] = e.args[0]
        return out

    return f


@program([1, 5, -1, 7])
def texts_kept_in_a_list():
    def f(xs):
        out = []
        for x in xs:
            try:
                if x > 3:
                    raise ValueError(f"bad {int(x)}")
                out.append("good")
            except ValueError as e:
                out.append(str(e))
        return out

    return f


@program(*ALL)
def raised_again_in_another():
    def f(x):
        try:
            try:
                if x > 3:
                    raise ValueError(f"bad {int(x)}")
            except ValueError as e:
                raise RuntimeError(f"wrapped: {e}") from e
        except RuntimeError as e:
            return str(e), str(e.__cause__)
        return "", ""

    return f


@program(*ALL)
def raised_again_in_another_to_the_end():
    def f(x):
        try:
            y = risky(x)
        except (ValueError, KeyError) as e:
            raise RuntimeError(str(e)) from e
        return y

    return f


@program(*ALL)
def kept_in_a_name():
    def f(x):
        error = None
        y = 0
        try:
            y = risky(x)
        except ValueError as e:
            error = e
        return y if error is None else -1

    return f


@program(*ALL)
def one_of_two_kept_and_raised():
    def f(x):
        error = None
        y = 0
        try:
            y = risky(x)
        except (ValueError, KeyError) as e:
            error = e
        y += 1
        if error is not None:
            raise error
        return y

    return f


@program(*ALL)
def one_of_two_kept_and_asked():
    def f(x):
        error = None
        y = 0
        try:
            y = risky(x)
        except Exception as e:
            error = e
        if isinstance(error, ValueError):
            return len(str(error))
        if isinstance(error, KeyError):
            return len(error.args[0])
        return y

    return f


@program(*ALL)
def kept_with_a_tensor_in_it():
    def f(x):
        error = None
        try:
            if x > 3:
                raise ValueError(f"bad {int(x)}")
        except ValueError as e:
            error = e
        if error is not None:
            raise error
        return x

    return f


@program(*ALL)
def last_of_a_loop():
    def f(x):
        error = None
        for i in tl.range(x):
            try:
                risky(i)
            except ValueError as e:
                error = e
        if error is not None:
            raise error
        return x

    return f


@program(*ALL)
def chosen_and_raised():
    def f(x):
        error = ValueError("a") if x > 3 else KeyError("b")
        if x > 0:
            raise error
        return x

    return f


@program(*ALL)
def chosen_class():
    def f(x):
        kind = ValueError if x > 3 else KeyError
        if x > 4:
            raise kind
        raise kind("x", x)

    return f


@program(*ALL)
def chosen_and_caught():
    def f(x):
        errors = [ValueError("a"), KeyError("b")]
        error = errors[1] if x > 3 else errors[0]
        try:
            raise error
        except LookupError as e:
            return e.args[0] == "b"
        except ValueError:
            return False

    return f


@program([1, 5, -1], [1, 5, -1, 7], [1, 5, 7, -1], [1])
def kept_in_a_list():
    def f(xs):
        errors = []
        for x in xs:
            try:
                risky(x)
            except (ValueError, KeyError) as e:
                errors.append(e)
        count = 0
        for e in errors:
            count += 1 if isinstance(e, ValueError) else 10
        if len(errors) > 2:
            raise errors[-1]
        return count, len(errors)

    return f


@program([1, 5, -1, 7], [1])
def first_of_several_attempts():
    def f(xs):
        found, error = 0, None
        for x in xs:
            try:
                found = risky(x)
                break
            except KeyError as e:
                error = e
        else:
            raise error
        return found

    return f


@program(3, 1, 0)
def try_in_a_try_behind_what_may_raise():
    def f(n):
        found = 0
        try:
            part = n // (n - 1)
            try:
                part += 1
            except KeyError:
                found = 5
            found = part
        except ZeroDivisionError:
            found += 7
        return found

    return f


@program(3, 1, 0)
def manager_in_a_try_behind_what_may_raise():
    def f(n):
        found = 0
        try:
            part = n // (n - 1)
            with contextlib.suppress(KeyError):
                for i in tl.range(n):
                    part += i
            found = part
        except ZeroDivisionError:
            found += 7
        return found

    return f


@program(([1.0, 2.0], 3.0, True), ([1.0, 2.0], 3.0, False), ([0.0], 3.0, True))
def else_that_is_never_reached():
    def f(xs, y, found):
        for x in xs:
            if found:
                try:
                    return x + y
                except KeyError:
                    y += 5
                else:
                    continue
                y += 1
        return y

    return f
