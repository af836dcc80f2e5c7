"""Draw every part of the kit on one page and photograph it: ``python -m tests.web.shared.styleguide FOLDER``.

For people who build pages: the page shows how each macro looks, wide and on a telephone, light and dark.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask, render_template
from jinja2 import ChoiceLoader, FileSystemLoader
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from hotline.web.access import public
from hotline.web.words import SIGNS
from tests.chromium import FLAGS
from tests.needs import chromium

ROWS = [
    ("2611-00042-7", "五洲国际小区停水两天", "to_sign", "市水务集团", 2, -7200),
    ("2611-00040-1", "下水道沼气味，孩子不适", "in_hand", "市城管局", 0, 1800),
    ("2611-00037-8", "结婚证遗失，两家单位互相等待", "return_asked", "桃城区政府", 1, 90000),
    ("2611-00035-2", "小区飞线充电", "to_check_hub", "冀州区政府", 0, 260000),
    ("2611-00029-1", "井盖丢失", "closed", "市城管局", 0, 160000),
]


def add_page(app: Flask) -> None:
    """Serve ``/styleguide`` from this folder."""
    app.jinja_loader = ChoiceLoader([app.jinja_loader, FileSystemLoader(Path(__file__).parent)])  # type: ignore[list-item]

    def styleguide() -> str:
        values = {"at": datetime.now(UTC), "span": lambda s: timedelta(seconds=s), "rows": ROWS, "signs": SIGNS}
        return render_template("styleguide.html", **values)

    app.add_url_rule("/styleguide", "styleguide", public(styleguide))


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve on loopback; yields the address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def main(folder: Path) -> None:
    """Write four photographs into ``folder``."""
    from tests.web.shared.site import small_site

    folder.mkdir(parents=True, exist_ok=True)
    with small_site() as app, sync_playwright() as playwright:
        add_page(app)
        browser = playwright.chromium.launch(executable_path=str(chromium()), args=FLAGS)
        with serving(app) as address:
            for name, width, height in (("desk", 1440, 900), ("phone", 390, 844)):
                for scheme in ("light", "dark"):
                    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                    page.on("console", lambda message: print(message.type, message.text))
                    for path in ("styleguide", "login"):
                        page.goto(f"{address}/{path}")
                        page.screenshot(path=folder / f"{path}-{name}-{scheme}.png", full_page=True)
                    page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
