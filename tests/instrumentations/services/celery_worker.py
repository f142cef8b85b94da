"""A worker that does one task and ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import celery_tasks
from celery.signals import task_postrun
from celery.worker import WorkController

import tracehound

tracehound.set_tracking_uri(sys.argv[1])
tracehound.celery.autolog()
celery_tasks.configure(Path(sys.argv[2]))
worker = WorkController(app=celery_tasks.app, pool="solo", concurrency=1, without_mingle=True, without_gossip=True)


@task_postrun.connect  # type: ignore[untyped-decorator,unused-ignore]
def end(**_: Any) -> None:
    """End the worker when its task is done."""
    from celery.worker import state

    state.should_stop = 0


worker.start()
tracehound.flush()
