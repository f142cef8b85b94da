"""As much is let in at a time as there is room for, in order of coming, and nobody is forgotten."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from tracehound.server.gate import Gate


async def settle() -> None:
    """Let everyone else go as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


@given(sizes=st.lists(st.integers(0, 15), max_size=12), cancelled=st.sets(st.integers(0, 11)))
def test_all_pass_in_turn_whoever_goes_away(sizes: list[int], cancelled: set[int]) -> None:
    inside: dict[int, int] = {}
    passed: list[int] = []

    async def pass_through(gate: Gate, number: int, size: int, leave: asyncio.Event) -> None:
        async with gate.passed(size):
            inside[number] = min(size, 10)
            passed.append(number)
            assert sum(inside.values()) <= 10
            try:
                await leave.wait()
            finally:
                del inside[number]

    async def play() -> None:
        gate, leave = Gate(10), asyncio.Event()
        tasks = [asyncio.create_task(pass_through(gate, number, size, leave)) for number, size in enumerate(sizes)]
        await settle()
        for number, task in enumerate(tasks):
            if number in cancelled:
                task.cancel()
        await settle()
        leave.set()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(play())
    assert set(range(len(sizes))) - cancelled <= set(passed)
    assert passed == sorted(passed)
    assert not inside
