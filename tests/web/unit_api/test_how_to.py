"""The client and the receiver of the how-to run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from hotline.delivery.allowed import Allowed
from hotline.delivery.base import Parcel, PermanentFailure
from hotline.delivery.webhook import WebhookSender
from tests.factories.units import City
from tests.web.shared.styleguide import serving
from tests.web.staff import Clock
from tests.web.unit_api.conftest import MakeSystem

HOW_TO = Path(__file__).parents[3] / "docs/how-to/connect-a-unit-system.md"
SECRET = "a secret of this test"


def program(folder: Path, name: str) -> Path:
    """Write the program the how-to calls by this name."""
    told = re.search(rf"`{name}`.*?```python\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    assert told, name
    path = folder / name
    path.write_text(told[1])
    return path


def test_the_client_signs_for_a_new_order_and_is_told_what_it_may_not(
    app: Flask, system: MakeSystem, here: City, order_no: str, clock: Clock, tmp_path: Path
) -> None:
    client = program(tmp_path, "hotline_client.py")
    assert len(client.read_text().splitlines()) <= 60
    clock.now = datetime.now(UTC)  # the client has a clock of its own
    county = system(here.county)
    with serving(app) as site:
        keys = {"HOTLINE_SITE": site, "HOTLINE_KEY": county.key_id, "HOTLINE_SECRET": county.secret}

        def run(more: str = "") -> str:
            words = [sys.executable, *(["-c", more] if more else [str(client)])]
            done = subprocess.run(
                words, env={**os.environ, **keys}, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
            )
            return done.stdout

        assert run().startswith(f"{order_no} in_hand ")
        assert run() == ""
        refused = run(
            "import os, json, urllib.error, hotline_client as c\n"
            "h = c.Hotline(os.environ['HOTLINE_SITE'], os.environ['HOTLINE_KEY'], os.environ['HOTLINE_SECRET'])\n"
            f"try: h.act('{order_no}', 'approve')\n"
            "except urllib.error.HTTPError as fault: print(fault.code, json.load(fault)['error']['details']['allowed'])"
        )
    assert refused.startswith("409 [")
    assert "hand_down" in refused


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    child = subprocess.Popen(
        [sys.executable, str(program(tmp_path, "hotline_receiver.py"))],
        env={**os.environ, "HOTLINE_PUSH_SECRET": SECRET, "PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout
    port = int(child.stdout.readline().split()[1])
    yield child, port
    child.kill()
    child.wait()
    child.stdout.close()


def test_the_receiver_takes_our_push_once_and_refuses_a_foreign_one(
    receiver: tuple[subprocess.Popen[str], int],
) -> None:
    child, port = receiver
    sender = WebhookSender(Allowed.of(("127.0.0.0/8",)), lambda: datetime.now(UTC))
    facts = {"order_no": "2611-00042-7", "what": "to_sign"}
    told = {"token": "t-1", "address": f"http://127.0.0.1:{port}/", "subject": "", "body": "", "facts": facts}
    with pytest.raises(PermanentFailure, match="401"):
        sender.send(Parcel(**told, secret="another"))  # type: ignore[arg-type]
    assert sender.send(Parcel(**told, secret=SECRET)) == "R-1"  # type: ignore[arg-type]
    assert sender.send(Parcel(**told, secret=SECRET, again=True)) == "R-1"  # type: ignore[arg-type]
    assert child.stdout
    assert child.stdout.readline() == "2611-00042-7 to_sign\n"
