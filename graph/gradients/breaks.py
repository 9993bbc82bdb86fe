"""Where the path from a source to a target breaks, so that there is no gradient.

A step is what is known of a recorded op call without its tensors: they may be gone. Steps name
tensors by their ids, which are those of one time at which all of them were alive.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from ..build import GraphBuilder, interpreting, recording, replay
from ..errors import GradientError
from ..location import Loc, describe
from ..node import FunctionRef, Graph
from ..op import WRITE, Attrs, Op, no_gradient
from .backprop import Entry, backprop, differentiable
from .linearize import Recorder


class Step(NamedTuple):
    """An op call; tensors by their ids, with their dtypes where these have no gradient."""

    op: Op
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    rough: dict[int, str]  # dtypes of inputs and outputs that are not differentiable, by id
    stopped: tuple[int, ...]  # the inputs for which the op's rule has given none
    loc: Loc | None
    held: tuple[weakref.ref[Graph], ...]  # the graphs that it runs
    state: str  # what it changes: the name of a variable


class Break(NamedTuple):
    """Where a path ends: the step, and the input of it that has no gradient."""

    step: Step
    place: int


def steps_of(entries: Iterable[Entry]) -> list[Step]:
    return [_step(entry) for entry in entries]


def _step(entry: Entry) -> Step:
    op, inputs, outputs = entry.op, entry.inputs, entry.outputs
    rough: dict[int, str] = {}
    for x in (*inputs, *outputs):
        if not differentiable(x):
            rough[id(x)] = x.dtype.name
    held: tuple[weakref.ref[Graph], ...] = ()
    state = ""
    if op.structured:
        held = tuple([weakref.ref(g) for g in _graphs(op, entry.present_attrs)])
    elif WRITE in op.effects:
        name = getattr(inputs[0], "name", "")
        state = f"'{name}'" if name else f"the {getattr(inputs[0].spec, 'kind', 'variable')}"
    ids = tuple([id(x) for x in inputs]), tuple([id(y) for y in outputs])
    return Step(op, *ids, rough, tuple(entry.stopped), entry.loc, held, state)


def _graphs(op: Op, attrs: Attrs) -> list[Graph]:
    held = [v.graph if isinstance(v, FunctionRef) else v for v in attrs.values()]
    lists = [v if isinstance(v, tuple) else (v,) for v in held]
    found = [graph for graphs in lists for graph in graphs if isinstance(graph, Graph)]
    return found[1:] if op.name == "while" else found  # the test decides, it hands nothing on


class _Inside(NamedTuple):
    """A graph that a step runs, as steps, and the ids in these of its inputs and results."""

    steps: list[Step]
    inputs: list[int]
    outputs: list[int]


class Paths:
    """The ways through recorded steps, and through the graphs that these run."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._known: dict[int, _Inside] = {}  # by id of a graph
        self._alive: list[Any] = []

    def reached(self, source: int, smoothly: bool) -> set[int]:
        """The ids of what depends on `source`; `smoothly`: so that it has a gradient."""
        return self._reached(self._steps, {source}, smoothly)

    def find_break(self, source: int, target: int) -> Break | None:
        """The last place on a way from source to target that a gradient does not pass; None where
        no way leads there.
        """
        return self._find(self._steps, {source}, {target})

    def _reached(self, steps: Iterable[Step], sources: set[int], smoothly: bool) -> set[int]:
        found = set(sources)
        for step in steps:
            places = [i for i, x in enumerate(step.inputs) if x in found]
            if smoothly:
                places = [i for i in places if _passes(step, i)]
            if not places:
                continue
            outputs: Iterable[int] = step.outputs
            if step.op.structured:
                outputs = self._through(step, places, smoothly)
            found.update([y for y in outputs if not (smoothly and y in step.rough)])
            if step.state and not smoothly:
                found.add(step.inputs[0])
        return found

    def _find(self, steps: Sequence[Step], sources: set[int], targets: set[int]) -> Break | None:
        related = self._reached(steps, sources, smoothly=False)
        smooth = self._reached(steps, sources, smoothly=True)
        wanted = targets & related
        for step in reversed(steps):
            results = {i for i, y in enumerate(step.outputs) if y in wanted}
            if not results and not (step.state and step.inputs[0] in wanted):
                continue
            places = [i for i, x in enumerate(step.inputs) if x in smooth]
            if places:
                return self._find_inside(step, places, results) or Break(step, places[0])
            wanted = wanted.union([x for x in step.inputs if x in related])
        return None

    def _find_inside(
        self, step: Step, places: Sequence[int], results: Iterable[int]
    ) -> Break | None:
        for inside, sources in self._inside(step, places, smoothly=True):
            targets = {inside.outputs[i] for i in results if i < len(inside.outputs)}
            found = self._find(inside.steps, sources, targets)
            if found is not None:
                return found
        return None

    def _through(self, step: Step, places: Sequence[int], smoothly: bool) -> list[int]:
        """The results of a step with graphs that depend on its inputs at `places`."""
        if not all([ref() is not None for ref in step.held]):
            return list(step.outputs)
        results: set[int] = set()
        for inside, sources in self._inside(step, places, smoothly):
            ids = self._reached(inside.steps, sources, smoothly)
            results.update([i for i, y in enumerate(inside.outputs) if y in ids])
        return [step.outputs[i] for i in results]

    def _inside(
        self, step: Step, places: Iterable[int], smoothly: bool
    ) -> list[tuple[_Inside, set[int]]]:
        """The graphs of a step, each with the ids of its inputs that depend on the source."""
        offset = 1 if step.op.name in ("cond", "switch", "try") else 0
        found = []
        for graph in [g for ref in step.held if (g := ref()) is not None]:
            inside = self._replayed(graph)
            asked = {i - offset for i in places if i >= offset}
            before = None
            while step.op.name == "while" and asked != before:  # after any number of trips
                before = asked
                ids = self._reached(inside.steps, {inside.inputs[i] for i in asked}, smoothly)
                asked = asked.union([i for i, y in enumerate(inside.outputs) if y in ids])
            found.append((inside, {inside.inputs[i] for i in asked}))
        return found

    def _replayed(self, graph: Graph) -> _Inside:
        """The steps of a graph. It is differentiated, to learn which rules give no gradient."""
        known = self._known.get(id(graph))
        if known is not None:
            return known
        builder, recorder = GraphBuilder(graph.name), Recorder()
        inputs = [builder.add_input(v.spec, v.name) for v in graph.inputs]
        with interpreting(builder):
            with recording((recorder,)):
                results = replay(graph, inputs)
            entries = recorder.entries
            for entry, node in zip(entries, _noted(graph), strict=True):
                entry.loc = node.loc
            steps = steps_of(entries)
            targets = [y for y in results if differentiable(y)]
            with recording(()), suppress(GradientError):
                gs = [builder.add_input(y.spec) for y in targets]
                backprop(entries, targets, [x for x in inputs if differentiable(x)], gs)
        told = [s._replace(stopped=tuple(e.stopped)) for s, e in zip(steps, entries, strict=True)]
        inside = _Inside(told, [id(x) for x in inputs], [id(y) for y in results])
        self._known[id(graph)] = inside
        self._alive.append((graph, builder, recorder))
        return inside


