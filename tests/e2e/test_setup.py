"""From an empty database to the first call, at a terminal, with the files and the commands a person is shown."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from hotline import bootstrap
from hotline.accounts.models import User
from hotline.calls.models import Call
from hotline.db import KeyRing, session_scope, use_key_ring
from hotline.demo.browser import StaffBrowser
from hotline.demo.places import MODEL
from hotline.setup.env import EnvFile
from tests.databases import MakeDatabase
from tests.redis_server import free_port
from tests.waiting import until

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "how-to" / "open-a-city.md"
NEW_PASSWORD = "a long password of my own"


class Terminal:
    """A window in which one command runs: what it shows, and lines typed into it."""

    def __init__(self, command: str, folder: Path, env: dict[str, str], alive: Callable[[], None]) -> None:
        self.shown = ""
        self.command = command
        self.typed = 0
        self._read_to = 0
        self._alive = alive
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", command],
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        assert self.process.stdout is not None
        while piece := os.read(self.process.stdout.fileno(), 4096):
            self.shown += piece.decode(errors="replace")

    def wait_for(self, words: str) -> str:
        """Return what was shown up to these words, since the last ones waited for."""

        def seen() -> bool:
            ended = self.process.poll() is not None
            there = words in self.shown[self._read_to :]
            assert there or not ended, f"ended without {words!r}:\n{self.shown}"
            self._alive()
            return there

        until(seen, f"{words!r}")
        end = self.shown.index(words, self._read_to) + len(words)
        found, self._read_to = self.shown[self._read_to : end], end
        return found

    def answer(self, question: str, line: str = "") -> None:
        """Wait for a question and answer it; nothing is Enter."""
        self.wait_for(question)
        self.wait_for(": ")
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        self.typed += 1

    def command_shown(self, after: str) -> str:
        """Return the command on the line after these words."""
        self.wait_for(after)
        self.wait_for("\n")
        return self.wait_for("\n").strip()

    def close(self) -> None:
        """End what still runs in it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Desk:
    """The administrator's machine: a folder with the program in it, and windows."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.folder = folder
        self.redis_url = redis_url
        self.web_port = free_port()
        self.exchange = f"http://127.0.0.1:{free_port()}"
        for name in ("hotline", "gunicorn.conf.py", "Procfile.small"):
            (folder / name).symlink_to(CHECKOUT / name)
        (folder / ".venv").symlink_to(sys.prefix)
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("HOTLINE_", "EXCHANGE_"))
        }
        self.env = inherited | {"PYTHONUNBUFFERED": "1", "HOTLINE_TWILIO_API_URL": self.exchange}
        self._open: list[Terminal] = []

    def window(self, command: str) -> Terminal:
        """Run a command in a new window."""
        self._open.append(Terminal(command, self.folder, self.env, self._alive))
        return self._open[-1]

    def _alive(self) -> None:
        """Fail with the last words of a window whose command has failed."""
        for one in self._open:
            assert not one.process.poll(), one.shown[-3000:]

    def close(self) -> None:
        """Close every window, last opened first."""
        for one in reversed(self._open):
            one.close()
            print(f"\n$ {one.command}\n{one.shown[-4000:]}")  # what a failure is understood by


@pytest.fixture
def desk(tmp_path: Path, redis_url: str) -> Iterator[Desk]:
    """An administrator who has the program, Redis, and the two files of the page."""
    made = Desk(tmp_path, redis_url)
    for name, text in re.findall(
        r"^`(\w+\.csv)`:.*?\n\n```csv\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S | re.M
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    yield made
    made.close()


@contextmanager
def records(desk: Desk, keys: KeyRing) -> Iterator[bootstrap.Runtime]:
    """What the new installation has written down."""
    runtime = bootstrap.build(EnvFile(desk.folder / ".env", desk.env).settings())
    try:
        yield runtime
    finally:
        runtime.close()
        use_key_ring(keys)


def test_an_administrator_goes_from_an_empty_database_to_the_first_call(
    desk: Desk, make_database: MakeDatabase, keys: KeyRing
) -> None:
    setup = desk.window(".venv/bin/hotline setup")
    setup.answer("网址", f"http://127.0.0.1:{desk.web_port}")
    setup.answer("数据库", make_database())
    setup.answer("Redis", desk.redis_url)
    setup.answer("热线号码")
    setup.answer("模拟交换机")
    desk.window(setup.command_shown("等电话线路启动"))
    setup.answer("承办单位文件", "units.csv")
    setup.answer("人员文件", "users.csv")
    setup.answer("问题分类文件")
    setup.answer("12345 的名称")
    setup.answer("问候语")
    setup.answer("语音模型", str(MODEL))
    desk.window(setup.command_shown("等热线程序启动"))
    setup.answer("拨一个试验电话")
    the_operator_logs_in_and_answers(desk)
    story = setup.wait_for("开通。")
    moments = ["电话进来了", "排队等候", "请 op01 接听", "op01 接听", "双方通话"]
    assert sorted(moments, key=story.index) == moments
    until(lambda: setup.process.poll() is not None, "the end of the set-up")
    assert setup.process.returncode == 0
    told = re.search(r"问了 (\d+) 个问题；机器用时 ([\d.]+) 秒", story)
    assert told is not None and int(told[1]) == setup.typed
    print(f"\n{told[0]}")
    with records(desk, keys) as runtime, session_scope(runtime.sessions) as session:
        call = session.scalars(select(Call)).one()
        operator = session.get(User, call.operator_id)
        assert operator is not None and operator.username == "op01" and not operator.must_set_password
        assert call.answered_at is not None
    again = desk.window(".venv/bin/hotline setup && .venv/bin/hotline doctor")
    until(lambda: again.process.poll() is not None, "the end of the second time")
    assert again.process.returncode == 0, again.shown
    assert "问了 0 个问题" in again.shown and "✓ first call" in again.shown


def the_operator_logs_in_and_answers(desk: Desk) -> None:
    """With the code from the file, a password of their own, and a telephone that answers."""
    rule = {"address": "client:seat01", "answer_after_s": 0.2, "script": [{"wait_s": 30}]}
    requests.put(f"{desk.exchange}/lab/handsets/rules", json={"rules": [rule]}, timeout=10).raise_for_status()
    with (desk.folder / "users.csv.codes.csv").open(encoding="utf-8-sig") as file:
        code = dict(csv.reader(file))["op01"]
    browser = StaffBrowser(f"http://127.0.0.1:{desk.web_port}", "op01", code)
    assert browser.path == "/password"  # nothing else is open before
    browser.send("^", to="/password", old=code, new=NEW_PASSWORD, again=NEW_PASSWORD)
    browser.submit("/desk", "/desk/ready")
    offered = browser.until("/desk", re.compile(r"/desk/calls/(\d+)/accept").search, "an offered call", within_s=60)
    browser.send(offered[0])
