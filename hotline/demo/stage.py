"""Where the demo's story takes place and how it is told: the servers, the people at them, each step come true."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, TypeVar

import requests
from rich.console import Console
from rich.markup import escape

from hotline.demo.browser import TIMEOUT_S, StaffBrowser
from hotline.demo.places import LOOPBACK, Ports, recorded_callers
from hotline.demo.processes import DemoFault

Found = TypeVar("Found")

PATIENCE_S: Final = 40.0


@dataclass
class World:
    """Where the story takes place. ``hears``: there is a model, so words are checked too."""

    web: str
    exchange: str
    password: str
    token: str
    hears: bool
    staff: dict[str, StaffBrowser] = field(default_factory=dict)

    @classmethod
    def served_at(cls, ports: Ports, *, password: str, token: str, hears: bool) -> World:
        """The world whose servers listen at these ports of this machine."""
        return cls(f"http://{LOOPBACK}:{ports.web}", f"http://{LOOPBACK}:{ports.exchange}", password, token, hears)

    def person(self, username: str) -> StaffBrowser:
        """Return this member of staff at a browser, logged in once."""
        if username not in self.staff:
            self.staff[username] = StaffBrowser(self.web, username, self.password)
        return self.staff[username]

    def lab(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the exchange's lab; raises ``DemoFault`` with its words."""
        answer = requests.request(method, f"{self.exchange}/lab/{path}", json=body, timeout=TIMEOUT_S)
        if not answer.ok:
            raise DemoFault(f"the exchange: {answer.text}")
        return answer.json()

    def api(self, path: str) -> dict[str, Any]:
        """Read the JSON API as a supervisor's program. Raises ``DemoFault`` with the answer when it is an error."""
        found = self._read(path)
        if found is None:
            raise DemoFault(f"/api/v1/{path}: not there")
        return found

    def call(self, sid: str) -> dict[str, Any]:
        """Return what the hotline knows of a call, or nothing yet. Raises ``DemoFault`` as ``api`` does."""
        found = self._read(f"calls?provider_id={sid}")
        return found["calls"][0] if found else {}

    def _read(self, path: str) -> dict[str, Any] | None:
        """Return an answer of the JSON API, None for 404: what is not there yet may come."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.get(f"{self.web}/api/v1/{path}", headers=headers, timeout=TIMEOUT_S)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        if not answer.ok:
            raise DemoFault(f"/api/v1/{path}: {answer.status_code} {answer.text}")
        found: dict[str, Any] = answer.json()
        return found


class Teller:
    """Prints each step as it comes true, with its time. ``patience_s``: how long a step may be waited for."""

    def __init__(
        self, world: World, console: Console, alive: Callable[[], None], *, patience_s: float = PATIENCE_S
    ) -> None:
        self.world = world
        self._console = console
        self._alive = alive
        self._patience_s = patience_s

    def title(self, text: str) -> None:
        """Begin a part."""
        self._console.print(f"\n[bold]{text}[/]")

    def say(self, who: str, what: str) -> None:
        """Tell a step."""
        now = datetime.now().astimezone()
        at = f"{now:%H:%M:%S}.{now.microsecond // 100_000}"
        self._console.print(f"  [dim]{at}[/]  [cyan]{who}[/]  {escape(what)}", soft_wrap=True)

    def until(self, look: Callable[[], Found | None], what: str, within_s: float = 0.0) -> Found:
        """Look again and again until it is there; raises ``DemoFault`` naming ``what`` that never came.

        ``within_s``: what is known to take longer than the teller's usual patience.
        """
        within_s = max(within_s, self._patience_s)
        give_up = time.monotonic() + within_s
        while not (found := look()):
            self._alive()
            if time.monotonic() > give_up:
                raise DemoFault(f"within {within_s:.0f} s there was no {what}")
            time.sleep(0.1)
        return found


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded caller."""

    wav: str
    phone: str
    text: str
    keywords: list[str]

    @classmethod
    def named(cls, wav: str) -> Recorded:
        """Return the one with this file."""
        one = next(one for one in recorded_callers() if one["file"] == wav)
        return cls(wav, "+86" + one["number"], one["text"], one["keywords"])
