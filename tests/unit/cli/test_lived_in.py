"""The past that the pictures of the pages are taken of can be written into a demo that has just begun."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scripts.lived_in import orders_of_the_past

# in a process of its own: a demo has data keys of its own
IN_A_DEMO = """
import sys
from pathlib import Path
from sqlalchemy import func, select
from hotline.config import Settings
from hotline.db import make_engine, make_sessions
from hotline.demo.__main__ import prepare
from hotline.demo.places import Ports, environment, load_secrets
from hotline.work_orders import journal
from hotline.work_orders.models import WorkOrder
from scripts.lived_in import give_a_past

folder = Path(sys.argv[1])
kept = load_secrets(folder)
ports = Ports(web=0, media=0, exchange=0, valkey=0)
settings = Settings.from_env(environment(folder, ports, kept, None) | {"HOTLINE_REDIS_URL": ""})
prepare(settings, kept["password"])
for _ in range(2):
    give_a_past(folder)
with make_sessions(make_engine(settings.database_url))() as session:
    print(session.scalar(select(func.count(WorkOrder.id))), len(journal.verify(session)))
"""


def test_a_demo_is_given_its_past_once_and_its_journal_holds(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", IN_A_DEMO, str(tmp_path)], check=True, capture_output=True, text=True, cwd=Path.cwd()
    )
    assert told.stdout.split()[-2:] == [str(len(orders_of_the_past())), "0"], told.stderr
