"""What the timetable runs: forgetting what was kept only for a while, and looking whether all is well."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from hotline import outbox
from hotline.accounts.service import SYSTEM
from hotline.calls import assignment
from hotline.calls.receipts import forget as forget_receipts
from hotline.db import session_scope
from hotline.delivery import queries as deliveries
from hotline.knowledge_base import reviews
from hotline.knowledge_base.floor import learning as questions
from hotline.live.base import Hint
from hotline.web.idempotency import forget as forget_answers
from hotline.work_orders import anchors, learning
from hotline.work_orders import service as orders
from hotline.work_orders.asks import panels
from hotline.work_orders.closing import quiet_orders
from hotline.work_orders.models import WorkOrder
from workers import process

log = logging.getLogger(__name__)

MESSAGES_KEPT: Final = timedelta(days=30)
ANSWERS_KEPT: Final = timedelta(days=2)  # carriers and programs repeat within minutes
CALENDAR_AHEAD: Final = timedelta(days=60)
ARCHIVED_AT_ONCE: Final = 500


def assign_calls() -> None:
    """Take back offers nobody answered, offer waiting calls and tell the desks.

    The voice process does so whenever a line asks; this is for the moments in which none does.
    """
    runtime = process.runtime()
    with session_scope(runtime.sessions) as session:
        made = assignment.run(session, now=runtime.now())
    hints = [Hint(f"desk-{user_id}", "presence") for user_id in made.sent_away]
    for offer in made.offers:
        hints += [Hint(f"desk-{offer.user_id}", "offer"), Hint(f"call-{offer.call_id}", "state")]
    if hints:
        hints.append(Hint("queue", "changed"))
    for hint in hints:
        runtime.bus.publish(hint)


def archive_orders() -> None:
    """Archive orders settled and quiet for as long as their profiles say, each in a transaction of its own."""
    runtime = process.runtime()
    now = runtime.now()
    with session_scope(runtime.sessions) as session:
        quiet = quiet_orders(session, now=now, limit=ARCHIVED_AT_ONCE)
    for order_id in quiet:
        with session_scope(runtime.sessions) as session:
            orders.archive(session, order=session.get_one(WorkOrder, order_id), actor=SYSTEM, now=now)
    if quiet:
        log.info("%d orders archived", len(quiet))


def watch_outbox() -> None:
    """Say in the log, once a minute, what is stuck; the page of deliveries says why."""
    runtime = process.runtime()
    with session_scope(runtime.sessions) as session:
        stuck = deliveries.stuck(session, now=runtime.now())
    failed = sum(row.next_try_at is None for row in stuck)
    if stuck:
        log.warning("outbox: %d messages wait too long, %d failed and want a person", len(stuck) - failed, failed)


def group_questions() -> None:
    """Put what was asked without an answer with what asks the same, for the editors' list."""
    runtime = process.runtime()
    with session_scope(runtime.sessions) as session:
        questions.group(session, now=runtime.now())


def ask_for_reviews() -> None:
    """Ask owners of knowledge whose review date comes near; their inboxes show it."""
    runtime = process.runtime()
    with session_scope(runtime.sessions) as session:
        reviews.ask(session, now=runtime.now(), today=runtime.today())


def clean_outbox() -> None:
    """Delete messages settled a month ago; failed ones stay until somebody saw to them."""
    runtime = process.runtime()
    before = runtime.now() - MESSAGES_KEPT
    total = 0
    while True:
        with session_scope(runtime.sessions) as session:  # in parts: nobody waits long for the table
            deleted = outbox.clean(session, before=before)
        if not deleted:
            break
        total += deleted
    log.info("outbox: %d old messages deleted", total)


def clean_answers() -> None:
    """Delete the answers kept for repeated webhooks and repeated POSTs."""
    runtime = process.runtime()
    before = runtime.now() - ANSWERS_KEPT
    with session_scope(runtime.sessions) as session:
        webhooks = forget_receipts(session, before=before)
        posts = forget_answers(session, before=before)
    log.info("%d answers to webhooks and %d to posts deleted", webhooks, posts)


def anchor_journals() -> None:
    """Anchor the heads of yesterday's journals and say the digest in the log, which is kept elsewhere too."""
    runtime = process.runtime()
    with session_scope(runtime.sessions) as session:
        anchor = anchors.take(session, day=runtime.today() - timedelta(days=1), now=runtime.now())
        log.info("journal anchor %s: %d orders, %s", anchor.day, anchor.orders, anchor.digest)


def prepare_panel() -> None:
    """Put what waits for a panel on the agenda of the next meeting; call one where none is planned."""
    runtime = process.runtime()
    with session_scope(runtime.sessions) as session:
        panel = panels.prepare_periodic(session, now=runtime.now(), calendar=runtime.calendar, tz=runtime.settings.tz)
        if panel is not None:
            log.info("panel %d prepared: %d orders on its agenda", panel.id, len(panel.items))


def train_routing() -> None:
    """Train the routing model anew from what has been decided; one that is worse than the one in use is not used.

    Run twice it learns the same twice. Takes minutes for tens of thousands of orders.
    """
    runtime = process.runtime()
    row = learning.learn(runtime.sessions, now=runtime.now(), on=runtime.today())
    if row is None:
        return  # it has said why
    before = row.figures["before"]
    told = ", ".join(
        f"{question} {after['accuracy']:.3f} (before {_share(before.get(question))})"
        for question, after in row.figures["after"].items()
    )
    state = "in use" if row.active else "not used, it is worse"
    log.info("routing model %d from %d messages, %s: %s", row.id, row.rows, state, told or "nothing to compare yet")


def _share(figures: dict[str, float] | None) -> str:
    return f"{figures['accuracy']:.3f}" if figures else "none"


def check_calendar() -> None:
    """Say in the log when deadlines will soon fall into days whose holidays are not known yet."""
    runtime = process.runtime()
    ahead = (runtime.now() + CALENDAR_AHEAD).astimezone(runtime.settings.tz).date()
    if runtime.calendar.day(ahead).provisional:
        log.warning("calendar: holidays of %d not known, only weekends count: update chinesecalendar", ahead.year)
