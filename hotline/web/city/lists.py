"""Kinds of matter, places, and the responsibility list with its versions, on their pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, object_session

from hotline.accounts.service import Actor
from hotline.assets.models import Asset
from hotline.errors import Invalid
from hotline.gazetteer.models import PLACE_WORDS, PlaceKind, PlaceName
from hotline.gazetteer.models import Place as Named
from hotline.gazetteer.queries import called_in_log
from hotline.gazetteer.service import COUNTY_TIER
from hotline.imports.assets import KEEPERS as ASSET_KEEPERS
from hotline.imports.assets import masked_keeper
from hotline.imports.gazetteer import KINDS as PLACE_KINDS
from hotline.imports.parts import Writing
from hotline.imports.uses import (
    retire_asset,
    retire_category,
    retire_line,
    retire_place,
    uses_of_category,
    uses_of_line,
)
from hotline.units import versions
from hotline.units.models import Category, ResponsibilityLine, Unit
from hotline.web import pages
from hotline.web.access import roles, the_actor, when
from hotline.web.city.kinds import Column, Filter, Kind, Look, Place
from hotline.web.city.units import unit_choices
from hotline.web.city.views import KEEPERS, today
from hotline.web.context import transaction
from hotline.web.formats import date_words
from hotline.web.idempotency import once
from hotline.work_orders.asks.agenda import corrections

bp = Blueprint("lists", __name__)


def category_choices(session: Session, *, none: str) -> list[tuple[Any, str]]:
    """Return the kinds of matter by code, for a select."""
    rows = session.scalars(select(Category).where(Category.active).order_by(Category.code))
    return [("", none), *((row.code, f"{row.code} {row.name}") for row in rows)]


def _county_choices(session: Session) -> list[tuple[Any, str]]:
    wanted = select(Unit).where(Unit.tier == COUNTY_TIER, Unit.area_code != "").order_by(Unit.area_code)
    return [("", "请选择"), *((unit.code, unit.name) for unit in session.scalars(wanted))]


def _lead(row: ResponsibilityLine) -> str:
    session = object_session(row)
    lead = session.get(Unit, row.lead_unit_id) if session and row.lead_unit_id else None
    return lead.name if lead else "事发地政府"


class Categories(Kind[Category]):
    """Kinds of matter."""

    key = "categories"
    word = "问题分类"
    icon = "list-ul"
    note = "话务员给诉求选的分类，责任清单按它找主办单位"
    empty = "导入本市的分类表，或先建几个一级分类。"
    subject = "category"
    model = Category
    order = (Category.code,)
    searched = (Category.code, Category.name)
    search_hint = "编号或名称，按 / 直接输入"
    columns = (
        Column("名称", lambda row: row.name),
        Column("编号", lambda row: row.code, fit=True),
        Column("上级分类", lambda row: row.parent_code, fit=True),
        Column("状态", lambda row: "启用" if row.active else "停用", fit=True),
    )
    filters = (
        Filter("top", "一级", lambda: Category.parent_code == ""),
        Filter("unled", "没有责任", lambda: Category.code.not_in(_led())),
        Filter("off", "已停用", lambda: ~Category.active),
    )
    looks: ClassVar = {"parent": Look("select", lambda session: category_choices(session, none="无（一级分类）"))}

    def uses(self, session: Session, row: Category) -> Sequence[Place]:
        """Return what names the kind of matter."""
        pages = {
            "下级分类": url_for("office.city.categories_listed", q=row.code),
            "责任清单": url_for("office.city.responsibility_listed", q=row.code),
        }
        return [Place(use, pages.get(use.where)) for use in uses_of_category(session, row, on=today())]

    def retire(self, session: Session, row: Category, *, actor: Actor, now: datetime) -> None:
        """Offer it no more."""
        retire_category(session, category=row, actor=actor, now=now)


def _led() -> Any:
    return select(ResponsibilityLine.category_code).where(ResponsibilityLine.active)


class Places(Kind[Named]):
    """Places callers name."""

    key = "gazetteer"
    word = "地名"
    icon = "geo-alt"
    note = "来电人会说到的片区、道路和小区；两个县同名时，受话台会请话务员选择"
    empty = "导入民政部门的地名表，或先建几条主要道路。"
    subject = "place"
    model = Named
    order = (Named.name, Named.county_id, Named.kind)
    searched = (Named.name,)
    search_hint = "地名、别名或县区，按 / 直接输入"
    columns = (
        Column("地名", lambda row: row.name),
        Column("类型", lambda row: PLACE_WORDS[row.kind], fit=True),
        Column("所属县区", lambda row: row.county.name, fit=True),
        Column("区划", lambda row: row.area_code or row.county.area_code, fit=True),
        Column("别名", lambda row: "、".join(one.name for one in row.names[1:])),
        Column("状态", lambda row: "启用" if row.active else "停用", fit=True),
    )
    filters = (
        Filter("area", "片区", lambda: Named.kind == PlaceKind.AREA),
        Filter("road", "道路", lambda: Named.kind == PlaceKind.ROAD),
        Filter("estate", "小区", lambda: Named.kind == PlaceKind.ESTATE),
        Filter("twice", "几县同名", lambda: Named.name.in_(_twice())),
        Filter("off", "已停用", lambda: ~Named.active),
    )
    looks: ClassVar = {
        "kind": Look("select", words=PLACE_KINDS),
        "county": Look("select", _county_choices),
    }
    fixed = ("name", "kind", "county")

    def select(self, text: str = "", show: str = "") -> Select[Any]:
        """Return places by name, alias or county."""
        wanted = super().select("", show)
        if text:
            called = select(PlaceName.place_id).where(PlaceName.name.contains(text, autoescape=True))
            at = select(Unit.id).where(or_(Unit.code == text, Unit.name.contains(text, autoescape=True)))
            wanted = wanted.where(or_(Named.id.in_(called), Named.county_id.in_(at)))
        return wanted

    def identity(self, row: Named) -> dict[str, Any]:
        """Return name, kind and the county's code."""
        return {"name": row.name, "kind": row.kind, "county": row.county.code}

    def find(self, session: Session, typed: Any) -> Named:
        """Return the place just written."""
        county = select(Unit.id).where(Unit.code == typed["county"]).scalar_subquery()
        wanted = select(Named).where(Named.name == typed["name"].strip(), Named.kind == typed["kind"])
        return session.scalars(wanted.where(Named.county_id == county)).one()

    def titles(self, session: Session, subject_ids: Sequence[str]) -> Mapping[str, str]:
        """Return county, kind and name, in words."""
        return called_in_log(session, subject_ids)

    def subject_id(self, row: Named) -> str:
        """Return what the log of changes calls it."""
        return f"{row.county.code}/{row.kind}/{row.name}"

    def retire(self, session: Session, row: Named, *, actor: Actor, now: datetime) -> None:
        """Look for it no more."""
        retire_place(session, place=row, actor=actor, now=now)


