"""A task, sent through files."""

from __future__ import annotations

from pathlib import Path

import celery

import tracehound

app = celery.Celery("celery_tasks")


def configure(queue: Path) -> None:
    """Send tasks through a folder."""
    queue.mkdir(exist_ok=True)
    app.conf.update(
        broker_url="filesystem://",
        broker_transport_options={
            "data_folder_in": str(queue),
            "data_folder_out": str(queue),
            "control_folder": str(queue / "control"),
        },
        task_ignore_result=True,
    )


@app.task(name="celery_tasks.shout")  # type: ignore[untyped-decorator,unused-ignore]
def shout(word: str) -> str:
    """Return the word in capitals."""
    with tracehound.start_span("shout"):
        return word.upper()
