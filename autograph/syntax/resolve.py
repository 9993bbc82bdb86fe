"""Which calls have to be wrapped: what a name in a function stands for when it is converted."""

from __future__ import annotations

import ast
import builtins
import contextlib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import CellType, ClassMethodDescriptorType, FunctionType, ModuleType
from typing import Any

from .. import policy
from . import nesting

_UNKNOWN = object()
_NO_OWN_FRAME = (locals, vars, dir, eval, exec)


class Resolver:
    """Looks names up as function `f` would, and remembers which ones it asked of closure cells."""

    def __init__(self, f: FunctionType) -> None:
        self._cells: Mapping[str, CellType] = dict(
            zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
        )
        self._globals = f.__globals__
        self._scopes: list[set[str]] = []
        # Names of inner functions that are converted in place, and how deep their scopes lie.
        self._converted: dict[str, int] = {}
        self.asked: dict[str, object] = {}  # names of cells that calls start with

    @contextmanager
    def scope(self, names: Iterable[str]) -> Iterator[set[str]]:
        """Inside, `names` are local and what they stand for is not known."""
        own = set(names)
        self._scopes.append(own)
        try:
            yield own
        finally:
            self._scopes.pop()

    def is_local(self, name: str) -> bool:
        return any(name in s for s in self._scopes)

    def converts_inner(self, name: str) -> None:
        """Inner function `name` is converted and the name stands for nothing else."""
        self._converted[name] = len(self._scopes)

    def lookup(self, name: str) -> Any:
        if self.is_local(name):
            return _UNKNOWN
        cell = self._cells.get(name)
        if cell is not None:
            try:
                return cell.cell_contents
            except ValueError:
                return _UNKNOWN
        found = self._globals.get(name, _UNKNOWN)
        return getattr(builtins, name, _UNKNOWN) if found is _UNKNOWN else found

    def is_ours(self, name: str) -> bool:
        """True for a name of treadle itself, whose functions give tensors and variables."""
        value = self.lookup(name)
        return isinstance(value, ModuleType) and value.__name__.partition(".")[0] == "treadle"

    def is_builtin(self, node: ast.expr, *candidates: object) -> bool:
        """True if `node` is the name of one of the given builtins."""
        return isinstance(node, ast.Name) and any(self.lookup(node.id) is c for c in candidates)

    def is_class(self, node: ast.expr) -> bool:
        """True for the name of a class that is known."""
        return isinstance(self._value(node), type)

    def leaves_alone(self, func: ast.expr) -> bool:
        """True if calling `func` never runs code that has to be converted."""
        root = root_of(func)
        if root in self._cells and not self.is_local(root):
            self.asked[root] = _sort_of(self._cells[root])
        return self._leaves_alone(func)

    def _leaves_alone(self, func: ast.expr) -> bool:
        match func:
            case ast.Name(id=name):
                if self.is_local(name):
                    # From inside of an inner function it may be a recursion.
                    return self._converted.get(name) == len(self._scopes)
                value = self.lookup(name)
                return value is not _UNKNOWN and not _is_wanted(value)
            case ast.Attribute():
                return self._attribute_left_alone(func)
            case ast.Call(func=inner):
                return self._is_of_library(inner)
            case ast.Lambda():
                return True  # converted where it stands
            case _:
                return False

    def _attribute_left_alone(self, func: ast.Attribute) -> bool:
        match func.value:
            case ast.Constant(value=str()) | ast.JoinedStr():
                return False
            case ast.Constant():
                return True
            case ast.Call(func=inner):
                return self._is_of_library(inner)
        owner = self._value(func.value)
        if owner is _UNKNOWN or owner is str or isinstance(owner, str):
            return False
        if isinstance(owner, ModuleType) and policy.is_library_module(owner):
            value = getattr(owner, func.attr, None)
            return not (policy.may_change_something(value) or policy.is_replaced(value))
        if isinstance(owner, (ModuleType, type)):
            value = inspect.getattr_static(owner, func.attr, _UNKNOWN)
            if isinstance(value, ClassMethodDescriptorType):
                value = getattr(owner, func.attr)  # of a built-in class: `dict.fromkeys`
            return value is not _UNKNOWN and not _is_wanted(value)
        kind = type(owner)
        return policy.is_library_type(kind) and not policy.is_changed_by_methods(kind)

    def _value(self, node: ast.expr) -> Any:
        """What an expression of names and module or class attributes stands for."""
        match node:
            case ast.Name(id=name):
                return self.lookup(name)
            case ast.Attribute(value=value, attr=attr):
                owner = self._value(value)
                if isinstance(owner, ModuleType):
                    return getattr(owner, attr, _UNKNOWN)
                if isinstance(owner, type):
                    return inspect.getattr_static(owner, attr, _UNKNOWN)
                return _UNKNOWN
            case _:
                return _UNKNOWN

    def _is_of_library(self, func: ast.expr) -> bool:
        """True if `func` is a function of treadle or NumPy: what it returns is theirs, too."""
        owner = self._value(func.value) if isinstance(func, ast.Attribute) else self._value(func)
        if isinstance(owner, ModuleType):
            return owner.__name__.partition(".")[0] in ("treadle", "numpy")
        module = getattr(owner, "__module__", None)
        return isinstance(module, str) and module.partition(".")[0] in ("treadle", "numpy")

    def is_python_truth(self, test: ast.expr) -> bool:
        """True if the truth value of `test` is never that of a tensor."""
        match test:
            case ast.Constant():
                return not nesting.parts(test)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.is_python_truth(operand)
            case ast.BoolOp(values=values):
                return all(self.is_python_truth(v) for v in values)
            case ast.Name(id="__debug__"):
                return True
            case _:
                return False

    def suppresses(self, node: ast.With) -> bool:
        """True if a context manager of `node` may swallow exceptions: unknown ones may."""
        return not all(self._lets_pass(item.context_expr) for item in node.items)

    def is_stack(self, node: ast.expr) -> bool:
        """True if `node` stands for `contextlib.ExitStack`."""
        return self._value(node) is contextlib.ExitStack

    def _lets_pass(self, manager: ast.expr) -> bool:
        if isinstance(manager, ast.Call):
            return self._is_of_library(manager.func) or self.is_builtin(manager.func, open)
        module = type(self._value(manager)).__module__
        return module.partition(".")[0] == "treadle"

    def wants_source(self, decorator: ast.expr) -> bool:
        """True for `do_not_convert`, and decorators of installed packages, such as compilers."""
        value = self._value(decorator)
        module = getattr(value, "__module__", None)
        root = module.partition(".")[0] if isinstance(module, str) else ""
        if root == "treadle":
            return getattr(value, "__name__", "") == "do_not_convert"
        return policy.is_installed(root)

    def uses_frame(self, node: ast.Call) -> bool:
        """True for calls of builtins that see the local names of the function that calls them."""
        if not self.is_builtin(node.func, *_NO_OWN_FRAME):
            return False
        return len(node.args) < (2 if self.is_builtin(node.func, eval, exec) else 1)


def still_holds(f: FunctionType, asked: Mapping[str, object]) -> bool:
    """True if what a resolver found in the cells of one function is true of those of `f`."""
    cells = dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))
    return all(_sort_of(cells[name]) == sort for name, sort in asked.items())


def _sort_of(cell: CellType) -> object:
    """All that the decision whether to wrap a call may depend on."""
    try:
        value = cell.cell_contents
    except ValueError:
        return None
    if isinstance(value, (ModuleType, type)):
        return value.__name__, value.__module__ if isinstance(value, type) else ""
    own = policy.is_library_type(type(value)), policy.is_changed_by_methods(type(value))
    return _is_wanted(value), own, getattr(value, "__module__", None)


def _is_wanted(value: object) -> bool:
    """True if calls of `value` have to be seen."""
    return (
        policy.may_need_conversion(value)
        or policy.may_change_something(value)
        or policy.is_replaced(value)
        or policy.is_bare_class(value)
    )


def root_of(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Call)):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return node.id if isinstance(node, ast.Name) else ""
