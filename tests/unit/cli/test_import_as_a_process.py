"""``hotline import`` as an administrator runs it: a process of its own, a file with wrong rows."""

from __future__ import annotations

import base64
import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from hotline.db import SessionFactory, session_scope
from hotline.gazetteer.models import Place
from hotline.imports import workbook
from tests.factories.units import city

HEAD = ["地名", "类型", "所属县区"]
ROWS = [["德政大道", "道路", "JZ"], ["滏阳河", "河流", "JZ"], ["人民路", "道路", "TC"], ["无主路", "道路", "NO"]]


def body(name: str) -> bytes:
    """The rows as a file of that name."""
    if name.endswith(".xlsx"):
        return workbook.write("地名", HEAD, ROWS)
    return "\n".join(",".join(row) for row in (HEAD, *ROWS)).encode("gb18030")


@pytest.mark.parametrize("name", ["地名.csv", "地名.xlsx"])
def test_good_rows_are_written_and_wrong_ones_stand_beside_the_file_by_line(
    name: str, sessions: SessionFactory, database_url: str, tmp_path: Path
) -> None:
    with session_scope(sessions) as session:
        city(session)
    file = tmp_path / name
    file.write_bytes(body(name))
    environment = os.environ | {
        "HOTLINE_PUBLIC_URL": "http://127.0.0.1:9",
        "HOTLINE_DATABASE_URL": database_url,
        "HOTLINE_SECRET_KEY": "s" * 40,
        "HOTLINE_DATA_KEYS": "k1:" + base64.b64encode(b"k" * 32).decode(),
        "HOTLINE_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "HOTLINE_TWILIO_AUTH_TOKEN": "t" * 32,
    }
    command = [sys.executable, "-m", "hotline", "import", "gazetteer", str(file), "--yes"]
    ended = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2, ended.stderr
    assert "已写入：新增 2，修改 0，未变 0，退回 2" in ended.stdout
    with (tmp_path / f"{name}.refused.csv").open(encoding="utf-8-sig") as refused:
        told = [(row["行"], row["地名"], row["原因"]) for row in csv.DictReader(refused)]
    assert told == [
        ("3", "滏阳河", "类型：只能是：片区、道路、小区"),
        ("5", "无主路", "所属县区：没有编号或行政区划代码为 NO 的县（市、区）"),
    ]
    with sessions() as session:
        assert set(session.scalars(select(Place.name))) == {"德政大道", "人民路"}
