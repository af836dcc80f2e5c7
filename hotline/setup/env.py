"""The file of settings: read as it is, completed answer by answer, never changed where something stands."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import redis
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from hotline.config import Settings, SettingsError
from hotline.db import make_engine
from hotline.setup.asking import Asking, WrongAnswer

EXCHANGE: Final = "http://127.0.0.1:4020"
HERE: Final = "http://127.0.0.1:8000"
PATIENCE_S: Final = 2.0
# what the exchange reads of the same file -> the setting that says it to us
OF_THE_EXCHANGE: Final = {
    "EXCHANGE_ACCOUNT_SID": "HOTLINE_TWILIO_ACCOUNT_SID",
    "EXCHANGE_AUTH_TOKEN": "HOTLINE_TWILIO_AUTH_TOKEN",
    "EXCHANGE_API_KEY_SID": "HOTLINE_TWILIO_API_KEY",
    "EXCHANGE_API_KEY_SECRET": "HOTLINE_TWILIO_API_SECRET",
}


def read_env(path: Path) -> dict[str, str]:
    """Return the values of a file of NAME=VALUE lines; nothing where there is no file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, value in pairs if value.strip()}


@dataclass
class EnvFile:
    """The file and what is in force: its values under those of the environment."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def values(self) -> dict[str, str]:
        """Return what is in force now."""
        return read_env(self.path) | dict(self.environment)

    def settings(self) -> Settings:
        """Return the settings in force. Raises ``SettingsError``."""
        return Settings.from_env(self.values())

    def keep(self, name: str, value: str) -> None:
        """Put a value at the end of the file, which only its owner can read: the last one of a name counts."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
            self.path.chmod(0o600)
            file.seek(0)
            whole = file.read()
            file.write(f"{'' if whole.endswith(chr(10)) or not whole else chr(10)}{name}={value}\n")


def complete(file: EnvFile, ask: Asking) -> Settings:
    """Return the settings; each that is missing or wrong is made or asked for, and kept at once.

    Raises ``SettingsError`` when the environment, which nobody here can change, holds a wrong one.
    """

    def lacks(name: str) -> bool:
        return bool(_fault(file.values(), name)) and name not in file.environment

    def want(name: str, value: Callable[[], str]) -> None:
        if lacks(name):
            file.keep(name, value())

    def asked(
        name: str, question: str, default: str | None, *checks: Callable[[str], None], secret: bool = False
    ) -> None:
        def check(said: str) -> str:
            if told := _fault(file.values() | {name: said}, name):
                raise WrongAnswer(told)
            for one in checks:
                one(said)
            return said

        key = name.removeprefix("HOTLINE_").lower()
        want(name, lambda: ask.word(key, question, check=check, default=default, secret=secret))

    want("HOTLINE_SECRET_KEY", lambda: secrets.token_urlsafe(48))
    want("HOTLINE_DATA_KEYS", lambda: "k1:" + base64.b64encode(os.urandom(32)).decode())
    asked("HOTLINE_PUBLIC_URL", "市民和工作人员访问的网址", HERE)
    asked("HOTLINE_DATABASE_URL", "数据库", f"sqlite:///{Path('hotline.db').resolve()}", _opens)
    if not file.values().get("HOTLINE_REDIS_URL"):
        file.keep(
            "HOTLINE_REDIS_URL",
            ask.word("redis_url", "Redis", check=_redis_url(ask), default="redis://127.0.0.1:6379/0"),
        )
    if not file.values().get("HOTLINE_NUMBERS"):
        asked_numbers = ask.word(
            "numbers", "热线号码（几个用逗号隔开）", check=_checked("HOTLINE_NUMBERS"), default="12345"
        )
        file.keep("HOTLINE_NUMBERS", asked_numbers)
    if lacks("HOTLINE_TWILIO_ACCOUNT_SID"):
        if ask.may("exchange", "先用本机的模拟交换机（n：填写运营商账号）？", default=True, unasked=True):
            _use_exchange(file)
        else:
            asked("HOTLINE_TWILIO_ACCOUNT_SID", "运营商账号 SID", None)
    asked("HOTLINE_TWILIO_AUTH_TOKEN", "运营商令牌", None, secret=True)
    _sockets_of_this_machine(file)
    return file.settings()


def _fault(values: Mapping[str, str], name: str) -> str:
    """Return what is wrong with one setting, empty when nothing is."""
    try:
        Settings.from_env(values)
    except SettingsError as fault:
        told = [one.removeprefix(f"{name}: ") for one in fault.faults if one.startswith(f"{name}:")]
        return told[0] if told else ""
    return ""


def _checked(name: str) -> Callable[[str], str]:
    def check(said: str) -> str:
        if told := _fault({name: said}, name):
            raise WrongAnswer(told)
        return said

    return check


def _opens(url: str) -> None:
    """Refuse a database that does not answer."""
    try:
        engine = make_engine(url)
        with engine.connect():
            pass
        engine.dispose()
    except (ArgumentError, SQLAlchemyError, ImportError) as fault:
        raise WrongAnswer(f"连不上：{str(fault).splitlines()[0]}") from fault


def _redis_url(ask: Asking) -> Callable[[str], str]:
    """Refuse what is no address of Redis; one that does not answer yet is taken where nobody can start it now."""
    well_formed = _checked("HOTLINE_REDIS_URL")

    def check(said: str) -> str:
        url = well_formed(said)
        try:
            redis.Redis.from_url(url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S).ping()
        except (redis.RedisError, ValueError) as fault:
            if not ask.yes:
                raise WrongAnswer(f"连不上：{fault}。请先启动 Redis，或换一个地址") from fault
        return url

    return check


def _use_exchange(file: EnvFile) -> None:
    made = {
        "HOTLINE_TWILIO_ACCOUNT_SID": "AC" + secrets.token_hex(16),
        "HOTLINE_TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "HOTLINE_TWILIO_API_KEY": "SK" + secrets.token_hex(16),
        "HOTLINE_TWILIO_API_SECRET": secrets.token_hex(16),
        "HOTLINE_TWILIO_API_URL": EXCHANGE,
    }
    there = file.values()
    for name, value in made.items():
        if not there.get(name):
            file.keep(name, value)
    there = file.values()
    for name, source in OF_THE_EXCHANGE.items():
        if not there.get(name):
            file.keep(name, there[source])


def _sockets_of_this_machine(file: EnvFile) -> None:
    """Without a proxy in front, callers' sound goes to a port of its own: the next one."""
    parts = urlsplit(file.values()["HOTLINE_PUBLIC_URL"])
    if parts.scheme == "http" and parts.port and not file.values().get("HOTLINE_STREAM_URL"):
        file.keep("HOTLINE_STREAM_URL", f"ws://{parts.hostname}:{parts.port + 1}")
        file.keep("HOTLINE_WEB_PORT", str(parts.port))  # for Procfile.small
        file.keep("HOTLINE_MEDIA_PORT", str(parts.port + 1))


def exchange_command(settings: Settings) -> str:
    """Return the command that starts the exchange these settings name."""
    numbers = " ".join(f"--number {number}={settings.public_url}" for number in settings.numbers)
    port = urlsplit(settings.twilio_api_url).port or 80
    voices = "hotline/demo/voices"
    return (
        f"set -a; . ./.env; set +a; .venv/bin/python -m exchange --port {port} {numbers} "
        f"--origin {settings.public_url} --prompts {voices}/prompts --callers {voices}/callers --media-dir {voices}"
    )
