"""Knowledge brought in by the file waits for another person; nothing of a file is half there."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM, Actor
from hotline.audit import AccessLog
from hotline.db import SessionFactory, session_scope
from hotline.errors import Invalid, NotAllowedNow
from hotline.imports import Kind, Outcome, Rows, engine, files, knowledge, preview, read, run, workbook
from hotline.imports.parts import Table
from hotline.knowledge_base import editing, incoming, queries, rows, service, sheets
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.models import Entry, Version
from hotline.knowledge_base.states import EntryState, VersionState
from hotline.units import service as units
from tests.conftest import NOON
from tests.factories import people
from tests.unit.knowledge_base.policies import NOTICE, QUESTIONS

WATER = {
    "id": "water",
    "question": "停水怎么报修",
    "similar": ["没水了"],
    "answer": "请联系供水公司。",
    "category": "供水",
}


@pytest.fixture
def writer(sessions: SessionFactory) -> Actor:
    """An editor in a small city that knows one entry."""
    with session_scope(sessions) as session:
        hub = units.add_unit(session, code="HS", name="热线中心", parent=None)
        units.add_unit(session, code="HS-TC", name="桃城区", parent=hub, area_code="131102")
        units.add_unit(session, code="HS-RS", name="市人社局", parent=hub, kind="department")
        service.import_entries(session, [WATER], actor_id=None, now=NOON)
        return people.actor(session, Role.KBE, name="编辑小钱")


@pytest.fixture
def colleague(sessions: SessionFactory, writer: Actor) -> Actor:
    """Another editor."""
    with session_scope(sessions) as session:
        return people.actor(session, Role.KBE, name="编辑小孙")


def sheet(*rows: Sequence[str]) -> Rows:
    """Return a CSV of these rows, the first of which heads them."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return read(out.getvalue().encode(), "知识.csv")


def lines(*told: Mapping[str, object]) -> Rows:
    return read("\n".join(json.dumps(one, ensure_ascii=False) for one in told).encode(), "知识.jsonl")


def paper(text: str, name: str = "文件.txt") -> Rows:
    return knowledge.read_document(text.encode(), name)


def entry(session: Session, code: str) -> Entry:
    found = queries.entry_by_code(session, code)
    assert found is not None
    return found


def latest(session: Session, code: str) -> Version:
    found = session.scalars(
        select(Version).join(Entry).where(Entry.code == code).order_by(Version.number.desc()).limit(1)
    ).one()
    return found


def bring(sessions: SessionFactory, rows: Rows, actor: Actor, kind: Kind = knowledge.ENTRIES) -> Outcome:
    return run(sessions, kind, rows, actor=actor, now=NOON)


# ---- sheets


def test_a_sheet_as_people_write_it_waits_for_another_person(
    sessions: SessionFactory, writer: Actor, colleague: Actor
) -> None:
    rows = sheet(
        ["序号", "标准问题", "相似问法", "答复内容", "责任部门", "适用地区", "生效日期", "是否公开", "备注"],
        [
            "1",
            "社保卡丢了怎么办",
            "补社保卡；卡丢了",
            "带身份证补办。",
            "市人社局",
            "桃城区",
            "2026年1月1日",
            "否",
            "已核",
        ],
    )
    assert bring(sessions, rows, writer).new == 1
    with session_scope(sessions) as session:
        code = knowledge.rows.code_of("社保卡丢了怎么办")
        assert entry(session, code).state == EntryState.DRAFT  # no operator sees it
        version = latest(session, code)
        assert (version.state, version.writers, version.note) == ("review", [writer.user_id], "表格导入，第 2 行")
        assert Content.of(version.content) == Content(
            question="社保卡丢了怎么办",
            answer="带身份证补办。",
            similar=("补社保卡", "卡丢了"),
            owner_unit="HS-RS",
            areas=("131102",),
            valid_from=date(2026, 1, 1),
            public=False,
        )
        at = {"version_id": version.id, "revision": version.revision, "now": NOON, "today": NOON.date()}
        editing.publish(session, actor=colleague, **at)
        assert entry(session, code).state == EntryState.PUBLISHED
    again = bring(sessions, rows, writer)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 1)


