"""The tree of units and its list."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.errors import Invalid, NotFound
from hotline.units import queries, service
from tests.conftest import NOON
from tests.factories import people
from tests.factories.units import WATER, city


def test_tier_and_path_follow_from_where_a_unit_stands(session: Session):
    here = city(session)
    assert (here.hub.tier, here.county.tier, here.township.tier) == (1, 2, 3)
    assert here.township.path == f"/{here.hub.id}/{here.county.id}/{here.township.id}/"
    assert set(queries.subtree_ids(session, here.county.id)) == {
        here.county.id,
        here.township.id,
        here.other_township.id,
    }
    assert queries.is_within(session, unit_id=here.township.id, top_id=here.county.id)
    assert not queries.is_within(session, unit_id=here.far_township.id, top_id=here.county.id)


def test_a_subtree_is_not_fooled_by_ids_that_begin_alike(session: Session):
    here = city(session)
    many = [service.add_unit(session, code=f"X{number}", name=f"单位{number}", parent=here.hub) for number in range(30)]
    for unit in many:
        assert queries.subtree_ids(session, unit.id) == [unit.id]


def test_nothing_stands_below_tier_three_and_there_is_one_hub(session: Session):
    here = city(session)
    with pytest.raises(Invalid, match="三级单位之下"):
        service.add_unit(session, code="V", name="某村", parent=here.township)
    with pytest.raises(Invalid, match="只有一个"):
        service.add_unit(session, code="HUB2", name="又一个中心", parent=None)
    with pytest.raises(Invalid, match="已有"):
        service.add_unit(session, code="JZ", name="重名", parent=here.hub)


def test_who_could_sign_is_an_active_user_of_the_right_tier(session: Session):
    here = city(session)
    empty = service.add_unit(session, code="XX", name="新单位", parent=here.hub)
    assert not queries.has_active_user(session, empty)
    clerk = people.user(session, Role.U2, unit=empty, active=False)
    assert not queries.has_active_user(session, empty)
    clerk.active = True
    session.flush()
    assert queries.has_active_user(session, empty)
    people.user(session, Role.DTY, unit=here.other_county)
    assert queries.has_active_user(session, here.other_county)


def test_units_are_found_by_code_tier_and_parent(session: Session):
    here = city(session)
    assert queries.by_code(session, "JZ") is here.county
    with pytest.raises(NotFound):
        queries.by_code(session, "NOWHERE")
    assert [unit.code for unit in queries.units_of_tier(session, 2)] == ["DL", "JZ", "TC"]
    assert [unit.code for unit in queries.children(session, here.county.id)] == ["JZ01", "JZ02"]
    service.set_active(session, unit=here.township, active=False)
    assert [unit.code for unit in queries.children(session, here.county.id)] == ["JZ02"]
    assert len(queries.children(session, here.county.id, active_only=False)) == 2


def test_only_the_version_of_the_list_in_force_on_the_day_counts(session: Session):
    here = city(session)
    for version, since in (("2025", date(2025, 1, 1)), ("2026", date(2026, 6, 1)), ("2027", date(2027, 1, 1))):
        service.add_line(
            session,
            version=version,
            code="1",
            matter="二次供水",
            category_code=WATER,
            lead_unit=here.county,
            valid_from=since,
            now=NOON,
        )
    assert [line.version for line in queries.lines_for(session, WATER, on=date(2026, 11, 18))] == ["2026"]
    assert [line.version for line in queries.lines_for(session, WATER, on=date(2026, 5, 31))] == ["2025"]
    assert queries.lines_for(session, WATER, on=date(2024, 1, 1)) == []
    with pytest.raises(Invalid):
        service.add_line(
            session,
            version="2026",
            code="1",
            matter="再来一次",
            category_code=WATER,
            lead_unit=None,
            valid_from=date(2026, 6, 1),
            now=NOON,
        )


def test_kinds_of_matter_have_one_code_each_and_a_known_parent(session: Session):
    city(session)
    service.add_category(session, code="030101", name="二次供水", parent_code=WATER)
    with pytest.raises(Invalid):
        service.add_category(session, code="030101", name="又一次")
    with pytest.raises(Invalid):
        service.add_category(session, code="9", name="无根", parent_code="8")
    assert [category.code for category in queries.categories(session)] == [WATER, "030101"]