def _twice() -> Any:
    return select(Named.name).group_by(Named.name).having(func.count(Named.county_id.distinct()) > 1)


class Assets(Kind[Asset]):
    """Numbered things callers name."""

    key = "assets"
    word = "城市部件"
    icon = "geo-alt"
    note = "有编号的路灯、井盖、坑塘；来电人报出编号，就填好地点、分类和承办单位"
    empty = "导入市政、水务等部门的部件台账，第一列写编号。"
    subject = "asset"
    model = Asset
    order = (Asset.code,)
    searched = (Asset.code, Asset.name, Asset.address)
    search_hint = "编号、名称或位置，按 / 直接输入"
    columns = (
        Column("名称", lambda row: row.name),
        Column("编号", lambda row: row.code, fit=True),
        Column("类型", lambda row: row.kind, fit=True),
        Column("位置", lambda row: row.address),
        Column("承办单位", lambda row: row.below.name if row.below else row.unit.name, fit=True),
        Column("状态", lambda row: "启用" if row.active else "停用", fit=True),
    )
    filters = (
        Filter("unkept", "没有责任人", lambda: ~Asset.keepers.any()),
        Filter("off", "已停用", lambda: ~Asset.active),
    )
    looks: ClassVar = {
        "unit": Look("select", lambda session: unit_choices(session, tiers=(2,), none="请选择")),
        "below": Look("select", lambda session: unit_choices(session, tiers=(3,), none="无")),
        "category": Look("select", lambda session: category_choices(session, none="无")),
    }
    secret = tuple(ASSET_KEEPERS)

    def masked(self, cell: str) -> str:
        """Return a keeper without name and number."""
        return masked_keeper(cell)

    def retire(self, session: Session, row: Asset, *, actor: Actor, now: datetime) -> None:
        """Find it no more by its number."""
        retire_asset(session, asset=row, actor=actor, now=now)


