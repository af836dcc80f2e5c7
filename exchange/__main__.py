"""`python -m exchange`: run one exchange until it is interrupted."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path

import click
from rich.console import Console

from .server import Exchange
from .settings import LOOPBACK_HOSTS, Number, Settings

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def _numbers(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, Number]:
    numbers = {}
    for one in given:
        number, _, base = one.partition("=")
        if not number or not base.startswith(("http://", "https://")):
            raise click.BadParameter(f"{one!r} is not NUMBER=http://ADDRESS")
        numbers[number] = Number.of_application(base)
    return numbers


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--port", type=click.IntRange(0, 65535), default=4020, show_default=True, help="0 takes a free one.")
@click.option("--account-sid", required=True, envvar="EXCHANGE_ACCOUNT_SID", help="AC and 32 hexadecimal digits.")
@click.option(
    "--auth-token", required=True, envvar="EXCHANGE_AUTH_TOKEN", show_envvar=True, help="Signs every webhook."
)
@click.option(
    "--number",
    "numbers",
    multiple=True,
    callback=_numbers,
    metavar="NUMBER=URL",
    help="A dialled number and the application behind it (URL/ivr/voice, /ivr/fallback, /ivr/status, /ivr/message). "
    "Repeatable; PUT /lab/numbers sets any other addresses.",
)
@click.option("--prompts", type=FOLDER, help="Announcements for <Say>: pairs NAME.wav and NAME.txt, 8 kHz mono.")
@click.option("--media-dir", "media_dirs", type=FOLDER, multiple=True, help="Handsets may play WAV files from here.")
@click.option("--callers", type=FOLDER, help="Recorded citizens for the telephone page, inside a media folder.")
@click.option("--speak-speed", type=float, default=1.0, show_default=True, help="Speak that many times faster.")
@click.option("--webhook-budget", type=float, default=15.0, show_default=True, help="Seconds for one webhook in all.")
@click.option(
    "--stream-insecure-host",
    "insecure",
    multiple=True,
    help="A further host whose wss:// streams are dialled without TLS (loopback always is).",
)
@click.option("--api-key-sid", default="", envvar="EXCHANGE_API_KEY_SID", help="Key of headsets' access tokens.")
@click.option(
    "--api-key-secret", default="", envvar="EXCHANGE_API_KEY_SECRET", show_envvar=True, help="Its secret; checks them."
)
@click.option(
    "--origin", "origins", multiple=True, metavar="ORIGIN", help="Pages from there may be headsets. Repeatable."
)
@click.option("--notice", default="", help="A line for the telephone page, such as which speech model is used.")
def main(
    *,
    port: int,
    account_sid: str,
    auth_token: str,
    numbers: dict[str, Number],
    prompts: Path | None,
    media_dirs: tuple[Path, ...],
    callers: Path | None,
    speak_speed: float,
    webhook_budget: float,
    insecure: tuple[str, ...],
    api_key_sid: str,
    api_key_secret: str,
    origins: tuple[str, ...],
    notice: str,
) -> None:
    """A small telephone exchange on 127.0.0.1 that behaves toward an application as Twilio does."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    try:
        exchange = Exchange(
            Settings(
                account_sid=account_sid,
                auth_token=auth_token,
                port=port,
                numbers=numbers,
                prompts=prompts,
                media_dirs=media_dirs,
                callers_dir=callers,
                webhook_budget_s=webhook_budget,
                speak_speed=speak_speed,
                stream_insecure_hosts=LOOPBACK_HOSTS | frozenset(insecure),
                api_key_sid=api_key_sid,
                api_key_secret=api_key_secret,
                origins=frozenset(origins),
                notice=notice,
            )
        )
    except (ValueError, OSError) as fault:
        raise click.ClickException(str(fault)) from fault

    stopped = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda number, frame: stopped.set())
    say = Console(stderr=True, highlight=False, soft_wrap=True).print
    with exchange:
        say(f"exchange: [bold]{exchange.url}[/] telephone page, REST API and /lab")
        stopped.wait()
        say("exchange: hanging up")


if __name__ == "__main__":
    main()
