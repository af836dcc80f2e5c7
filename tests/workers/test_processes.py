"""Relay and workers as real processes, which are killed and lose their Redis."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import func, select, update

from hotline import outbox, queues
from hotline.accounts.roles import Role
from hotline.bootstrap import Runtime, build
from hotline.config import Settings
from hotline.db import KeyRing, reading, session_scope, use_key_ring
from hotline.gazetteer.models import Place
from hotline.imports import KINDS, jobs
from hotline.imports.jobs import Job
from hotline.outbox import OutboxMessage
from hotline.units.models import Unit
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.factories import people
from tests.factories.orders import order_at
from tests.factories.units import city
from tests.receivers import Heard, Receiver, Silent, receiver, well
from tests.redis_server import RedisProcess
from tests.waiting import PATIENCE_S, until
from tests.workers.carrier_server import Carrier, carrier_server
from workers import process

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    with carrier_server() as carrier:
        yield carrier


@pytest.fixture
def environment(database_url: str, redis_process: RedisProcess, carrier: Carrier, tmp_path: Path) -> dict[str, str]:
    """Settings as an administrator would write them."""
    return {
        "HOTLINE_PUBLIC_URL": "http://127.0.0.1:9",
        "HOTLINE_DATABASE_URL": database_url,
        "HOTLINE_REDIS_URL": redis_process.url,
        "HOTLINE_SECRET_KEY": "s" * 40,
        "HOTLINE_DATA_KEYS": "k1:" + base64.b64encode(os.urandom(32)).decode(),
        "HOTLINE_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "HOTLINE_TWILIO_AUTH_TOKEN": "t" * 32,
        "HOTLINE_TWILIO_API_URL": carrier.url,
        "HOTLINE_DATA_DIR": str(tmp_path / "data"),
        "HOTLINE_WEBHOOK_ALLOW": "127.0.0.0/8",
    }


@pytest.fixture
def site(environment: dict[str, str], keys: KeyRing) -> Iterator[Runtime]:
    """The same site seen from a web process."""
    runtime = build(Settings.from_env(environment))
    yield runtime
    runtime.close()
    use_key_ring(keys)


@pytest.fixture
def order(site: Runtime) -> WorkOrder:
    """An order whose messages have all been seen to."""
    with session_scope(site.sessions) as session:
        order = order_at(session, city(session), Status.TO_SIGN)
        for message_id in session.scalars(select(OutboxMessage.id)).all():
            outbox.settle(session, message_id, now=site.now())
    return order


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Start ``python -m module argument``; whatever still runs at the end is ended."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*module: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "processes.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", *module], env={**os.environ, **environment}, stdout=log, stderr=log
            )
        started.append(child)
        return child

    yield start
    for child in started:
        if child.poll() is None:
            kill(child)


def horses(worker: subprocess.Popen[bytes]) -> list[int]:
    """Return the processes a worker has forked."""
    return [int(pid) for pid in Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()]


def kill(worker: subprocess.Popen[bytes]) -> None:
    """End a worker and its horse as a power cut would."""
    for pid in [*horses(worker), worker.pid]:
        os.kill(pid, signal.SIGKILL)
    worker.wait()


def tell(site: Runtime, order: WorkOrder, template: str = "accepted") -> int:
    with session_scope(site.sessions) as session:
        return outbox.add(session, "sms.send", now=site.now(), template=template, order_id=order.id).id


def settled(site: Runtime, message_id: int) -> bool:
    with session_scope(site.sessions) as session:
        row = session.get_one(OutboxMessage, message_id)
        assert not row.failed, row.error
        return row.settled_at is not None


def let_holds_end(site: Runtime) -> None:
    """Stand for the minute after which a dead process loses what it held."""
    past = site.now() - timedelta(seconds=1)
    with session_scope(site.sessions) as session:
        session.execute(
            update(OutboxMessage).where(OutboxMessage.settled_at.is_(None)).values(claimed_until=past, held_until=past)
        )


def test_a_worker_killed_in_the_middle_leaves_its_text_sent_exactly_once(
    site: Runtime, order: WorkOrder, start: Start, carrier: Carrier
) -> None:
    start("workers.relay")
    worker = start("workers.main", queues.DISPATCH)
    carrier.silent.set()
    message_id = tell(site, order)
    until(lambda: carrier.taken, "the carrier to take the text")
    kill(worker)
    carrier.silent.clear()
    assert not settled(site, message_id)

    start("workers.main", queues.DISPATCH)
    let_holds_end(site)
    until(lambda: settled(site, message_id), "the row to be settled by the next worker")
    assert len(carrier.taken) == 1


def test_a_worker_killed_while_a_units_system_is_silent_leaves_one_order_there(
    site: Runtime, order: WorkOrder, start: Start
) -> None:
    def takes_it_and_says_nothing(here: Receiver, heard: Heard) -> Any:
        well(here, heard)
        here.mood = well
        raise Silent

    with receiver() as system:
        system.mood = takes_it_and_says_nothing
        with session_scope(site.sessions) as session:
            unit = session.get_one(Unit, order.lead_unit_id)
            unit.channel, unit.webhook_url, unit.webhook_secret = "webhook", system.url, "a secret"
            row = outbox.add(session, "order.push", now=site.now(), order_id=order.id, unit_id=unit.id, what="to_sign")
        start("workers.relay")
        worker = start("workers.main", queues.DISPATCH)
        until(lambda: system.heard, "the system to be told")
        kill(worker)
        assert not settled(site, row.id)

        start("workers.main", queues.DISPATCH)
        let_holds_end(site)
        until(lambda: settled(site, row.id), "the row to be settled by the next worker")
        keys = [heard.headers["idempotency-key"] for heard in system.heard]
        assert (len(keys), set(keys)) == (2, {row.token})
        assert len(system.taken) == 1


def test_relay_and_workers_live_through_the_loss_of_redis_and_nothing_is_lost_or_doubled(
    site: Runtime, order: WorkOrder, start: Start, carrier: Carrier, redis_process: RedisProcess
) -> None:
    running = [start("workers.relay"), start("workers.main", queues.DISPATCH), start("workers.schedule")]
    first = tell(site, order)
    until(lambda: settled(site, first), "the first text")
    redis_process.kill()
    during = [tell(site, order, template) for template in ("redo", "reported", "closed")]
    redis_process.start()
    until(lambda: all(settled(site, message_id) for message_id in during), "the texts of the outage")
    assert len(carrier.taken) == 4
    assert len({text["body"] for text in carrier.taken}) == 4

    for child in running:
        child.terminate()
    assert [child.wait(PATIENCE_S) for child in running] == [0, 0, 0]


def test_a_worker_told_to_end_with_the_queue_does_so(
    site: Runtime, order: WorkOrder, start: Start, carrier: Carrier
) -> None:
    from workers import relay

    message_id = tell(site, order)
    relay.sweep(site, process.connect(site.settings.redis_url))
    assert start("workers.main", queues.DISPATCH, "--burst").wait(PATIENCE_S) == 0
    assert settled(site, message_id)
    assert len(carrier.taken) == 1


ROADS: Final = 20_000


def uploaded(site: Runtime) -> Job:
    """A file of roads that an administrator has sent in."""
    with session_scope(site.sessions) as session:
        keeper = people.actor(session, Role.ADM, name="管理员老陈")
        city(session)
        return Job.start(
            session,
            jobs.folder(site.settings.data_dir),
            kind=KINDS["gazetteer"],
            name="道路.csv",
            body="\n".join(["地名,类型,所属县区", *(f"第{n}号路,道路,JZ" for n in range(ROADS))]).encode(),
            actor=keeper,
            now=site.now(),
        )


def places(site: Runtime) -> int:
    with reading(site.sessions) as session:
        return session.scalar(select(func.count()).select_from(Place)) or 0


def test_an_import_worker_killed_in_the_middle_leaves_nothing_and_the_next_goes_on(site: Runtime, start: Start) -> None:
    start("workers.relay")
    worker = start("workers.main", queues.IMPORTS)
    job = uploaded(site)
    until(lambda: job.state()["state"] == jobs.CHECKED, "the file to be looked at")
    with session_scope(site.sessions) as session:
        job.confirm(session, now=site.now())

    def in_the_middle() -> bool:
        state = job.state()
        assert state["state"] != jobs.DONE, "it was quicker than the look"
        return state["state"] == jobs.WRITING and state["done"] > state["total"] // 2

    until(in_the_middle, "rows to be written")
    kill(worker)
    assert places(site) == 0
    state = job.state()
    assert state["state"] == jobs.WRITING and not jobs.is_broken_off(state, site.now())
    # stands for the time after which it is; what were asked in the future, the relay would carry only then
    job.progress(state["done"], state["total"], site.now() - jobs.SILENT_FOR)
    assert jobs.is_broken_off(job.state(), site.now())

    start("workers.main", queues.IMPORTS)
    with session_scope(site.sessions) as session:
        job.go_on(session, now=site.now())
    until(lambda: job.state()["state"] == jobs.DONE, "the file to be written")
    assert places(site) == job.state()["figures"]["new"] == ROADS


def test_background_processes_say_what_is_missing(start: Start, environment: dict[str, str], tmp_path: Path) -> None:
    environment["HOTLINE_REDIS_URL"] = ""
    assert start("workers.relay").wait(PATIENCE_S) == 1
    assert "HOTLINE_REDIS_URL" in (tmp_path / "processes.log").read_text()