def test_a_known_entry_serves_on_while_its_next_text_waits(sessions: SessionFactory, writer: Actor) -> None:
    rows = sheet(["编号", "问题", "答案"], ["water", "停水怎么报修", "请拨打供水热线。"])
    with sessions() as session:
        (change,) = preview(session, knowledge.ENTRIES, rows, user_id=writer.user_id).samples
        assert (change.before, change.after) == ({"答案": "请联系供水公司。"}, {"答案": "请拨打供水热线。"})
    assert bring(sessions, rows, writer).changed == 1
    with sessions() as session:
        assert entry(session, "water").answer == "请联系供水公司。"
        version = latest(session, "water")
        assert (version.number, version.state) == (2, "review")
        told = Content.of(version.content)
        assert (told.answer, told.similar, told.category) == ("请拨打供水热线。", ("没水了",), "供水")  # as they were
    # the same person mends the file and brings it again: one text, not two
    mended = sheet(["编号", "问题", "答案"], ["water", "停水怎么报修", "请拨打供水热线，24 小时。"])
    assert bring(sessions, mended, writer).changed == 1
    assert bring(sessions, mended, writer).unchanged == 1
    with sessions() as session:
        assert session.scalar(select(func.count(Version.id)).where(Version.state == VersionState.REVIEW)) == 1
        assert Content.of(latest(session, "water").content).answer == "请拨打供水热线，24 小时。"


def test_a_sheet_without_numbers_finds_entries_by_their_question(sessions: SessionFactory, writer: Actor) -> None:
    rows = sheet(["问题", "答案"], ["停水怎么报修", "请联系供水公司。"], ["路灯坏了", "请拨打12345。"])
    done = bring(sessions, rows, writer)
    assert (done.new, done.changed, done.unchanged) == (1, 0, 1)


def test_what_a_colleague_writes_is_not_written_over(sessions: SessionFactory, writer: Actor, colleague: Actor) -> None:
    with session_scope(sessions) as session:
        editing.revise(session, actor=colleague, now=NOON, code="water")
    rows = sheet(["编号", "问题", "答案"], ["water", "停水怎么报修", "改。"], ["lamp", "路灯坏了", "修。"])
    done = bring(sessions, rows, writer)
    assert done.new == 1
    assert [(one.line, one.reason) for one in done.refused] == [(2, "同事正在编辑这一条，等发布或退回后再导入")]
    with session_scope(sessions) as session, pytest.raises(NotAllowedNow):
        text = incoming.Text("water", Content("停水怎么报修", "改。"))
        incoming.bring(session, [text], actor=writer, now=NOON, submit=True)


def test_a_text_begun_after_the_look_is_noticed_in_time(
    sessions: SessionFactory, writer: Actor, colleague: Actor
) -> None:
    rows = sheet(["编号", "问题", "答案"], ["water", "停水怎么报修", "改。"])
    begun: list[Session] = []

    def begin(session: Session) -> Table:
        begun.append(session)
        if len(begun) == 2:  # the file has been looked at, the transaction that writes it begins
            editing.revise(session, actor=colleague, now=NOON, code="water")
        return knowledge.EntryTable(session)

    done = bring(sessions, rows, writer, replace(knowledge.ENTRIES, begin=begin))
    assert (done.changed, [one.line for one in done.refused]) == (0, [2])


def test_every_refused_row_says_where_and_why(sessions: SessionFactory, writer: Actor) -> None:
    rows = sheet(
        ["编号", "问题", "答案", "责任单位", "适用区域", "依据链接", "失效日期", "生效日期"],
        ["a", "", "答", "", "", "", "", ""],
        ["b", "问", "", "", "", "", "", ""],
        ["c", "问丙", "答", "没有的局", "", "", "", ""],
        ["d", "问丁", "答", "", "130000", "", "", ""],
        ["e", "问戊", "答", "", "", "javascript:alert(1)", "", ""],
        ["f", "问己", "答", "", "", "", "明天", ""],
        ["g", "问庚", "答", "", "", "", "2026-01-01", "2026-02-01"],
        ["g", "问庚", "答", "", "", "", "", ""],
        ["g", "问辛", "答", "", "", "", "", ""],
        ["h" * 61, "问壬", "答", "", "", "", "", ""],
    )
    done = bring(sessions, rows, writer)
    assert [(one.line, one.column) for one in done.refused] == [
        (2, "问题"),
        (3, "答案"),
        (4, "责任单位"),
        (5, "适用区域"),
        (6, "依据链接"),
        (7, "失效日期"),
        (8, "失效日期"),
        (10, ""),
        (11, "编号"),
    ]
    assert done.new == 1
    told = list(csv.reader(io.StringIO("".join(engine.refused_sheet(knowledge.ENTRIES, rows, done.refused)))))
    assert told[1][:2] == ["2", "问题：必须填写"]
    with pytest.raises(Invalid, match="不认识的列：答按"):
        bring(sessions, sheet(["问题", "答按"], ["问", "答"]), writer)
    with pytest.raises(Invalid, match="两个列名"):
        bring(sessions, sheet(["问题", "答案", "标题"], ["问", "答", "题"]), writer)


