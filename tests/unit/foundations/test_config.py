"""Settings tell every fault at once and have no default secret."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from hotline.config import Settings, SettingsError

KEY = base64.b64encode(bytes(range(32))).decode()
GOOD = {
    "HOTLINE_PUBLIC_URL": "https://12345.example.gov.cn/",
    "HOTLINE_DATABASE_URL": "sqlite:///x.db",
    "HOTLINE_SECRET_KEY": "s" * 40,
    "HOTLINE_DATA_KEYS": f"k2:{KEY},k1:{KEY}",
    "HOTLINE_TWILIO_ACCOUNT_SID": "AC1",
    "HOTLINE_TWILIO_AUTH_TOKEN": "token",
    "HOTLINE_NUMBERS": "12345, 961890",
}


def test_complete_settings_are_read_and_streams_follow_the_public_url() -> None:
    settings = Settings.from_env(GOOD)
    assert settings.public_url == "https://12345.example.gov.cn"
    assert settings.media_url == "wss://12345.example.gov.cn"
    assert settings.numbers == ("12345", "961890")
    assert [key_id for key_id, _ in settings.data_keys] == ["k2", "k1"]
    assert settings.secure_cookies


def test_an_empty_environment_is_told_everything_that_is_missing_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({})
    named = {fault.split(":")[0] for fault in caught.value.faults}
    assert named == {f"HOTLINE_{name}" for name in (
        "PUBLIC_URL", "DATABASE_URL", "SECRET_KEY", "DATA_KEYS", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"
    )}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOTLINE_PUBLIC_URL", "12345.example.gov.cn"),
        ("HOTLINE_STREAM_URL", "https://example.gov.cn"),
        ("HOTLINE_SECRET_KEY", "short"),
        ("HOTLINE_DATA_KEYS", "k1:AAAA"),
        ("HOTLINE_DATA_KEYS", f"k1:{KEY},k1:{KEY}"),
        ("HOTLINE_REDIS_URL", "http://127.0.0.1"),
        ("HOTLINE_WEBHOOK_ALLOW", "10.0.0.0/99"),
        ("HOTLINE_NUMBERS", "12345,abc"),
        ("HOTLINE_TIMEZONE", "Mars/Olympus"),
        ("HOTLINE_TRUSTED_PROXIES", "-1"),
    ],
)
def test_each_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(GOOD | {name: value})
    assert any(fault.startswith(name + ":") for fault in caught.value.faults)


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    shown = repr(Settings.from_env(GOOD))
    assert "s" * 40 not in shown and KEY not in shown and "token'" not in shown


def test_the_example_file_names_every_setting() -> None:
    example = (Path(__file__).parents[3] / ".env.example").read_text()
    fields = {name for name in Settings.__dataclass_fields__ if name != "data_dir"} | {"data_dir"}
    missing = [name for name in sorted(fields) if f"HOTLINE_{name.upper()}=" not in example]
    assert missing == []