class Responsibility(Kind[ResponsibilityLine]):
    """The responsibility list: versions, of which one is in force."""

    key = "responsibility"
    word = "责任清单"
    icon = "clipboard-check"
    note = "哪类事由哪个单位主办；已施行的版本不再改动，要改就建新版本"
    empty = "导入本市的责任清单，第一列写版本号，如 2026-1。"
    subject = "responsibility_line"
    model = ResponsibilityLine
    order = (ResponsibilityLine.version.desc(), ResponsibilityLine.code)
    searched = (ResponsibilityLine.matter, ResponsibilityLine.code, ResponsibilityLine.category_code)
    search_hint = "事项、分类编号或主办单位，按 / 直接输入"
    columns = (
        Column("事项", lambda row: row.matter),
        Column("条目", lambda row: row.code, fit=True),
        Column("版本", lambda row: row.version, fit=True),
        Column("分类", lambda row: row.category_code, fit=True),
        Column("主办单位", _lead, fit=True),
        Column("施行日期", lambda row: date_words(row.valid_from), fit=True),
        Column("状态", lambda row: "启用" if row.active else "停用", fit=True),
    )
    looks: ClassVar = {
        "category": Look("select", lambda session: category_choices(session, none="请选择")),
        "lead": Look("select", lambda session: unit_choices(session, tiers=(2, 3), none="事发地政府")),
        "valid_from": Look("date"),
        "basis": Look("textarea", wide=True),
    }
    fixed = ("version", "code")
    frozen = ("valid_from",)
    list_template = "city/responsibility.html"

    def chips(self, session: Session) -> Sequence[Filter]:
        """Return the versions, the newest first."""
        return [
            Filter(one.version, one.version, lambda version=one.version: ResponsibilityLine.version == version)  # type: ignore[misc]
            for one in versions.versions(session)
        ]

    def uses(self, session: Session, row: ResponsibilityLine) -> Sequence[Place]:
        """Return the open orders that went out by it."""
        return [Place(use) for use in uses_of_line(session, row)]

    def retire(self, session: Session, row: ResponsibilityLine, *, actor: Actor, now: datetime) -> None:
        """Send nothing by it any more."""
        retire_line(session, line=row, actor=actor, now=now)

    def select(self, text: str = "", show: str = "") -> Select[Any]:
        """Return the lines of a version, of any if it is not there."""
        wanted = select(ResponsibilityLine)
        if text:
            led = select(Unit.id).where(or_(Unit.code == text, Unit.name.contains(text, autoescape=True)))
            hits = [column.contains(text, autoescape=True) for column in self.searched]
            wanted = wanted.where(or_(*hits, ResponsibilityLine.lead_unit_id.in_(led)))
        return wanted.where(ResponsibilityLine.version == show) if show else wanted

    def about(self, session: Session, row: ResponsibilityLine | None) -> dict[str, Any]:
        """Return the versions, which is in force, and beside the list what reviewers would mend in it."""
        return {
            "versions": versions.versions(session),
            "today": today(),
            "in_force": versions.version_in_force(session, on=today()),
            "corrections": corrections(session, the_actor()) if row is None else [],
        }

    def kept_because(self, session: Session, row: ResponsibilityLine) -> str:
        """Keep what has begun as it is."""
        return "" if row.valid_from > today() else f"{row.version} 版已施行，不再改动；要去掉这一条请建新版本"

    def title(self, row: ResponsibilityLine) -> str:
        """Return the matter."""
        return row.matter

    def subject_id(self, row: ResponsibilityLine) -> str:
        """Return version and code."""
        return f"{row.version}/{row.code}"

    def write(
        self, session: Session, before: dict[str, Any] | None, typed: Any, *, actor: Actor, now: datetime
    ) -> Writing:
        """Add a line, change one of a version that is not in force yet, or put any back into use."""
        values, faults = self.read(typed, before)
        if before is None or before["active"] != values["active"]:
            return super().write(session, before, typed, actor=actor, now=now)
        lead = session.scalar(select(Unit).where(Unit.code == values["lead"])) if values["lead"] else None
        if not session.scalar(select(Category.id).where(Category.code == values["category"])):
            faults.setdefault("category", "请选择分类")
        if faults:
            raise Invalid("；".join(faults.values()), **faults)
        line = self.find(session, before)
        versions.change_line(
            session,
            line=line,
            actor=actor,
            now=now,
            today=today(),
            matter=values["matter"],
            category_code=values["category"],
            lead_unit=lead,
            basis=values["basis"],
        )
        return Writing(session, actor, now)


@bp.get("/responsibility/version")
@roles(*KEEPERS)
def new_version() -> ResponseReturnValue:
    """Ask for the name and the day of a new version."""
    return _version_page({"source": request.args.get("source", "")}, {})


@bp.post("/responsibility/version")
@roles(*KEEPERS)
def copy_version() -> ResponseReturnValue:
    """Copy a version: until its day comes its lines may be changed."""
    typed = request.form.to_dict()
    try:
        with transaction() as session:

            def act() -> ResponseReturnValue:
                try:
                    begins = date.fromisoformat(typed.get("valid_from", ""))
                except ValueError as fault:
                    raise Invalid("请填写施行日期", valid_from="请填写施行日期") from fault
                name = typed.get("version", "").strip()
                count = versions.copy_version(
                    session,
                    source=typed.get("source", ""),
                    version=name,
                    valid_from=begins,
                    today=today(),
                    **when(),
                )
                pages.toast(f"已复制 {count} 条到 {name} 版，施行前可逐条修改")
                return pages.go(url_for("office.city.responsibility_listed", show=name))

            return once(session, act)
    except Invalid as fault:
        return _version_page(typed, fault.details), 422


def _version_page(typed: Mapping[str, str], faults: Mapping[str, object]) -> str:
    with transaction() as session:
        known = [(one.version, f"{one.version}（{one.lines} 条）") for one in versions.versions(session)]
    return render_template("city/version.html", typed=typed, faults=faults, known=known)
