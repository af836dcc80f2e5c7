"""The two shelves of an index: what changed is served at once, put with the rest later, and never seen twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from hotline.knowledge_base import service
from hotline.knowledge_base.language.tokens import Said
from hotline.knowledge_base.search.candidates import Candidates
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.search.shelf import Counts, Row, Shelf
from hotline.knowledge_base.service import ImportResult
from tests.conftest import NOON
from tests.unit.knowledge_base.conftest import ROWS, TODAY

Take = Callable[..., ImportResult]


@pytest.fixture
def index(session: Session, take: Take) -> KnowledgeIndex:
    """An index over ``ROWS`` with terms to look up by, which is folded after few changes."""
    take(*ROWS)
    index = KnowledgeIndex(small=3)
    index.refresh(session)
    return index


def codes(index: KnowledgeIndex, text: str, **options: object) -> list[str]:
    return [hit.code for hit in index.search(text, on=TODAY, **options)]  # type: ignore[arg-type]


def rows(*texts: str, first: int = 0) -> list[Row]:
    return [Row(first + n, f"k{first + n}", text, "", None, None, (text,)) for n, text in enumerate(texts)]


def test_the_same_answers_with_terms_and_without(session: Session, index: KnowledgeIndex) -> None:
    without = KnowledgeIndex()
    without.refresh(session)
    for row in ROWS:
        for text in (row["question"], *row["similar"], f"喂你好{row['question']}这个事情"):
            assert codes(index, str(text)) == codes(without, str(text)) != []


def test_an_edit_is_found_while_it_is_fresh_and_after_it_was_put_with_the_rest(
    session: Session, index: KnowledgeIndex, take: Take
) -> None:
    for turn in range(6):
        take({**ROWS[0], "question": "井盖丢了怎么办", "similar": [f"井盖第{turn}次被偷"]})
        index.refresh(session)
        for _settled in (False, True):
            assert codes(index, "井盖丢了") == ["lamp"]
            assert codes(index, "路灯不亮找谁修") == []
            assert codes(index, "家里停水怎么报修")[0] == "water"
            assert len(index) == len(ROWS)
            index.settle()


def test_what_is_withdrawn_while_shelves_are_joined_stays_withdrawn(session: Session, take: Take) -> None:
    take(*ROWS)
    index = KnowledgeIndex()
    index.refresh(session)
    take(*({"id": f"new{n}", "question": f"新办第{n}种居住证"} for n in range(4)), questions_only=True)
    index.refresh(session)
    folded = index.folded()
    service.withdraw(session, code="new1", actor_id=None, now=NOON)
    service.withdraw(session, code="water", actor_id=None, now=NOON)
    take({"id": "late", "question": "公交卡丢了怎么挂失"}, questions_only=True)
    index.refresh(session)
    index.take(folded)
    assert (codes(index, "新办居住证"), codes(index, "家里停水怎么报修")) == (["new0", "new2", "new3"], [])
    assert codes(index, "公交卡丢了")[0] == "late"
    assert len(index) == len(ROWS) - 1 + 4


def test_a_shelf_full_of_holes_is_made_anew(session: Session, index: KnowledgeIndex, take: Take) -> None:
    for turn in range(8):
        take(*({**row, "similar": [f"{row['question']}第{turn}版"]} for row in ROWS))
        index.refresh(session)
        index.settle()
    base = index._snapshot.base
    assert len(base.shelf) <= 2 * len(ROWS)
    assert int(base.standing.sum()) + int(index._snapshot.fresh.standing.sum()) == len(ROWS)
    assert codes(index, "老板拖欠工资怎么办第7版")[0] == "wages"


def test_among_many_entries_of_another_day_or_subject_the_right_one_is_found(session: Session, take: Take) -> None:
    gone = {"valid_to": str(TODAY - timedelta(days=1)), "category": "旧"}
    take(*({"id": f"old{n}", "question": f"家里停水怎么报修{n}", **gone} for n in range(300)), questions_only=True)
    take({"id": "now", "question": "家里停水了怎么报修", "category": "供水"}, questions_only=True)
    index = KnowledgeIndex()
    index.refresh(session)
    assert codes(index, "家里停水怎么报修") == ["now"]
    assert codes(index, "家里停水怎么报修", subjects=["供水"]) == ["now"]
    assert codes(index, "家里停水怎么报修", subjects=["旧"]) == []
    assert codes(index, "家里停水怎么报修", subjects=["没有"]) == []


def test_progress_is_told(session: Session, take: Take) -> None:
    take(*ROWS)
    told: list[tuple[int, int]] = []
    KnowledgeIndex().refresh(session, lambda done, total: told.append((done, total)))
    assert told[-1] == (len(ROWS), len(ROWS))


def test_a_shelf_gives_back_what_was_put_on_it() -> None:
    since, until = date(2026, 1, 2), date(2026, 3, 4)
    one = Shelf.of([Row(7, "a", "路灯\U0001f600坏了？", "市政", since, until, ("路灯坏了？", "没有路灯", "路灯坏了"))])
    two = Shelf.of([*rows("𠮷野家怎么走", first=8), Row(9, "e", "？！", "", None, None, ("？！",))])
    both = Shelf.joined([one, two])
    assert [both.codes[n] for n in range(3)] == ["a", "k8", "e"]
    assert (both.questions[0], both.questions[2]) == ("路灯\U0001f600坏了？", "？！")
    assert [said.text for said in both.phrasings(0)] == ["路灯坏了", "没有路灯"]
    assert [[said.text for said in both.phrasings(n)] for n in (1, 2)] == [["〓野家怎么走"], []]
    assert both.holding(np.arange(3), until, "", ["市政"]).tolist() == [True, False, False]
    assert both.holding(np.arange(3), until + timedelta(days=1), "", None).tolist() == [False, True, True]
    last = both.taken(both.ids.argsort()[::-1][:2])
    assert [last.codes[n] for n in range(2)] == ["e", "k8"]
    assert [said.text for said in last.phrasings(1)] == ["〓野家怎么走"]


def test_counts_taken_away_are_as_if_they_never_came() -> None:
    shelf = Shelf.of(rows("路灯不亮", "路灯坏了", "停水"))
    once = Counts.none().changed(shelf, None, 1)
    again = once.changed(shelf, None, 1).changed(shelf, None, -1)
    assert again.phrasings == once.phrasings == 3
    assert all((one == other).all() for one, other in zip(once.seen, again.seen, strict=True))
    assert once.seen[0][ord("灯")] == 2


def test_candidates_go_on_serving_while_others_grow_from_them() -> None:
    first = Shelf.of(rows("路灯不亮", "家里停水"))
    both = Shelf.joined([first, Shelf.of(rows("路灯很暗", first=2))])
    small = Candidates.of(first)
    large = small.grown(both)
    said, counts = Said.of("路灯"), Counts.none().changed(both, None, 1)
    assert sorted(large.best(said, counts, 10).tolist()) == [0, 2]
    assert small.best(said, counts, 10).tolist() == [0]


def test_an_index_over_a_restored_database_starts_over(session: Session, index: KnowledgeIndex, take: Take) -> None:
    session.execute(sql("DELETE FROM kb_changes"))
    session.execute(sql("UPDATE kb_entries SET change_seq = 0, state = 'draft'"))
    session.expire_all()
    assert index.refresh(session) == 0
    assert (len(index), codes(index, "路灯不亮")) == (0, [])
