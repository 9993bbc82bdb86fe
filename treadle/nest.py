"""Nested structures of tensors."""

from collections.abc import Callable, Mapping
from typing import Any

from .graph.nest import children, flatten
from .graph.nest import map_structure as _map_structure
from .graph.nest import pack as pack_sequence_as


def is_nested(structure: object) -> bool:
    """True for lists, tuples, dicts and dataclasses.

    >>> import treadle as tl
    >>> tl.nest.is_nested([1]), tl.nest.is_nested(1)
    (True, False)
    """
    return children(structure) is not None


def assert_same_structure(
    one: object, two: object, check_types: bool = True, expand_composites: bool = False
) -> None:
    """ValueError unless both have the same structure, TypeError where just the kinds of lists,
    tuples and dicts differ, which `check_types=False` allows.

    >>> import treadle as tl
    >>> tl.nest.assert_same_structure([1, (2,)], [3, (4,)])
    """
    a, b = children(one), children(two)
    if a is None and b is None:
        return
    if a is None or b is None or len(a) != len(b):
        raise ValueError(f"the two structures do not have the same nesting: {one}, {two}")
    both = isinstance(one, Mapping) and isinstance(two, Mapping)
    if check_types and type(one) is not type(two) and not both:
        raise TypeError(
            f"the two structures nest in a {type(one).__name__} and in a {type(two).__name__}: "
            f"{one}, {two}"
        )
    if isinstance(one, Mapping) and isinstance(two, Mapping) and one.keys() != two.keys():
        raise ValueError(f"the two dicts have different keys: {[*one]}, {[*two]}")
    for x, y in zip(a, b, strict=True):
        assert_same_structure(x, y, check_types)


def map_structure(
    func: Callable[..., Any], *structure: Any, check_types: bool = True, **kwargs: Any
) -> Any:
    """`func` of each leaf (of several structures of the same kind), in their structure.

    ValueError where the structures differ, TypeError where just the kinds of lists, tuples and
    dicts do, which `check_types=False` allows.

    >>> import treadle as tl
    >>> tl.nest.map_structure(lambda a, b: a + b, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    kwargs.pop("expand_composites", None)
    if kwargs:
        raise TypeError(f"map_structure got an unexpected keyword argument {next(iter(kwargs))!r}")
    if not structure:
        raise ValueError("map_structure needs at least one structure")
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types)
    return _map_structure(func, *structure)


__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]
