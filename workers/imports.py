"""Jobs on a city's own files: look at one, write one, forget old ones.

The outbox row is settled when the work begins: a person watches it, and if it is cut off (a killed worker, a machine
that went down) the page says so and lets them go on. Nothing is half imported then: a file is one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from hotline import outbox
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.errors import NotFound
from hotline.imports import KINDS, jobs, knowledge
from hotline.imports.jobs import Job, Kinds, Surroundings
from hotline.live.base import Hint
from workers import process

log = logging.getLogger(__name__)


def check_file(message_id: int) -> None:
    """Find out what an uploaded file would do. Payload: ``token``."""
    _begin(message_id, jobs.look_at)


def write_file(message_id: int) -> None:
    """Write the good rows of an uploaded file. Payload: ``token``."""
    _begin(message_id, jobs.write)


def forget_files() -> None:
    """Remove uploaded files nobody came back to within a day."""
    runtime = process.runtime()
    if gone := jobs.forget(folder(runtime), before=runtime.now() - jobs.KEPT_FOR):
        log.info("%d files of old imports removed", gone)


def folder(runtime: Runtime) -> Path:
    """Return where uploaded files are kept."""
    return jobs.folder(runtime.settings.data_dir)


def _begin(message_id: int, work: Callable[[Job, Kinds, Surroundings], None]) -> None:
    runtime = process.runtime()
    try:
        with session_scope(runtime.sessions) as session:
            message = outbox.claim_one(session, message_id, now=runtime.now())
            if message is None:
                return
            outbox.settle(session, message_id, now=runtime.now())
    except process.DATABASE_AWAY as fault:
        log.warning("outbox row %d: database out of reach (%s)", message_id, type(fault).__name__)
        return  # it comes back by itself
    around = Surroundings(
        runtime.sessions, runtime.now, lambda user_id: runtime.bus.publish(Hint(f"import-{user_id}", "import-progress"))
    )
    try:
        work(Job.named(folder(runtime), message.payload["token"]), KINDS | knowledge.KINDS, around)
    except NotFound:
        log.info("outbox row %d: the file is gone", message_id)
