"""The group of all commands: what its help lists, by what one comes for, and what happens to a closed pipe."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

# Each command in one line of the help; `tracehound COMMAND --help` says more.
SECTIONS: Final[dict[str, dict[str, str]]] = {
    "Begin": {
        "demo": "Run a small application and show what its traces tell.",
        "ui": "Look at the store in the browser.",
        "run": "Run a program written for MLflow, unchanged.",
    },
    "Look": {
        "search": "Show the traces that a filter is true of, newest first.",
        "show": "Show one trace as a tree, or as a page of HTML.",
        "tail": "Show the traces that finished last, and with -f the next.",
        "diff": "Show where two traces differ.",
        "stats": "Count, and show errors, latencies, tokens and costs.",
        "compare": "Compare two values of a key, such as two versions.",
        "sql": "Ask the traces in SQL.",
        "experiments": "List the experiments.",
        "tags": "Show, set and delete the tags of a trace.",
        "saved": "List, save and delete searches by name.",
    },
    "Keep": {
        "doctor": "Say whether all is well, and change nothing.",
        "refused": "Show what a server did not take, send or discard it.",
        "backup": "Copy the store into a new file, while others use it.",
        "restore": "Make a backup the store again.",
        "copy": "Copy a store into another one, of any kind.",
        "export": "Write whole traces into a file.",
        "import": "Bring a file of traces into the store.",
        "retention": "Show or set for how long experiments keep traces.",
        "gc": "Delete old traces and give the space back.",
    },
    "Serve": {
        "server": "Serve the store: OpenTelemetry, REST and the page.",
        "token": "Make, show and revoke what lets people in.",
        "audit": "Show who has deleted traces and made tokens.",
    },
    "Set up": {
        "completion": "Print what completes commands in a shell.",
        "warehouse": "Give other stores a name to be searched by.",
    },
}


class ClosedPipeError(Exception):
    """The reader of the output has seen enough. It is no `OSError`: click would take that for a failure."""


class Commands(click.Group):
    """The commands, whose output is written when they end."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and tell a pipe that was closed from a failure."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise ClosedPipeError from error
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click passes it
        """List the commands by what they are for."""
        width = max(len(name) for name in self.commands)
        for heading, commands in SECTIONS.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), told) for name, told in commands.items()])
