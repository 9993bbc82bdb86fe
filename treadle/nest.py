"""Nested structures of tensors."""

from .graph.nest import children, flatten, map_structure
from .graph.nest import pack as pack_sequence_as


def is_nested(structure: object) -> bool:
    """True for lists, tuples, dicts and dataclasses.

    >>> import treadle as tl
    >>> tl.nest.is_nested([1]), tl.nest.is_nested(1)
    (True, False)
    """
    return children(structure) is not None


def assert_same_structure(one: object, two: object) -> None:
    """ValueError unless both have the same structure.

    >>> import treadle as tl
    >>> tl.nest.assert_same_structure([1, (2,)], [3, (4,)])
    """
    a, b = children(one), children(two)
    if (a is None) != (b is None) or (a is not None and type(one) is not type(two)):
        raise ValueError(f"The two structures don't have the same nested structure: {one}, {two}")
    if a is not None and b is not None:
        if len(a) != len(b):
            raise ValueError(f"The two structures differ in length: {one}, {two}")
        for x, y in zip(a, b, strict=True):
            assert_same_structure(x, y)


__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]
