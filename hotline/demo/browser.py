"""A member of staff at a browser, for the demo's story: real pages, real forms, over HTTP."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TypeVar

import requests

from hotline.demo.processes import DemoFault

Found = TypeVar("Found")
TIMEOUT_S = 20


@dataclass
class Form:
    """One form of a page as a browser would send it: its address and the values it holds."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    """Collects the forms of a page with their present values."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select: str | None = None
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(facts.get("action", ""))
            self.forms.append(self._open)
        elif self._open is not None:
            self._field(tag, facts)

    def _field(self, tag: str, facts: dict[str, str]) -> None:
        assert self._open is not None
        name, value = facts.get("name", ""), facts.get("value", "")
        kind = facts.get("type", "submit" if tag == "button" else "text")
        if tag == "option" and self._select:
            if "selected" in facts or self._select not in self._open.values:
                self._open.values[self._select] = value
        elif tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            self._open.values[name] = ""
        elif kind in ("submit", "button"):
            self._open.buttons.append((name, value))
        elif tag == "input" and name and (kind not in ("checkbox", "radio") or "checked" in facts):
            self._open.values[name] = value or ("on" if kind == "checkbox" else "")

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._textarea:
            self._open.values[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None


class StaffBrowser:
    """Logs in once and then reads pages and sends their forms, as the person would."""

    def __init__(self, base: str, username: str, password: str) -> None:
        self.base = base
        self.username = username
        self._http = requests.Session()
        self._http.trust_env = False
        self.page = ""
        self.submit("/login", "/login", username=username, password=password)
        if "/login" in self.path:
            raise DemoFault(f"{username} could not log in")

    def get(self, path: str) -> str:
        """Open a page; raises ``DemoFault`` with its title when the answer is an error."""
        return self._took(self._http.get(self.base + path, timeout=TIMEOUT_S))

    def forms(self) -> list[Form]:
        """Return the forms of the page that is open."""
        parser = _Forms()
        parser.feed(self.page)
        return parser.forms

    def submit(self, path: str, action: str, /, **values: str) -> str:
        """Open ``path``, fill the form whose address ends in ``action`` and send it."""
        self.get(path)
        return self.send(action, **values)

    def send(self, action: str, /, *, to: str | None = None, **values: str) -> str:
        """Fill and send a form of the page that is open, ``to`` another address if its button says so (formaction).

        Raises ``DemoFault`` when there is no such form.
        """
        wanted = [form for form in self.forms() if re.search(action + r"$", form.action.partition("?")[0])]
        if not wanted:
            here = ", ".join(form.action for form in self.forms())
            raise DemoFault(f"{self.username}: {self.path} has no form for {action} (only {here})")
        data = wanted[0].values | values
        return self._took(self._http.post(self.base + (to or wanted[0].action), data=data, timeout=TIMEOUT_S))

    def until(self, path: str, look: Callable[[str], Found | None], what: str, within_s: float = 30.0) -> Found:
        """Open ``path`` again and again until ``look`` finds something on it; raises ``DemoFault`` naming ``what``."""
        give_up = time.monotonic() + within_s
        while True:
            found = look(self.get(path))
            if found:
                return found
            if time.monotonic() > give_up:
                raise DemoFault(f"{self.username} did not see {what} within {within_s:.0f} s at {path}")
            time.sleep(0.2)

    def _took(self, answer: requests.Response) -> str:
        self.page, self.path = answer.text, answer.url.removeprefix(self.base)
        if not answer.ok:
            words = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())
            raise DemoFault(f"{self.username}: {answer.status_code} at {self.path}: {words[:300]}")
        return self.page
