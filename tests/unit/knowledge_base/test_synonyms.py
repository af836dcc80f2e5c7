"""Words people say for others: kept without circles, told to every index, pasted all or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotFound
from hotline.knowledge_base import service, synonyms
from hotline.knowledge_base.language.spelling import folded
from hotline.knowledge_base.models import Change, Synonym
from hotline.knowledge_base.search.initials import InitialsIndex, Table
from tests.conftest import NOON
from tests.factories import people


@pytest.fixture
def editor(session: Session) -> Actor:
    return people.actor(session, Role.KBE)


def put(session: Session, actor: Actor, term: str, means: str, synonym_id: int | None = None) -> Synonym:
    return synonyms.put(session, actor=actor, now=NOON, term=term, means=means, synonym_id=synonym_id)


def faults(session: Session, actor: Actor, term: str, means: str, synonym_id: int | None = None) -> dict[str, object]:
    with pytest.raises(Invalid) as fault:
        put(session, actor, term, means, synonym_id)
    return dict(fault.value.details)


def last_change(session: Session) -> int:
    return session.scalar(select(func.max(Change.seq))) or 0


def test_every_change_is_told_to_the_indexes_and_to_the_log(session: Session, editor: Actor) -> None:
    row = put(session, editor, " 社保本 ", "社保卡")
    assert (row.term, row.means, last_change(session)) == ("社保本", "社保卡", 1)
    put(session, editor, "社保本", "社会保障卡", row.id)
    assert last_change(session) == 2
    put(session, editor, "社保本", "社会保障卡", row.id)  # the same again
    assert last_change(session) == 2
    assert synonyms.remove(session, actor=editor, now=NOON, synonym_id=row.id) == ("社保本", "社会保障卡")
    assert last_change(session) == 3
    log = audit.of(session, synonyms.SUBJECT, "社保本")
    assert [(one.act, one.user_id) for one in log] == [(act, editor.user_id) for act in ("remove", "change", "add")]
    assert log[0].details["before"] == {"term": "社保本", "means": "社会保障卡"}
    assert session.scalars(select(Change.entry_id)).all() == [None] * 3
    with pytest.raises(NotFound):
        put(session, editor, "社保本", "社保卡", row.id)


@pytest.mark.parametrize(
    ("term", "means", "fields"),
    [
        ("", "", {"term", "means"}),
        ("  ", "社保卡", {"term"}),
        ("社保本", "", {"means"}),
        ("，。", "？", {"term", "means"}),
        ("长" * 41, "短" * 41, {"term", "means"}),
        ("卡", "社保卡", {"term"}),
        ("社保卡", "社保卡", {"means"}),
        ("ETC", "ｅｔｃ", {"means"}),
        ("社保\x00本", "社保卡", {"term"}),
        ("已有的", "别的", {"term"}),
        ("已　有的", "别的", {"term"}),
    ],
)
def test_what_cannot_be_is_told_beside_its_field(
    session: Session, editor: Actor, term: str, means: str, fields: set[str]
) -> None:
    put(session, editor, "已有的", "什么")
    assert faults(session, editor, term, means).keys() == fields
    assert synonyms.count(session) == 1


def test_a_circle_is_refused_however_long(session: Session, editor: Actor) -> None:
    first = put(session, editor, "社保本", "社保卡")
    assert "means" in faults(session, editor, "社保卡", "社保本")
    put(session, editor, "社保卡", "社会保障卡")
    assert "绕成了一圈" in str(faults(session, editor, "社会保障卡", "社保本")["means"])
    assert synonyms.meanings(session) == {"社保本": "社会保障卡", "社保卡": "社会保障卡"}
    put(session, editor, "社保本", "医保卡", first.id)
    put(session, editor, "社会保障卡", "社保本")
    assert synonyms.meanings(session)["社保卡"] == "医保卡"


def test_pasted_lines_are_taken_all_or_none(session: Session, editor: Actor) -> None:
    def paste(text: str) -> synonyms.Pasted:
        return synonyms.paste(session, actor=editor, now=NOON, text=text)

    done = paste("# 社保\n社保本=社保卡\n\n老年证 ＝ 老年人优待证\n公园证\t公园年票\n低保→最低生活保障\n")
    assert (done.added, done.changed, done.unchanged) == (4, 0, 0)
    done = paste("社保本=社会保障卡\r\n老年证=老年人优待证\r\n房本=不动产权证书")
    assert (done.added, done.changed, done.unchanged) == (1, 1, 1)
    before = synonyms.meanings(session)
    with pytest.raises(Invalid) as fault:
        paste("新词=标准词\n没有等号\n甲乙=甲乙\n新词=别的\n社会保障卡=社保本\n=x\na=b=c\n" + "长" * 41 + "=短的")
    refused = fault.value.details["refused"]
    assert isinstance(refused, list)
    assert [number for number, _, _ in refused] == [2, 3, 4, 5, 6, 7, 8]
    assert "与第 1 行重复" in refused[2][2] and "一圈" in refused[3][2]
    assert synonyms.meanings(session) == before
    for text in ("", "\n# 只有注释\n", "甲乙=丙丁\n" * (synonyms.LINES_AT_MOST + 1)):
        with pytest.raises(Invalid) as fault:
            paste(text)
        assert "lines" in fault.value.details


def test_two_pasted_lines_may_not_close_a_circle_between_them(session: Session, editor: Actor) -> None:
    with pytest.raises(Invalid) as fault:
        synonyms.paste(session, actor=editor, now=NOON, text="甲一=乙二\n乙二=丙三\n丙三=甲一")
    assert [number for number, _, _ in fault.value.details["refused"]] == [3]  # type: ignore[attr-defined]


def test_words_are_searched_and_paged_by_what_they_mean(session: Session, editor: Actor) -> None:
    synonyms.paste(
        session, actor=editor, now=NOON, text="\n".join(f"说法{n:02}=词{n % 3}" for n in range(9)) + "\n百分%=分号"
    )
    assert synonyms.count(session) == 10
    assert [row.term for row in synonyms.page(session, "词1", number=1, size=2)] == ["说法01", "说法04"]
    assert [row.term for row in synonyms.page(session, "词1", number=2, size=2)] == ["说法07"]
    assert [row.term for row in synonyms.page(session, "%", number=1, size=9)] == ["百分%"]


def test_it_is_told_how_many_entries_a_word_leads_to(session: Session) -> None:
    rows = [
        {"id": "A", "question": "社保卡补办", "similar": ["社保卡丢了"], "answer": "一"},
        {"id": "B", "question": "银行卡", "similar": ["社保 卡"], "answer": "二"},
        {"id": "C", "question": "ＥＴＣ办理", "answer": "三"},
    ]
    service.import_entries(session, rows, actor_id=None, now=NOON)
    index = InitialsIndex()
    assert index.entries_with(["社保卡"]) == {"社保卡": 0}
    index.refresh(session)
    told = index.entries_with(["社保卡", "etc", "理银", "，", "医保"])
    assert told == {"社保卡": 2, "etc": 1, "理银": 0, "，": 0, "医保": 0}


@given(st.lists(st.text("社保卡", max_size=6), max_size=5), st.text("社保卡", min_size=1, max_size=3))
def test_a_word_is_counted_in_every_entry_that_has_it(texts: list[str], word: str) -> None:
    table = Table.of([(number, None, None, True, [], [text]) for number, text in enumerate(texts)])
    assert table.entries_with(folded(word)) == sum(word in text for text in texts)
