"""Where the demo keeps its things and which addresses it takes."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
MODEL: Final = HERE / "vosk-model-demo-zh-8k"
VOICES: Final = HERE / "voices"
GUNICORN_CONF: Final = HERE.parents[1] / "gunicorn.conf.py"
LOOPBACK: Final = "127.0.0.1"
NUMBERS: Final = ("12345", "961890")
USUAL_PORTS: Final = {"web": 8000, "media": 8001, "exchange": 4020, "valkey": 6390}
ACCOUNT_SID: Final = "AC" + "0" * 24 + "12345678"
API_KEY_SID: Final = "SK" + "0" * 24 + "12345678"


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of the demo's servers."""

    web: int
    media: int
    exchange: int
    valkey: int


def choose_ports(*, usual: bool) -> Ports:
    """Return the usual ports where they are free (and wanted), free ones otherwise."""
    return Ports(**{name: _free_port(port if usual else 0) for name, port in USUAL_PORTS.items()})


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError:
            probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def load_secrets(folder: Path) -> dict[str, str]:
    """Return the demo's secrets, readable by this user alone (mode 0600): made on the first run, completed later."""
    path = folder / "secrets.json"
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    made = {
        "secret_key": secrets.token_urlsafe(48),
        "data_keys": "demo1:" + base64.b64encode(os.urandom(32)).decode(),
        "auth_token": secrets.token_hex(16),
        "api_key_secret": secrets.token_hex(16),
        "password": "demo-" + secrets.token_hex(4),
    }
    if made.keys() - found.keys():
        found = made | found
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(found, file)
    return found


def environment(folder: Path, ports: Ports, kept: Mapping[str, str], model: Path | None) -> dict[str, str]:
    """Return the environment every process of the demo runs in. Nothing of the caller's settings leaks in."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    return inherited | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "HOTLINE_PUBLIC_URL": f"http://{LOOPBACK}:{ports.web}",
        "HOTLINE_STREAM_URL": f"ws://{LOOPBACK}:{ports.media}",
        "HOTLINE_DATABASE_URL": f"sqlite:///{folder.resolve()}/hotline.db",
        "HOTLINE_REDIS_URL": f"redis://{LOOPBACK}:{ports.valkey}/0",
        "HOTLINE_SECRET_KEY": kept["secret_key"],
        "HOTLINE_DATA_KEYS": kept["data_keys"],
        "HOTLINE_DATA_DIR": str(folder.resolve()),
        "HOTLINE_SPEECH_MODEL": str(model.resolve()) if model else "",
        "HOTLINE_TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "HOTLINE_TWILIO_AUTH_TOKEN": kept["auth_token"],
        "HOTLINE_TWILIO_API_URL": f"http://{LOOPBACK}:{ports.exchange}",
        "HOTLINE_TWILIO_API_KEY": API_KEY_SID,
        "HOTLINE_TWILIO_API_SECRET": kept["api_key_secret"],
        "HOTLINE_NUMBERS": ",".join(NUMBERS),
        "EXCHANGE_AUTH_TOKEN": kept["auth_token"],
        "EXCHANGE_API_KEY_SECRET": kept["api_key_secret"],
    }


def recorded_callers() -> list[dict[str, Any]]:
    """Return the recorded callers: file, number, text and key words."""
    callers: list[dict[str, Any]] = json.loads((VOICES / "callers.json").read_text(encoding="utf-8"))
    return callers
