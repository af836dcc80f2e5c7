"""What one exchange is told at its start; nothing is read from anywhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
ORIGIN = re.compile(r"^https?://[^/\s]+$")
ACCOUNT_SID = re.compile(r"^AC[0-9a-fA-F]{32}$")


@dataclass(frozen=True)
class Number:
    """A dialled number of the application and where it answers. Methods are always POST, as the console's default.

    `voice_url` answers incoming calls, `voice_fallback_url` stands in for it, `status_callback` hears that a call
    ended, `sms_url` takes incoming messages. An empty URL means: not configured.
    """

    voice_url: str = ""
    voice_fallback_url: str = ""
    status_callback: str = ""
    sms_url: str = ""

    @classmethod
    def of_application(cls, base: str) -> Number:
        """The four addresses of an application that keeps this project's fixed paths under `base`."""
        base = base.rstrip("/")
        return cls(f"{base}/ivr/voice", f"{base}/ivr/fallback", f"{base}/ivr/status", f"{base}/ivr/message")


@dataclass(frozen=True)
class Settings:
    """One exchange. Times are seconds; `port` 0 takes a free one. Raises ValueError naming every fault at once."""

    account_sid: str
    auth_token: str
    port: int = 0
    numbers: Mapping[str, Number] = field(default_factory=dict)
    prompts: Path | None = None
    media_dirs: tuple[Path, ...] = ()
    callers_dir: Path | None = None
    """Recorded citizens for the telephone page; must lie inside a media folder."""
    webhook_budget_s: float = 15.0
    speak_speed: float = 1.0
    """How many times faster than life the exchange speaks; above 1 it leaves out frames, for quick tests."""
    stream_insecure_hosts: frozenset[str] = LOOPBACK_HOSTS
    """Hosts whose wss:// streams are dialled without TLS."""
    notice: str = ""
    api_key_sid: str = ""
    api_key_secret: str = field(default="", repr=False)
    """The key that signs access tokens of headsets in browsers; without it none is let in."""
    origins: frozenset[str] = frozenset()
    """Origins (`http://127.0.0.1:8000`) whose pages may be headsets."""
    line_grace_s: float = 10.0
    """How long a call goes on when its browser's socket is lost."""
    keep_calls: int = 200
    keep_sound_bytes: int = 128 * 1024 * 1024
    keep_messages: int = 1000
    heard_limit_s: int = 900

    def __post_init__(self) -> None:
        """Refuse what could only fail later."""
        faults = []
        if not ACCOUNT_SID.match(self.account_sid):
            faults.append("account_sid must be AC followed by 32 hexadecimal digits")
        if not self.auth_token:
            faults.append("auth_token is missing")
        if self.webhook_budget_s <= 0 or self.speak_speed <= 0:
            faults.append("webhook_budget_s and speak_speed must be above zero")
        if bool(self.api_key_sid) != bool(self.api_key_secret):
            faults.append("api_key_sid and api_key_secret belong together")
        for origin in self.origins:
            if not ORIGIN.match(origin):
                faults.append(f"{origin!r} is no origin such as http://127.0.0.1:8000")
        if self.line_grace_s < 0:
            faults.append("line_grace_s must not be below zero")
        if self.keep_calls < 1:
            faults.append("keep_calls must be at least 1")
        for folder in (self.prompts, self.callers_dir, *self.media_dirs):
            if folder is not None and not folder.is_dir():
                faults.append(f"no such folder: {folder}")
        if self.callers_dir is not None and not any(
            self.callers_dir.resolve().is_relative_to(folder.resolve()) for folder in self.media_dirs
        ):
            faults.append(f"{self.callers_dir} lies in no media folder")
        if faults:
            raise ValueError("; ".join(faults))