def _noted(graph: Graph) -> list[Any]:
    """The nodes that a recorder sees when the graph is replayed."""
    return [node for node in graph.nodes if node.op.name != "const"]


def _passes(step: Step, place: int) -> bool:
    """May a gradient come back through this step to this input?"""
    if place in step.stopped or step.inputs[place] in step.rough or step.state:
        return False
    return step.op.vjp is not no_gradient


def told(broken: Break) -> str:
    """What ends the path, in words."""
    step, place = broken
    at = describe(step.loc)
    shown = step.op.display or step.op.name
    dtypes = [step.rough[y] for y in step.outputs if y in step.rough]
    if step.op.name == "stop_gradient":
        return f"tl.stop_gradient ends the path at {at}"
    if step.state:
        return (
            f"the path goes through state: {step.state} is changed at {at}. State keeps values, "
            "not how they were computed: use the tensor itself"
        )
    if step.op.name == "cast" and dtypes:
        return f"the cast to {dtypes[0]} at {at} ends the path: only floats have gradients"
    if dtypes and len(dtypes) == len(step.outputs):
        return f"'{shown}' at {at} gives {dtypes[0]}, and only floats have gradients"
    if step.op.name == "custom_gradient":
        return f"the gradient function of what is called at {at} gives None for it"
    if step.op.vjp is no_gradient or len(step.inputs) == 1:
        return f"'{shown}' at {at} has no gradient: its result does not change smoothly"
    return f"'{shown}' at {at} has no gradient by its input {place}"


__all__ = ["Break", "Paths", "Step", "steps_of", "told"]
