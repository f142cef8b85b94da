"""Ask the documentation assistant a number of questions, so that there are traces to look at.

Run the folder: `python examples/docs_assistant --questions 120 --seed 7`.
"""

from __future__ import annotations

import argparse
import asyncio

import tracehound
from assistant import Assistant
from index import Index, build_index
from visitors import Request, requests


def main() -> None:
    """Build the index, ask everything, and say how it went."""
    parser = argparse.ArgumentParser(prog="docs_assistant", description="Answer questions about Python's library.")
    parser.add_argument("--questions", type=int, default=120, metavar="N", help="how many to ask (default: 120)")
    parser.add_argument("--seed", type=int, default=7, metavar="S", help="decides who asks what (default: 7)")
    options = parser.parse_args()

    tracehound.set_experiment("docs-assistant")
    index = build_index()
    answered = sum(_is_answered(index, request) for request in requests(options.questions, options.seed))
    print(f"Answered {answered} questions; {options.questions - answered} failed.")
    print(f"The index holds {len(index.passages)} passages of the standard library's documentation.")


def _is_answered(index: Index, request: Request) -> bool:
    """Ask, and return whether there was an answer."""
    assistant = Assistant(index, request.version, request.caller)
    try:
        if request.entry_point == "compare_names":
            asyncio.run(assistant.compare_names(*request.arguments))
        else:
            getattr(assistant, request.entry_point)(*request.arguments)
    except Exception:  # noqa: BLE001 - its trace tells the story; the next caller is waiting
        return False
    return True


if __name__ == "__main__":
    main()