def test_json_lines_bring_every_field(sessions: SessionFactory, writer: Actor) -> None:
    told = WATER | {
        "areas": ["131102"],
        "source_url": "https://example.gov.cn/water",
        "review_on": "2026-12-31",
        "public": "否",
        "similar": ["没水了，怎么办、找谁；急"],
    }
    assert bring(sessions, lines(told), SYSTEM, knowledge.PUBLISHED).changed == 1
    with sessions() as session:
        shown = incoming.standing(session, ["water"])["water"].shown
        assert (shown.areas, shown.source_url, shown.review_on, shown.public) == (
            ("131102",),
            "https://example.gov.cn/water",
            date(2026, 12, 31),
            False,
        )
        assert shown.similar == ("没水了，怎么办、找谁；急",)
    assert bring(sessions, lines(told), SYSTEM, knowledge.PUBLISHED).unchanged == 1
    assert bring(sessions, lines({"id": "x", "question": ["a"], "answer": True}), SYSTEM).refused != []


def test_what_the_system_brings_in_is_shown_at_once(sessions: SessionFactory, writer: Actor) -> None:
    rows = sheet(["问题", "答案"], ["停水怎么报修", "请拨打供水热线。"], ["路灯坏了", "修。"])
    done = bring(sessions, rows, SYSTEM, knowledge.PUBLISHED)
    assert (done.new, done.changed) == (1, 1)
    with sessions() as session:
        water = entry(session, "water")
        assert (water.answer, water.version, water.category) == ("请拨打供水热线。", 2, "供水")


def test_a_draft_that_was_given_up_can_come_again(sessions: SessionFactory, writer: Actor) -> None:
    rows = sheet(["编号", "问题", "答案"], ["lamp", "路灯坏了", "修。"])
    bring(sessions, rows, writer)
    with session_scope(sessions) as session:
        at = {"actor": writer, "now": NOON, "version_id": latest(session, "lamp").id}
        taken = editing.take_back(session, revision=1, **at)
        editing.drop(session, revision=taken.revision, **at)
    assert bring(sessions, rows, writer).changed == 1
    with sessions() as session:
        assert (latest(session, "lamp").number, latest(session, "lamp").state) == (2, "review")


def test_the_form_fills_what_the_rows_leave_open(sessions: SessionFactory, writer: Actor) -> None:
    given = {"category": "社保", "owner_unit": "HS-RS"}
    rows = sheet(["问题", "答案", "分类"], ["甲问", "答", ""], ["乙问", "答", "医保"])
    bring(sessions, rows.giving(given), writer)
    with sessions() as session:
        for question, category in (("甲问", "社保"), ("乙问", "医保")):
            told = Content.of(latest(session, knowledge.rows.code_of(question)).content)
            assert (told.category, told.owner_unit) == (category, "HS-RS")


def test_a_fault_on_the_way_leaves_nothing(sessions: SessionFactory, writer: Actor) -> None:
    rows = sheet(["编号", "问题", "答案"], *[[f"n{number}", f"问{number}", "答"] for number in range(1200)])

    def break_off(done: int, total: int) -> None:
        if done > total * 0.7:
            raise RuntimeError("cut off")

    with pytest.raises(RuntimeError):
        run(sessions, knowledge.ENTRIES, rows, actor=writer, now=NOON, progress=break_off)
    with sessions() as session:
        assert session.scalar(select(func.count(Entry.id))) == 1
        assert session.scalar(select(func.count(AccessLog.id)).where(AccessLog.act == "import")) == 0


