"""Whatever is nested, runs at the same time or takes turns: every span stands below the one that began it."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import random
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

import tracehound
from tracehound.model.trace import Trace
from tracehound.testing import recorded_traces

PLAIN = ("function", "block", "thread", "distant")
STEPWISE = ("generator",)
ASYNC = ("coroutine", "task", "async generator")


@dataclass
class Step:
    """A step of a program: what kind of thing it is, and the steps inside."""

    kind: str
    children: list[Step] = field(default_factory=list)
    name: str = ""

    def named(self, numbers: Iterator[int]) -> Step:
        """Return the steps anew, each with a name of its own."""
        return Step(self.kind, [child.named(numbers) for child in self.children], f"{self.kind} {next(numbers)}")


STEPS = st.recursive(
    st.builds(Step, st.sampled_from(PLAIN + STEPWISE + ASYNC)),
    lambda inner: st.builds(Step, st.sampled_from(PLAIN + STEPWISE + ASYNC), st.lists(inner, max_size=4)),
    max_leaves=12,
)


class Program:
    """Runs steps, in an order that the dice choose, and notes what ran inside of what."""

    def __init__(self, dice: random.Random) -> None:
        self.ran: set[tuple[str, str]] = set()
        self._dice = dice

    def run(self, step: Step) -> None:
        """Run a step where nothing can be awaited; what has to be gets a loop of its own."""
        if step.kind in ASYNC:
            context = contextvars.copy_context()
            thread = threading.Thread(target=context.run, args=(asyncio.run, self.run_async(step)))
            thread.start()
            thread.join()
        elif step.kind == "thread":
            inside = tracehound.trace(lambda: self.run_all(step), name=step.name)
            thread = threading.Thread(target=contextvars.copy_context().run, args=(inside,))
            thread.start()
            thread.join()
        elif step.kind == "function":
            tracehound.trace(lambda: self.run_all(step), name=step.name)()
        elif step.kind == "block":
            with tracehound.start_span(step.name):
                self.run_all(step)
        elif step.kind == "distant":
            span = tracehound.start_span_no_context(step.name)
            for child in step.children:
                below = tracehound.start_span_no_context(child.name, parent_span=span)
                self.ran.add((child.name, step.name))
                below.end()
            span.end()
        else:
            for _ in self.steps_of(step):
                pass

    def run_all(self, step: Step) -> None:
        """Run what is inside: generators take turns, the others come in between."""
        waiting = [(child, self.steps_of(child) if child.kind in STEPWISE else None) for child in step.children]
        while waiting:
            turn = self._dice.randrange(len(waiting))
            child, steps = waiting[turn]
            self.ran.add((child.name, step.name))
            if steps is None:
                self.run(child)
                del waiting[turn]
            elif next(steps, None) is None or self._dice.random() < 0.1:
                steps.close()  # type: ignore[attr-defined] # it is a generator, which may be left early
                del waiting[turn]

    def steps_of(self, step: Step) -> Iterator[str]:
        """Return the generator that a step is: each step inside is one of its own."""

        @tracehound.trace(name=step.name)
        def generate() -> Iterator[str]:
            yield "begun"
            for child in step.children:
                self.ran.add((child.name, step.name))
                self.run(child)
                yield child.name

        return generate()

    async def run_async(self, step: Step) -> None:
        """Run a step where others run at the same time."""
        if step.kind in ("coroutine", "task"):
            await tracehound.trace(self.run_all_async, name=step.name)(step)
        elif step.kind == "async generator":

            @tracehound.trace(name=step.name)
            async def generate() -> AsyncIterator[None]:
                for child in step.children:
                    self.ran.add((child.name, step.name))
                    await self.run_async(child)
                    yield

            async for _ in generate():
                await self.pause()
        else:
            self.run(step)

    async def run_all_async(self, step: Step) -> None:
        """Run what is inside at the same time, as tasks and as awaited coroutines."""
        self.ran.update((child.name, step.name) for child in step.children)
        running = [asyncio.create_task(self.run_async(child)) for child in step.children if child.kind == "task"]
        for child in step.children:
            await self.pause()
            if child.kind != "task":
                await self.run_async(child)
        await asyncio.gather(*running)

    async def pause(self) -> None:
        for _ in range(self._dice.randrange(3)):
            await asyncio.sleep(0)


@given(st.lists(STEPS, min_size=1, max_size=4), st.integers(0, 2**32))
def test_every_span_stands_below_the_one_that_began_it(steps: Sequence[Step], seed: int) -> None:
    root = Step("function", list(steps)).named(itertools.count())
    program = Program(random.Random(seed))
    with recorded_traces() as traces:
        program.run(root)
    (trace,) = traces.traces()
    assert edges(trace) == program.ran
    assert len(trace.data.spans) == len(program.ran) + 1


def edges(trace: Trace) -> set[tuple[str, str]]:
    """Return which span stands below which, by their names."""
    by_id = {span.span_id: span.name for span in trace.data.spans}
    return {(span.name, by_id[span.parent_id]) for span in trace.data.spans if span.parent_id is not None}
