"""Facts of structure: every job can be found, and every queue has somebody who works on it."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

from hotline import outbox, queues
from workers import process, schedule

PROCFILE = Path(__file__).parents[2] / "Procfile"
PATHS = sorted({path for _, path in queues.JOB_OF_TOPIC.values()} | {entry.job for entry in schedule.TIMETABLE})


def lines() -> dict[str, str]:
    """Return what the Procfile starts, by name."""
    pairs = (line.partition(":") for line in PROCFILE.read_text().splitlines() if line.strip())
    return {name: command.strip() for name, _, command in pairs}


@pytest.mark.parametrize("path", PATHS)
def test_every_job_path_leads_to_a_documented_function(path: str) -> None:
    module, _, name = path.rpartition(".")
    job = getattr(importlib.import_module(module), name)
    assert inspect.isfunction(job)
    assert job.__doc__


def test_jobs_of_rows_take_the_rows_id_and_jobs_of_the_timetable_take_nothing() -> None:
    def parameters(path: str) -> list[str]:
        module, _, name = path.rpartition(".")
        return list(inspect.signature(getattr(importlib.import_module(module), name)).parameters)

    assert {tuple(parameters(path)) for _, path in queues.JOB_OF_TOPIC.values()} == {("message_id",)}
    assert {tuple(parameters(entry.job)) for entry in schedule.TIMETABLE} == {()}


def test_every_queue_is_worked_on_by_one_process_and_no_process_works_on_another() -> None:
    worked_on = [found[1] for command in lines().values() if (found := re.search(r"workers\.main (\S+)", command))]
    assert sorted(worked_on) == sorted(queues.ALL)
    used = {name for name, _ in queues.JOB_OF_TOPIC.values()} | {entry.queue for entry in schedule.TIMETABLE}
    assert used == set(queues.ALL)


def test_the_procfile_starts_every_part() -> None:
    assert {"release", "voice", "web", "live", "media", "relay", "scheduler"} <= set(lines())


def test_a_job_is_dead_before_its_row_may_be_taken_by_another() -> None:
    assert outbox.HOLD.total_seconds() > process.JOB_TIMEOUT_S


def test_names_in_the_timetable_are_told_apart() -> None:
    names = [entry.name for entry in schedule.TIMETABLE]
    assert len(set(names)) == len(names)
    assert not any(":" in name for name in names)
