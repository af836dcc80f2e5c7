"""A browser of a few lines over Flask's test client: reads the form's token, sends forms, follows htmx."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
PAGE = {"Accept": "text/html"}
HTMX = {"Accept": "text/html", "HX-Request": "true"}


@dataclass
class Browser:
    """One person's browser."""

    client: FlaskClient
    token: str = ""

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open a page and remember its token."""
        answer = self.client.get(path, headers=PAGE | headers)
        self._remember(answer)
        return answer

    def post(self, path: str, data: dict[str, Any] | None = None, **headers: str) -> TestResponse:
        """Send a form of the page opened last."""
        answer = self.client.post(path, data={"csrf_token": self.token} | (data or {}), headers=PAGE | headers)
        self._remember(answer)
        return answer

    def htmx(self, path: str, data: dict[str, Any] | None = None) -> TestResponse:
        """Send as htmx does: token in the header."""
        return self.client.post(path, data=data or {}, headers=HTMX | {"X-CSRFToken": self.token})

    def log_in(self, username: str, password: str, target: str = "") -> TestResponse:
        """Log in through the page."""
        self.get("/login" + (f"?next={target}" if target else ""))
        answer = self.post("/login", {"username": username, "password": password, "next": target})
        if answer.status_code == 303:
            self.get("/password")  # a page with the token of the new session
        return answer

    def _remember(self, answer: TestResponse) -> None:
        if answer.mimetype == "text/html" and (found := TOKEN.search(answer.text)):
            self.token = found[1]
