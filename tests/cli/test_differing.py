"""`tracehound diff`: two traces as one tree, and two runs of the example that one planted step sets apart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import tracehound
from tests.cli.terminal import piped
from tests.cli.test_commands import tracehound_command

EXAMPLE = Path(__file__).parents[2] / "examples" / "docs_assistant"
# Asks one question twice; before the second answer is composed, a step looks at it that the first run does not have.
PLANTED = """
import assistant, tracehound
from index import build_index

helper = assistant.Assistant(build_index(), assistant.VERSIONS[-1], assistant.Caller("ana", "s-1", "prod"))
plain = assistant.compose_answer

@tracehound.trace(span_type="GUARDRAIL")
def check_tone(notes):
    return [*notes, "Politely:"]

for compose in (plain, lambda query, hits, notes: plain(query, hits, check_tone(notes))):
    assistant.compose_answer = compose
    helper.answer_question("How do I join two paths?")
    print(tracehound.get_last_active_trace_id())
"""


def test_two_runs_of_the_example_that_one_step_sets_apart_show_that_step_first() -> None:
    one, two = _run_example()
    found = json.loads(piped("diff", one, two).stdout)
    assert [found["left"], found["right"]] == [one, two]
    first, *others = found["differences"]
    assert (first["name"], first["differences"]) == ("check_tone", ["only right"])
    assert [each["name"] for each in others] == ["compose_answer", "answer_question"]
    assert others[0]["values"]["inputs"][0]["path"] == "notes[0]"


def _run_example() -> list[str]:
    code = f"import sys; sys.path.insert(0, {str(EXAMPLE)!r})\n{PLANTED}"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.split()


def test_diff_prints_one_tree_with_the_order_in_which_differences_came_about() -> None:
    def answer(*steps: str) -> str:
        with tracehound.start_span("answer", span_type="AGENT") as root:
            for step in steps:
                with tracehound.start_span(step):
                    pass
            root.set_outputs(list(steps))
        return root.trace_id

    done = tracehound_command("diff", "--format", "tree", answer("plan", "write"), answer("plan", "look up"))
    assert done.returncode == 0, done.stderr
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines[2] == "3 of 4 steps differ; numbers say in which order that came about"
    assert lines[4].startswith("3 ~ answer  AGENT")
    assert '      outputs[1]: "write" → "look up"' in lines
    assert any(line.startswith("1 -   write") for line in lines)
    assert any(line.startswith("2 +   look up") for line in lines)
    same = tracehound_command("diff", "--format", "tree", "last", "last")
    assert "no step of 3 differs" in same.stdout
