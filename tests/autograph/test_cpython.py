"""CPython's own tests of its language, converted, still pass."""

from __future__ import annotations

import importlib
import types
import unittest
import warnings

import pytest

from treadle import autograph

MODULES = [
    *("augassign", "binop", "bool", "call", "class", "compare", "contains", "decorators"),
    *("dictcomps", "except_star", "exception_variations", "extcall", "fstring"),
    *("genexps", "generators", "global", "grammar", "iter", "keywordonlyarg", "listcomps"),
    *("named_expressions", "opcodes", "patma", "positional_only_arg", "property", "raise"),
    *("richcmp", "scope", "setcomps", "super", "unpack", "unpack_ex", "with", "yield_from"),
]

# These look at the bytecode, at columns or at the depth of the stack, are about the interpreter, or
# count lines from the first one of the frame, where a case of a `match` and the body of a `with` have
# frames of their own.
NOT_MEANT = {
    *("test_default_capture", "test_default_wildcard", "test_no_default"),
    *("test_only_default_wildcard", "test_unreachable_code"),
    "test_exception_locations",
    *("test_lineno_after_with", "test_lineno_after_raise_in_with_exit"),
    "test_missing_lineno_shows_as_none",
    "test_recursion_normalizing_infinite_exception",
    "test_recursion_normalizing_with_no_memory",
    "test_recursion_in_except_handler",
    "test_memory_error_in_PyErr_PrintEx",
    "test_super_deep",
}


def results(module: types.ModuleType) -> tuple[int, set[str]]:
    """How many tests there are, and the names of those that fail."""
    suite = unittest.TestSuite()
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, unittest.TestCase):
            for name in unittest.defaultTestLoader.getTestCaseNames(value):
                if name not in NOT_MEANT:
                    suite.addTest(value(name))
    found = unittest.TestResult()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        suite.run(found)
    wrong = {str(t).partition(" ")[0] for t, _ in [*found.failures, *found.errors]}
    return suite.countTestCases() or found.testsRun, wrong


@pytest.mark.parametrize("name", [*MODULES, pytest.param("exceptions", marks=pytest.mark.slow)])
def test_module(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        module = importlib.import_module(f"test.test_{name}")
    except ImportError:
        pytest.skip("this Python has no such tests")
    except unittest.SkipTest as skip:
        pytest.skip(str(skip))
    before = results(module)
    converted = 0
    for cls in list(vars(module).values()):
        if isinstance(cls, type) and issubclass(cls, unittest.TestCase):
            for key, f in list(vars(cls).items()):
                if key.startswith("test") and isinstance(f, types.FunctionType):
                    made = autograph.convert(f)
                    converted += made is not f
                    monkeypatch.setattr(cls, key, made)
    count, wrong = results(module)
    assert converted or not count
    assert count == before[0]
    assert wrong <= before[1]  # pytest rewrites the assertions of the original: some fail
