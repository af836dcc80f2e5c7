"""What an administrator does from a shell to make the hotline their city's own."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest

from hotline.accounts.service import authenticate
from hotline.errors import NotPermitted
from tests.conftest import NOON
from tests.unit.cli.conftest import database, hotline


def test_people_get_codes_that_only_the_importer_can_read(place: Path):
    hotline("setup", "--yes", "--units", "units.csv")
    looked = hotline("import", "users", "users.csv", "--preview")
    assert "新增 2" in looked.output and looked.exit_code == 2
    done = hotline("import", "users", "users.csv", "--yes", "--as", "adm")
    assert "已写入：新增 2" in done.output and done.exit_code == 2
    refused = list(csv.reader((place / "users.csv.refused.csv").open(encoding="utf-8-sig")))
    assert refused[1][:2] == ["4", "岗位：HS-JZ-01 不是二级单位"]
    codes = place / "users.csv.codes.csv"
    assert stat.S_IMODE(codes.stat().st_mode) == 0o600
    given = dict(list(csv.reader(codes.open(encoding="utf-8-sig")))[1:])
    with database(place)() as session:
        user = authenticate(session, username="op01", password=given["op01"], now=NOON)
        assert user.must_set_password
        with pytest.raises(NotPermitted):
            authenticate(session, username="op01", password=given["jz01"], now=NOON)
    again = hotline("import", "users", "users.csv", "--yes")
    assert "新增 0，修改 0，未变 2" in again.output


def test_each_kind_prints_an_example(place: Path):
    told = hotline("import", "gazetteer", "--example")
    assert told.exit_code == 0
    assert told.stdout.startswith("地名,类型,所属县区,行政区划代码,别名,启用\n德政大道,道路,131103")