def test_what_is_taken_away_comes_back_unchanged(sessions: SessionFactory, writer: Actor) -> None:
    odd = Content(
        question="=1+1 等于几",
        answer="-- 不算\n\n| 甲 | 乙 |\n| --- | --- |\n| 1 | 2 |",
        similar=("一加一；等于几",),
        spoken="@二",
        owner_unit="HS-RS",
        source="《规定》",
        source_url="https://example.gov.cn/a?b=1",
        areas=("131102",),
        valid_from=date(2026, 1, 1),
        valid_to=date(2027, 1, 1),
        review_on=date(2026, 12, 1),
        public=False,
    )
    head = [field.title for field in sheets.FIELDS]
    body = workbook.write(sheets.TITLE, head, [sheets.cells("odd", odd)])
    rows = read(body, "知识.xlsx")
    assert bring(sessions, rows, writer).new == 1
    with sessions() as session:
        assert Content.of(latest(session, "odd").content) == odd


def test_the_example_is_taken(sessions: SessionFactory, writer: Actor) -> None:
    rows = sheet(list(sheets.EXAMPLE), list(sheets.EXAMPLE.values()))
    assert bring(sessions, rows, writer).new == 1


# ---- documents


def test_clauses_become_drafts_that_keep_where_they_stand(sessions: SessionFactory, writer: Actor) -> None:
    rows = paper(NOTICE, "通知.txt").giving({"category": "城管", "source_url": "https://example.gov.cn/dogs"})
    done = bring(sessions, rows, writer, knowledge.CLAUSES)
    assert (done.new, done.refused) == (7, [])
    with sessions() as session:
        versions = session.scalars(select(Version).where(Version.number == 1, Version.state == "draft")).all()
        assert len(versions) == 7
        fourth = next(one for one in versions if one.origin["clause"] == "第四条")
        assert fourth.origin["document"] == "衡水市养犬管理办法"
        assert fourth.origin["path"] == ["第二章 养犬登记", "第四条"]
        assert fourth.origin["text"].startswith("第四条 个人申请养犬登记应当符合下列条件：\n（一）")
        told = Content.of(fourth.content)
        assert told.question == "个人申请养犬登记需要符合哪些条件"
        assert (told.source, told.category) == ("《衡水市养犬管理办法》第四条", "城管")
        assert told.source_url == "https://example.gov.cn/dogs"
        assert fourth.writers == [writer.user_id]
    again = bring(sessions, rows, writer, knowledge.CLAUSES)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 7)


def test_of_a_paper_that_comes_again_only_what_changed_is_a_new_draft(
    sessions: SessionFactory, writer: Actor, colleague: Actor
) -> None:
    bring(sessions, paper(QUESTIONS), writer, knowledge.CLAUSES)
    with session_scope(sessions) as session:
        lost, when, online = session.scalars(select(Version).where(Version.state == "draft").order_by(Version.id))
        named = {"lost": lost.entry.code, "when": when.entry.code}
        said = Content.of(lost.content)
        mended = Content(said.question, said.answer, similar=("卡丢了",), source=said.source)
        for version, content in ((lost, mended), (online, Content.of(online.content))):
            at = {"now": NOON, "version_id": version.id}
            saved = editing.save(session, actor=writer, revision=version.revision, content=content, **at)
            sent = editing.submit(session, actor=writer, revision=saved.revision, **at)
            editing.publish(session, actor=colleague, revision=sent.revision, today=NOON.date(), **at)
    changed = QUESTIONS.replace("先拨打12333挂失。", "先拨打12333口头挂失。").replace("当场领取", "次日领取")
    done = bring(sessions, paper(changed), writer, knowledge.CLAUSES)
    assert (done.new, done.changed, done.unchanged) == (0, 1, 1)
    assert [one.reason for one in done.refused] == [
        "这一条的原文有变化，而上次的稿子还没有处理完；请先发布或放弃那一稿"
    ]
    with sessions() as session:
        version = latest(session, named["lost"])
        told = Content.of(version.content)
        assert (version.number, version.state, told.similar) == (2, "draft", ("卡丢了",))  # the editor's work stays
        assert told.answer.startswith("先拨打12333口头挂失。")
        assert latest(session, named["when"]).number == 1


def test_a_kind_is_told_by_the_name_of_its_file() -> None:
    for name, kind in {
        "a.xlsx": "knowledge",
        "a.CSV": "knowledge",
        "a.xls": "knowledge",
        "a.docx": "documents",
        "a.doc": "documents",
        "a.pdf": "documents",
        "a": "documents",
    }.items():
        assert knowledge.kind_of(name).name == kind
    assert set(knowledge.FORMATS) == {*files.FORMATS, ".docx", ".pdf", ".html", ".htm", ".txt"}
    assert rows.code_of("问") == rows.code_of("问")
