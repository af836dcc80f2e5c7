"""Files that are wrong: big ones, crooked trees, strange headings."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.db import SessionFactory, session_scope
from hotline.errors import Invalid
from hotline.gazetteer.models import Place
from hotline.imports import KINDS, Rows, preview, read, run, write_refused
from hotline.imports.parts import Kind
from hotline.units.models import Unit
from tests.conftest import NOON
from tests.unit.imports.files import csv_of, rows_of
from tests.unit.imports.test_every_kind import small_city

UNITS, PLACES = KINDS["units"], KINDS["gazetteer"]


def reasons(session: Session, kind: Kind, rows: Rows) -> dict[int, str]:
    return {one.line: one.reason for one in preview(session, kind, rows).refused}


def unit(code: str, tier: str, parent: str = "", **more: str) -> dict[str, str]:
    return {"code": code, "name": f"单位{code}", "tier": tier, "parent": parent} | more


def test_a_tree_may_come_in_any_order(sessions: SessionFactory):
    rows = rows_of("units", unit("C", "三级", "B"), unit("B", "二级", "A"), unit("A", "热线中心"))
    assert run(sessions, UNITS, rows, actor=SYSTEM, now=NOON).new == 3
    with sessions() as session:
        paths = {one.code: one.path for one in session.scalars(select(Unit))}
    assert paths["C"].startswith(paths["B"]) and paths["B"].startswith(paths["A"])


def test_a_circle_is_named_and_the_rest_is_imported(sessions: SessionFactory):
    rows = rows_of(
        "units",
        unit("A", "热线中心"),
        unit("X", "二级", "Y"),
        unit("Y", "三级", "X"),
        unit("B", "二级", "A"),
    )
    with sessions() as session:
        assert reasons(session, UNITS, rows) == {3: "上级单位成环：X → Y → X", 4: "上级单位成环：X → Y → X"}
    assert run(sessions, UNITS, rows, actor=SYSTEM, now=NOON).new == 2


def test_a_wrong_tier_an_unknown_parent_and_a_repeated_code_are_told_apart(session: Session):
    rows = rows_of(
        "units",
        unit("A", "热线中心"),
        unit("B", "二级", "A"),
        unit("C", "三级", "A"),
        unit("D", "二级", "NOBODY"),
        unit("E", "三级", "D"),
        unit("B", "二级", "A"),
        unit("F", "四级", "A"),
        unit("G", "热线中心"),
    )
    assert reasons(session, UNITS, rows) == {
        4: "上级单位 A 是热线中心，本单位不能是三级",
        5: "没有编号为 NOBODY 的单位",
        6: "上级单位 D 在第 5 行被退回",
        7: "与第 3 行重复",
        8: "只能是：热线中心、二级、三级",
        9: "热线中心只有一个，现为 A",
    }


def test_a_unit_takes_all_below_along_when_it_moves(sessions: SessionFactory):
    tree = [unit("A", "热线中心"), unit("B", "二级", "A"), unit("C", "二级", "A"), unit("D", "三级", "B")]
    run(sessions, UNITS, rows_of("units", *tree), actor=SYSTEM, now=NOON)
    assert run(sessions, UNITS, rows_of("units", unit("D", "三级", "C")), actor=SYSTEM, now=NOON).changed == 1
    with sessions() as session:
        paths = {one.code: one.path for one in session.scalars(select(Unit))}
    assert paths["D"].startswith(paths["C"])


def test_what_is_in_use_is_not_closed_and_where_is_told(sessions: SessionFactory):
    with session_scope(sessions) as session:
        small_city(session)
    run(sessions, PLACES, rows_of("gazetteer", PLACES.example), actor=SYSTEM, now=NOON)
    with sessions() as session:
        told = reasons(session, UNITS, rows_of("units", unit("HS-JZ", "二级", "HS", active="否")))
    assert told == {2: "仍在使用，不能停用：地名 1 处（德政大道）"}


def test_a_file_cannot_take_away_the_last_administrator(sessions: SessionFactory):
    people, keeper = KINDS["users"], {"username": "guan", "display_name": "管理员", "role": "系统管理员"}
    run(sessions, people, rows_of("users", keeper), actor=SYSTEM, now=NOON)
    for change in ({"active": "否"}, {"role": "审计管理员"}):
        with sessions() as session:
            told = reasons(session, people, rows_of("users", keeper | change))
        assert told == {2: "这是最后一位系统管理员，不能停用或换岗"}
    run(sessions, people, rows_of("users", keeper | {"username": "guan2"}), actor=SYSTEM, now=NOON)
    with sessions() as session:
        assert reasons(session, people, rows_of("users", keeper | {"active": "否"})) == {}


def test_the_same_name_in_two_counties_is_two_places_and_twice_in_one_is_refused(sessions: SessionFactory):
    with session_scope(sessions) as session:
        small_city(session)
    road = dict(PLACES.example)
    with session_scope(sessions) as session:
        hub = session.scalars(select(Unit).where(Unit.code == "HS")).one()
        session.add(Unit(code="HS-TC", name="桃城区", tier=2, parent=hub, path="/1/9/", area_code="131102"))
    rows = rows_of("gazetteer", road, road | {"county": "HS-TC"}, road | {"county": "HS-JZ"})
    done = run(sessions, PLACES, rows, actor=SYSTEM, now=NOON)
    assert done.new == 2
    assert [(one.line, one.reason) for one in done.refused] == [(4, "与第 2 行重复")]


def test_a_published_version_of_the_list_never_changes(sessions: SessionFactory):
    with session_scope(sessions) as session:
        small_city(session)
    kind = KINDS["responsibility"]
    line = dict(kind.example)
    run(sessions, kind, rows_of("responsibility", line), actor=SYSTEM, now=NOON)
    with sessions() as session:
        assert reasons(session, kind, rows_of("responsibility", line | {"matter": "另一件事"})) == {
            2: "2026-2 版已有这一条，已发布的不能改；请用新版本号"
        }
    newer = line | {"matter": "另一件事", "version": "2027-1", "valid_from": "2027-01-01"}
    assert run(sessions, kind, rows_of("responsibility", newer), actor=SYSTEM, now=NOON).new == 1


def test_a_profile_says_which_rule_is_wrong(session: Session):
    kind = KINDS["profiles"]
    bad = {"name": "x", "title": "x", "active_from": "2027-01-01"} | {
        "handle": [{"limit": {"weeks": 2}}],
        "steps": {"dispatch": [], "sign": [], "check": [], "call_back": []},
        "redo": {"half": True, "most": 2},
    }
    rows = read(json.dumps(bad).encode(), "x.json")
    assert "第 1 条" in reasons(session, kind, rows)[1]


def test_a_message_may_hold_only_what_its_sender_knows(session: Session):
    kind = KINDS["texts"]
    for words, why in (
        ("您好{name}", "不能使用 {name}"),
        ("您好{order_no.__class__}", "不能使用"),
        ("您好{order_no!r}", "不能使用"),
        ("您好{", "花括号不成对"),
    ):
        assert reasons(session, kind, rows_of("texts", {"name": "accepted", "text": words}))[2].startswith(why)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_what_chinese_table_programs_save_is_read(session: Session, encoding: str):
    rows = read(csv_of("units", [unit("A", "热线中心")], encoding=encoding), "单位.csv")
    assert preview(session, UNITS, rows).new == 1


@pytest.mark.parametrize(
    ("body", "name", "why"),
    [
        (b"", "a.csv", "列名"),
        ("单位编号,单位名称,层级\n".encode(), "a.csv", "没有数据"),
        (b"\xff\xfe\x00\x81", "a.csv", "编码"),
        (b"x", "a.et", "另存为"),
        (b"x", "a.pdf", "只能导入"),
        (b"{", "a.json", "JSON"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(body: bytes, name: str, why: str):
    with pytest.raises(Invalid, match=why):
        read(body, name)


def test_headings_nobody_knows_or_that_are_missing_are_named(session: Session):
    with pytest.raises(Invalid, match="不认识的列：颜色"):
        preview(session, UNITS, read("单位编号,单位名称,层级,颜色\nA,甲,1,红".encode(), "a.csv"))
    with pytest.raises(Invalid, match="缺少必填的列：层级"):
        preview(session, UNITS, read("单位编号,单位名称\nA,甲".encode(), "a.csv"))


def test_lines_that_are_no_objects_and_cells_beyond_the_headings_are_refused(session: Session):
    lines = b'{"code": "A", "name": "\xe7\x94\xb2", "tier": 1}\nnot json\n[1]\n'
    assert reasons(session, UNITS, read(lines, "a.jsonl")) == {
        2: "这一行不是正确的 JSON",
        3: "这一行应当是一个 JSON 对象",
    }
    told = reasons(session, UNITS, read("单位编号,单位名称,层级\nA,甲,1,乙".encode(), "a.csv"))
    assert told == {2: "比列名多出：乙"}


def test_a_fault_on_the_way_leaves_nothing_half_imported(sessions: SessionFactory):
    with session_scope(sessions) as session:
        small_city(session)
    rows = rows_of("gazetteer", *({**PLACES.example, "name": f"第{n}路"} for n in range(1200)))

    def stop(done: int, total: int) -> None:
        if done > total // 2 + 600:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(sessions, PLACES, rows, actor=SYSTEM, now=NOON, progress=stop)
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Place)) == 0


def test_a_hundred_thousand_rows_of_which_three_thousand_are_wrong(sessions: SessionFactory, tmp_path: Path):
    with session_scope(sessions) as session:
        small_city(session)
    path = tmp_path / "places.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("地名,类型,所属县区\n")
        for number in range(100_000):
            wrong = number % 100 in {7, 50, 93}
            file.write(f"第{number}号路,{'河流' if wrong else '道路'},131103\n")
    rows = read(path, path.name)
    told: list[tuple[int, int]] = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with sessions() as session:
        seen = preview(session, PLACES, rows, progress=lambda done, total: told.append((done, total)))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (seen.new, len(seen.refused)) == (97_000, 3_000)
    assert (seen.refused[0].line, seen.refused[0].column, seen.refused[0].value) == (9, "类型", "河流")
    assert told[-1] == (100_000, 100_000) and told == sorted(told)
    assert grown < 100 * 1024  # kilobytes: keys and refusals, never the rows
    beside = tmp_path / "places.refused.csv"
    write_refused(PLACES, rows, seen.refused, beside)
    lines = beside.read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 3_001
    assert lines[1].startswith("9,类型：只能是：片区、道路、小区,第7号路,河流,131103")
