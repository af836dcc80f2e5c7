"""Settings: read once, from the environment, every fault reported at once."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DATA_KEY_BYTES = 32


class SettingsError(Exception):
    """Raised with every fault found, one a line, so that an administrator mends them in one go."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a process is told from outside. Tests build their own; nothing reads the environment later.

    ``data_keys`` is the ring, first key writes: pairs of (key id, 32 bytes). ``trusted_proxies``: how many proxies of
    ours stand one behind the other in front of every process; each adds the address it was asked from.
    """

    public_url: str
    database_url: str
    secret_key: str = field(repr=False)
    data_keys: tuple[tuple[str, bytes], ...] = field(repr=False)
    twilio_account_sid: str = ""
    twilio_auth_token: str = field(default="", repr=False)
    stream_url: str = ""
    redis_url: str = ""
    data_dir: Path = Path("var")
    speech_model: Path | None = None
    twilio_api_url: str = ""
    twilio_api_key: str = ""
    twilio_api_secret: str = field(default="", repr=False)
    twilio_app_sid: str = ""
    webhook_allow: tuple[str, ...] = ()
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    numbers: tuple[str, ...] = ("12345",)
    timezone: str = "Asia/Shanghai"
    trusted_proxies: int = 0

    @property
    def tz(self) -> ZoneInfo:
        """The time zone people read times in."""
        return ZoneInfo(self.timezone)

    @property
    def headset_url(self) -> str:
        """Where a browser's headset opens its line: at the exchange the REST API is asked at. Empty on the real
        service, whose own library knows."""
        return f"ws{self.twilio_api_url.removeprefix('http')}/line" if self.twilio_api_url else ""

    @property
    def secure_cookies(self) -> bool:
        """Cookies are marked Secure wherever the public URL is https."""
        return self.public_url.startswith("https://")

    @property
    def media_url(self) -> str:
        """Where callers' sound is sent: ``stream_url``, or the public URL's socket twin."""
        return self.stream_url or "ws" + self.public_url.removeprefix("http")

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read ``HOTLINE_*``. Raises ``SettingsError`` naming every missing or wrong one; no default secret."""
        read = _Reader(os.environ if env is None else env)
        settings = {
            "public_url": read.url("PUBLIC_URL", ("http", "https"), required=True).rstrip("/"),
            "database_url": read.text("DATABASE_URL", required=True),
            "secret_key": read.text("SECRET_KEY", required=True, at_least=32),
            "data_keys": read.key_ring("DATA_KEYS"),
            "twilio_account_sid": read.text("TWILIO_ACCOUNT_SID", required=True),
            "twilio_auth_token": read.text("TWILIO_AUTH_TOKEN", required=True),
            "stream_url": read.url("STREAM_URL", ("ws", "wss")).rstrip("/"),
            "redis_url": read.url("REDIS_URL", ("redis", "rediss", "unix")),
            "data_dir": Path(read.text("DATA_DIR") or "var"),
            "speech_model": Path(model) if (model := read.text("SPEECH_MODEL")) else None,
            "twilio_api_url": read.url("TWILIO_API_URL", ("http", "https")).rstrip("/"),
            "twilio_api_key": read.text("TWILIO_API_KEY"),
            "twilio_api_secret": read.text("TWILIO_API_SECRET"),
            "twilio_app_sid": read.text("TWILIO_APP_SID"),
            "webhook_allow": read.hosts("WEBHOOK_ALLOW"),
            "smtp_url": read.url("SMTP_URL", ("smtps", "smtp+starttls")),
            "mail_from": read.mail("MAIL_FROM"),
            "numbers": read.numbers("NUMBERS"),
            "timezone": read.zone("TIMEZONE"),
            "trusted_proxies": read.count("TRUSTED_PROXIES"),
        }
        if read.faults:
            raise SettingsError(read.faults)
        return cls(**settings)  # type: ignore[arg-type]


class _Reader:
    """Reads one variable after another and remembers what was wrong with each."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.faults: list[str] = []

    def _fault(self, name: str, what: str) -> None:
        self.faults.append(f"HOTLINE_{name}: {what}")

    def text(self, name: str, *, required: bool = False, at_least: int = 0) -> str:
        value = self._env.get(f"HOTLINE_{name}", "").strip()
        if not value and required:
            self._fault(name, "is not set")
        elif value and len(value) < at_least:
            self._fault(name, f"is shorter than {at_least} characters")
        return value

    def url(self, name: str, schemes: tuple[str, ...], *, required: bool = False) -> str:
        value = self.text(name, required=required)
        if value:
            parts = urlsplit(value)
            if parts.scheme not in schemes or not (parts.netloc or parts.scheme == "unix"):
                self._fault(name, f"is not a URL of {', '.join(schemes)}")
        return value

    def key_ring(self, name: str) -> tuple[tuple[str, bytes], ...]:
        ring: list[tuple[str, bytes]] = []
        value = self.text(name, required=True)
        for item in filter(None, (part.strip() for part in value.split(","))):
            key_id, _, encoded = item.partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                key = b""
            if not key_id.isalnum() or len(key) != DATA_KEY_BYTES:
                self._fault(name, f"wants id:base64 of {DATA_KEY_BYTES} bytes, comma-separated")
                break
            ring.append((key_id, key))
        if len({key_id for key_id, _ in ring}) != len(ring):
            self._fault(name, "names a key id twice")
        return tuple(ring)

    def hosts(self, name: str) -> tuple[str, ...]:
        found = tuple(filter(None, (part.strip() for part in self.text(name).split(","))))
        for host in found:
            if "/" in host:
                try:
                    ipaddress.ip_network(host)
                except ValueError:
                    self._fault(name, f"{host!r} is neither a host nor a CIDR")
        return found

    def mail(self, name: str) -> str:
        value = self.text(name)
        if value and "@" not in parseaddr(value)[1]:
            self._fault(name, f"{value!r} is not a mail address")
        if bool(value) != bool(self.text("SMTP_URL")):
            self._fault(name, "goes together with HOTLINE_SMTP_URL")
        return value

    def numbers(self, name: str) -> tuple[str, ...]:
        found = tuple(filter(None, (part.strip() for part in self.text(name).split(",")))) or ("12345",)
        for number in found:
            if not number.removeprefix("+").isdigit():
                self._fault(name, f"{number!r} is not a telephone number")
        return found

    def count(self, name: str) -> int:
        value = self.text(name) or "0"
        if not (value.isascii() and value.isdigit()):
            self._fault(name, f"{value!r} is not a number")
            return 0
        return int(value)

    def zone(self, name: str) -> str:
        value = self.text(name) or "Asia/Shanghai"
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            self._fault(name, f"{value!r} is not a time zone")
        return value
