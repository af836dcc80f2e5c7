"""Owners are asked in time whether what is published still holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.knowledge_base import editing, queries, reviews, service
from hotline.knowledge_base.models import Entry, Review, Task
from hotline.knowledge_base.service import ImportResult
from hotline.knowledge_base.states import ReviewAnswer, SignalKind
from tests.conftest import NOON
from tests.factories import people
from tests.factories import units as make_units
from tests.factories.units import City
from tests.unit.knowledge_base.conftest import ROWS

Take = Callable[..., ImportResult]
TODAY = date(2026, 11, 21)
DUE = TODAY + reviews.ASKED_BEFORE


@pytest.fixture
def here(session: Session) -> City:
    return make_units.city(session)


@pytest.fixture
def lamp(session: Session, here: City, take: Take) -> Entry:
    """An entry of the county's, to be reviewed in two weeks."""
    take({**ROWS[0], "owner_unit": "JZ", "review_on": DUE})
    entry = queries.entry_by_code(session, "lamp")
    assert entry is not None
    return entry


def ask(session: Session, day: date = TODAY) -> list[Review]:
    return reviews.ask(session, now=NOON, today=day)


def say(session: Session, review: Review, actor: object, said: ReviewAnswer, **more: object) -> Review:
    return reviews.answer(session, actor=actor, now=NOON, today=TODAY, review_id=review.id, said=said, **more)


def test_the_owner_is_asked_two_weeks_before_and_once(session: Session, lamp: Entry) -> None:
    assert ask(session, TODAY - timedelta(days=1)) == []
    (review,) = ask(session)
    assert (review.unit_id, review.due_on) == (lamp.owner_unit_id, DUE)
    assert ask(session, DUE + timedelta(days=30)) == []


def test_what_still_holds_is_asked_about_again_a_year_later(session: Session, here: City, lamp: Entry) -> None:
    seq = lamp.change_seq
    (review,) = ask(session)
    say(session, review, here.county_clerk, ReviewAnswer.HOLDS)
    assert lamp.review_on == TODAY + timedelta(days=365)
    assert lamp.change_seq > seq
    assert reviews.open_reviews(session) == []
    assert len(ask(session, lamp.review_on)) == 1


def test_a_wish_for_change_becomes_a_task_and_is_not_asked_about_meanwhile(
    session: Session, here: City, lamp: Entry
) -> None:
    (review,) = ask(session)
    with pytest.raises(Invalid) as fault:
        say(session, review, here.county_clerk, ReviewAnswer.CHANGE)
    assert "words" in fault.value.details
    say(session, review, here.county_clerk, ReviewAnswer.CHANGE, words="电话换成新的了")
    task = session.scalars(select(Task)).one()
    assert (task.kind, task.entry_id) == (SignalKind.REVIEW, lamp.id)
    assert ask(session) == []


def test_a_unit_answers_for_its_own_entries_alone(session: Session, here: City, lamp: Entry) -> None:
    (review,) = ask(session)
    for stranger in (here.township_clerk, here.other_county_clerk, here.power_clerk):
        with pytest.raises(NotFound):
            say(session, review, stranger, ReviewAnswer.HOLDS)
    assert reviews.count_open(session, unit_id=here.other_county.id) == 0
    assert reviews.count_open(session, unit_id=here.county.id) == 1


def test_the_hub_answers_for_a_unit_only_with_words_on_who_said_so(session: Session, here: City, lamp: Entry) -> None:
    (review,) = ask(session)
    with pytest.raises(Invalid):
        say(session, review, here.supervisor, ReviewAnswer.HOLDS)
    assert say(session, review, here.supervisor, ReviewAnswer.HOLDS, words="电话里王科长确认").answer == "holds"
    with pytest.raises(NotAllowedNow):
        say(session, review, here.county_clerk, ReviewAnswer.HOLDS)


@pytest.mark.parametrize("days", [0, -3, 5000])
def test_the_next_review_lies_ahead_and_not_too_far(session: Session, here: City, lamp: Entry, days: int) -> None:
    (review,) = ask(session)
    with pytest.raises(Invalid) as fault:
        say(session, review, here.county_clerk, ReviewAnswer.HOLDS, next_on=TODAY + timedelta(days=days))
    assert "next_on" in fault.value.details
    assert review.answer == ""


def test_nobody_need_look_at_what_was_withdrawn(session: Session, lamp: Entry) -> None:
    ask(session)
    service.withdraw(session, code="lamp", actor_id=None, now=NOON)
    assert reviews.open_reviews(session) == []


def test_a_new_text_settles_what_was_asked_about_the_old_one(session: Session, here: City, lamp: Entry) -> None:
    (review,) = ask(session)
    version = editing.revise(session, actor=here.supervisor, now=NOON, code="lamp")
    content = editing.content_of(session, lamp)
    later = replace(content, review_on=TODAY + timedelta(days=200))
    editing.save(session, actor=here.supervisor, now=NOON, version_id=version.id, revision=1, content=later)
    editing.submit(session, actor=here.supervisor, now=NOON, version_id=version.id, revision=version.revision)
    checker = people.actor(session, "KBE", name="审核员")
    revision = version.revision
    editing.publish(session, actor=checker, now=NOON, today=TODAY, version_id=version.id, revision=revision)
    assert reviews.open_reviews(session) == []
    assert review.answer == ReviewAnswer.HOLDS
    assert lamp.review_on == later.review_on
