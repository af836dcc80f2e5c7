"""What asks the same stands together, whoever asked first; used answers teach other ways to ask."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.knowledge_base import editing, tasks
from hotline.knowledge_base.floor import learning, offers, suggestions
from hotline.knowledge_base.language.alike import by_typicality, groups, likeness, marks_of, nearest
from hotline.knowledge_base.models import Offer, Signal, Task, Version
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.states import OfferState, SignalKind, TaskState
from tests.conftest import NOON
from tests.factories import calls, people
from tests.unit.knowledge_base.conftest import TODAY

LATER = NOON + timedelta(minutes=10)
CARD = ("残疾人证到期了怎么换", "残疾人证到期怎么换新的", "我的残疾人证到期了在哪换")
BUS = ("老年公交卡怎么办理", "老年人公交卡在哪办")
SENTENCES = (*CARD, *BUS, "宠物狗怎么上户口", "犬证在哪里办", "夜市几点关门", "老年公交卡怎么年审", "公交卡丢了")


@pytest.fixture
def editor(session: Session) -> Actor:
    return people.actor(session, Role.KBE, name="知识编辑")


def ask(session: Session, *texts: str, kind: SignalKind = SignalKind.NO_ENTRY) -> None:
    for text in texts:
        tasks.note(session, kind=kind, text=text, now=NOON)


def asked(session: Session) -> list[set[str]]:
    """The sentences of every task, the one with most of them first."""
    rows = session.execute(select(Signal.task_id, Signal.text).order_by(Signal.id)).all()
    found: dict[int, set[str]] = {}
    for task_id, text in rows:
        found.setdefault(task_id, set()).add(text)
    return sorted(found.values(), key=lambda one: (-len(one), sorted(one)))


# ---- likeness


def test_rewording_a_question_and_hearing_it_wrong_leave_it_alike() -> None:
    assert likeness(marks_of(CARD[0]), marks_of(CARD[1])) > 0.6
    assert likeness(marks_of("社保卡补办"), marks_of("社包卡补办")) > 0.45
    assert likeness(marks_of("洗发水什么牌子好"), marks_of("电磁炉什么牌子好")) < 0.45
    assert likeness(marks_of(""), marks_of("")) == 0


@given(st.permutations(SENTENCES))
def test_groups_do_not_depend_on_who_asked_first(order: list[str]) -> None:
    def found(texts: list[str] | tuple[str, ...]) -> set[frozenset[str]]:
        said = dict(enumerate(texts))
        return {frozenset(said[one] for one in members) for members in groups(said)}

    assert found(order) == found(SENTENCES)


@given(st.permutations(SENTENCES), st.integers(0, len(SENTENCES)))
def test_what_was_grouped_before_need_not_be_compared_again(order: list[str], known: int) -> None:
    before = groups(dict(enumerate(order[:known])))
    settled = {one: number for number, members in enumerate(before) for one in members}
    again = groups(dict(enumerate(order)), settled=settled)
    assert sorted(map(sorted, again)) == sorted(map(sorted, groups(dict(enumerate(order)))))


@given(st.lists(st.text("残疾证公交卡怎么换办在哪12a ，×", max_size=12), max_size=12))
def test_the_same_words_are_always_one_group_and_nothing_is_lost(texts: list[str]) -> None:
    said = dict(enumerate(texts))
    found = groups(said)
    assert sorted(one for members in found for one in members) == sorted(said)
    for members in found:
        assert not {said[one] for one in members} & {text for one, text in said.items() if one not in members}


def test_the_most_typical_sentence_leads() -> None:
    assert by_typicality([*CARD, CARD[1]])[0] == CARD[1]
    assert by_typicality([]) == []
    assert nearest("公交卡", []) == 0


# ---- grouping


def test_what_asks_the_same_makes_one_task_whenever_it_comes(session: Session) -> None:
    ask(session, CARD[0], BUS[0])
    assert learning.group(session, now=LATER) == 2
    ask(session, CARD[1], CARD[0], BUS[1])
    assert learning.group(session, now=LATER) == 3
    assert learning.group(session, now=LATER) == 0
    assert asked(session) == [{CARD[0], CARD[1]}, set(BUS)] or asked(session) == [set(BUS), {CARD[0], CARD[1]}]
    assert sorted(session.scalars(select(Task.count))) == [2, 3]


@pytest.mark.parametrize("seed", range(6))
def test_tasks_are_the_same_in_whatever_order_and_portions_the_signals_come(session: Session, seed: int) -> None:
    chance = random.Random(seed)
    said = [*SENTENCES, *chance.choices(SENTENCES, k=6)]
    chance.shuffle(said)
    while said:
        portion, said = said[: (size := chance.randint(1, 6))], said[size:]
        ask(session, *portion)
        learning.group(session, now=LATER)
    at_once = groups(dict(enumerate(SENTENCES)))
    assert asked(session) == sorted(
        ({SENTENCES[one] for one in members} for members in at_once), key=lambda one: (-len(one), sorted(one))
    )
    assert sum(session.scalars(select(Task.count))) == len(SENTENCES) + 6


def test_a_question_that_joins_two_tasks_makes_them_one(session: Session) -> None:
    ask(session, CARD[0])
    learning.group(session, now=LATER)
    (first,) = session.scalars(select(Task))
    ask(session, "残疾人证怎么换")  # near enough to both
    ask(session, "残疾人证怎么办")
    learning.group(session, now=LATER)
    assert len(asked(session)) == 1
    assert session.scalars(select(Task.id)).all() == [first.id]


def test_searches_in_vain_and_calls_without_an_entry_are_kept_apart(session: Session) -> None:
    ask(session, CARD[0])
    ask(session, CARD[0], kind=SignalKind.NO_RESULT)
    learning.group(session, now=LATER)
    assert sorted(session.scalars(select(Task.kind))) == [SignalKind.NO_ENTRY, SignalKind.NO_RESULT]


def test_a_search_that_may_still_be_typed_on_waits(session: Session) -> None:
    ask(session, CARD[0])
    assert learning.group(session, now=NOON + timedelta(seconds=30)) == 0
    assert learning.group(session, now=LATER) == 1


def test_what_was_dropped_is_not_asked_again_but_counted(session: Session, editor: Actor) -> None:
    ask(session, CARD[0])
    learning.group(session, now=LATER)
    (task,) = session.scalars(select(Task))
    tasks.drop(session, task_id=task.id, actor=editor, now=LATER, reason="不属于本市事项")
    ask(session, CARD[1])
    learning.group(session, now=LATER)
    assert session.scalars(select(Task)).all() == [task]
    assert (task.state, task.count) == (TaskState.DROPPED, 2)


def test_what_is_done_is_a_new_task_when_it_is_asked_again(session: Session, editor: Actor) -> None:
    ask(session, CARD[0])
    learning.group(session, now=LATER)
    (task,) = session.scalars(select(Task))
    tasks.finish(session, task_id=task.id, actor=editor, now=LATER)
    ask(session, CARD[0])
    learning.group(session, now=LATER)
    assert sorted(session.scalars(select(Task.state))) == [TaskState.DONE, TaskState.OPEN]


# ---- offers


def used(session: Session, index: KnowledgeIndex, *said: str, query: str = "停水") -> tuple[int, int]:
    """A call in which this was said and the best answer to ``query`` was given; returns (call, suggestion)."""
    call = calls.arrived(session)
    (row,) = suggestions.show(session, call_id=call.id, hits=index.search(query, on=TODAY)[:1], now=NOON)
    suggestions.mark_used(session, suggestion_id=row.id, call_id=call.id, actor_id=None, now=NOON, said=said)
    return call.id, row.id


def offered(session: Session) -> list[str | None]:
    return list(session.scalars(select(Offer.text).where(Offer.state == OfferState.OFFERED).order_by(Offer.id)))


def test_what_the_caller_said_before_is_offered_without_who_they_are(session: Session, index: KnowledgeIndex) -> None:
    used(session, index, "你好我叫王小明", "我们家水龙头停水了一滴都不出", "电话是幺九九零零零零幺二三四")
    assert offered(session) == ["我们家水龙头停水了一滴都不出"]


def test_words_nobody_has_thought_of_are_offered_whole(session: Session, index: KnowledgeIndex) -> None:
    used(session, index, "龙头里头啥都没", "咋弄嘛这个")
    assert offered(session) == ["龙头里头啥都没，咋弄嘛这个"]


def test_nothing_is_offered_that_the_entry_has_already(session: Session, index: KnowledgeIndex) -> None:
    used(session, index, "自来水没水了")
    used(session, index, "嗯")
    used(session, index)
    assert offered(session) == []
    used(session, index, "水管里不出水是停水了吗")
    used(session, index, "水管里不出水是停水了吗")
    assert offered(session) == ["水管里不出水是停水了吗"]


def test_undoing_the_mark_takes_the_offer_back_unless_an_editor_decided(
    session: Session, index: KnowledgeIndex, editor: Actor
) -> None:
    call_id, row_id = used(session, index, "水管里不出水是停水了吗")
    suggestions.undo_mark(session, suggestion_id=row_id, call_id=call_id, actor_id=None, now=NOON)
    assert session.scalars(select(Offer)).all() == []
    at = {"suggestion_id": row_id, "call_id": call_id, "actor_id": None, "now": NOON}
    suggestions.mark_used(session, **at, said=["水管里不出水是停水了吗"])
    (offer,) = session.scalars(select(Offer))
    offers.refuse(session, offer_ids=[offer.id], actor=editor, now=LATER)
    suggestions.undo_mark(session, **at)
    suggestions.mark_used(session, **at, said=["水管里不出水是停水了吗"])
    assert session.scalars(select(Offer.state)).all() == [OfferState.REFUSED]
    offers.reopen(session, offer_ids=[offer.id], actor=editor, now=LATER)
    assert offered(session) == ["水管里不出水是停水了吗"]


def test_several_taken_at_once_make_one_text_of_each_entry(
    session: Session, index: KnowledgeIndex, editor: Actor
) -> None:
    used(session, index, "水管里不出水是停水了吗")
    used(session, index, "路灯坏了一整条街都黑的", query="路灯")
    used(session, index, "小区停水两天没人管")
    ids = session.scalars(select(Offer.id)).all()
    versions = offers.take(session, offer_ids=ids, actor=editor, now=LATER)
    assert [version.content["similar"][-2:] for version in versions] == [
        ["路灯一闪一闪", "路灯坏了一整条街都黑的"],
        ["水管里不出水是停水了吗", "小区停水两天没人管"],
    ]
    assert all(version.writers == [editor.user_id] for version in versions)
    assert offered(session) == []
    with pytest.raises(NotAllowedNow):
        offers.take(session, offer_ids=ids[:1], actor=editor, now=LATER)
    with pytest.raises(NotFound):
        offers.take(session, offer_ids=[], actor=editor, now=LATER)


def test_a_text_that_is_being_checked_takes_no_words(session: Session, index: KnowledgeIndex, editor: Actor) -> None:
    used(session, index, "水管里不出水是停水了吗")
    (offer,) = session.scalars(select(Offer))
    version = editing.revise(session, actor=editor, now=LATER, code="water")
    editing.submit(session, actor=editor, now=LATER, version_id=version.id, revision=version.revision)
    with pytest.raises(NotAllowedNow, match="正在审核"):
        offers.take(session, offer_ids=[offer.id], actor=editor, now=LATER)


def test_an_entry_that_is_full_says_so(session: Session, index: KnowledgeIndex, editor: Actor) -> None:
    used(session, index, "水管里不出水是停水了吗")
    version = editing.revise(session, actor=editor, now=LATER, code="water")
    version.content = {**version.content, "similar": [f"停水问题{number}" for number in range(200)]}
    session.flush()
    with pytest.raises(Invalid, match="200"):
        offers.take(session, offer_ids=session.scalars(select(Offer.id)).all(), actor=editor, now=LATER)
    assert session.get_one(Version, version.id).content["similar"][-1] == "停水问题199"
