"""The ``hotline`` command: what an administrator does from a shell."""

from __future__ import annotations

import json
import sys
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, TextIO

import click
import requests
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from hotline import bootstrap, cli_callers, cli_city, cli_knowledge, cli_setup, cli_units, doctor
from hotline.accounts import service as accounts
from hotline.accounts.roles import UNITS, Role
from hotline.accounts.service import SYSTEM
from hotline.clock import utc_now
from hotline.config import Settings, SettingsError
from hotline.db import session_scope
from hotline.errors import HotlineError
from hotline.migrations import run as migrations
from hotline.reports import queries as reports
from hotline.setup.env import EnvFile
from hotline.speech.clips import read_wav, transcribe
from hotline.speech.models import OFFICIAL, ModelFault, check_model, install, install_from
from hotline.units import queries as units
from hotline.work_orders import anchors, derivation, journal, rules
from hotline.work_orders.derivation import Happening, What
from hotline.work_orders.limits import DEFAULT_PROFILE
from hotline.work_orders.visibility import visible_to

console = Console()


class Hotline(click.Group):
    """Turns expected errors into one sentence and exit code 1; anything else is a fault and shows itself."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except SettingsError as fault:
            raise click.ClickException("settings are not complete:\n  " + "\n  ".join(fault.faults)) from fault
        except (HotlineError, ModelFault) as fault:
            raise click.ClickException(str(fault)) from fault


def _settings() -> Settings:
    """Return the settings: the environment's, and those of ``.env`` in this folder below them."""
    return EnvFile(Path(".env")).settings()


def _runtime() -> bootstrap.Runtime:
    return bootstrap.build(_settings())


@click.group(cls=Hotline)
@click.version_option(package_name="hotline-12345")
def main() -> None:
    """An open-source 12345 government hotline."""


main.add_command(cli_callers.caller)
main.add_command(cli_city.import_)
main.add_command(cli_knowledge.kb)
main.add_command(cli_setup.setup)
main.add_command(cli_units.unit_key)


@main.group()
def db() -> None:
    """The database's tables."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the tables to the newest shape."""
    settings = _settings()
    before = migrations.current(settings.database_url)
    migrations.upgrade(settings.database_url)
    click.echo(f"{before or 'empty'} -> {migrations.current(settings.database_url)}")


@main.group()
def seed() -> None:
    """Data to begin with."""


@seed.command("demo")
@click.option("--password", required=True, help="Password of every demo user (at least 10 characters).")
def seed_demo(password: str) -> None:
    """Fill an empty database with the Hengshui demo city."""
    from hotline.demo import city  # noqa: PLC0415 - only this command needs the demo

    counts = city.seed(_runtime().sessions, password=password, now=utc_now())
    click.echo(", ".join(f"{name} {count}" for name, count in counts.items()))


@main.group()
def user() -> None:
    """People who log in."""


@user.command("create")
@click.argument("username")
@click.option("--name", "display_name", default="", help="Name shown on pages.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--unit", "unit_code", help="Code of the unit, for unit roles.")
@click.option("--seat", default="", help="Address of the seat's telephone, for operators.")
@click.password_option(help="Asked for when not given.")
def user_create(
    *, username: str, display_name: str, role: str, unit_code: str | None, seat: str, password: str
) -> None:
    """Add a user."""
    with session_scope(_runtime().sessions) as session:
        unit = units.by_code(session, unit_code) if unit_code else None
        accounts.create_user(
            session,
            username=username,
            display_name=display_name,
            password=password,
            role=role,
            unit_id=unit.id if unit else None,
            seat=seat,
            now=utc_now(),
        )
    click.echo(f"created {username}")


@main.group()
def token() -> None:
    """Bearer tokens of programs."""


@token.command("create")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--unit", "unit_code", help="Code of the unit, for unit roles.")
def token_create(role: str, unit_code: str | None) -> None:
    """Make a token for a program with a role (and unit) of its own; it is shown this once."""
    if (role in UNITS) != bool(unit_code):
        raise click.UsageError("unit roles take --unit CODE, others do not")
    now = utc_now()
    with session_scope(_runtime().sessions) as session:
        unit = units.by_code(session, unit_code) if unit_code else None
        made = accounts.create_program(session, role=role, unit_id=unit.id if unit else None, now=now)
        click.echo(accounts.create_token(session, user_id=made.id, now=now))


@main.group()
def speech() -> None:
    """Hearing."""


@speech.command("install")
@click.argument("name", type=click.Choice(["small-cn", "cn"]))
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="Default: models/ of the data folder.")
@click.option("--from", "archive", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its zip, here.")
@click.option("--md5", help="With --from: what the publisher lists for that zip.")
def speech_install(name: str, into: Path | None, archive: Path | None, md5: str | None) -> None:
    """Fetch an official model over TLS and check it; with --from take it from a file, for a closed network."""
    if (archive is None) != (md5 is None):
        raise click.UsageError("--from and --md5 go together")
    if archive is not None and archive.name != f"{OFFICIAL[name]}.zip":
        raise click.UsageError(f"{name} comes as {OFFICIAL[name]}.zip")
    target = into or _settings().data_dir / "models"
    if archive is not None and md5 is not None:
        click.echo(f"export HOTLINE_SPEECH_MODEL={install_from(archive, target, md5=md5)}")
        return
    with Progress(console=console) as bar:
        task = bar.add_task(name, total=None)
        path = install(name, target, progress=lambda done, total: bar.update(task, completed=done, total=total))
    click.echo(f"export HOTLINE_SPEECH_MODEL={path}")


@speech.command("transcribe")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def speech_transcribe(file: Path) -> None:
    """Write what the recogniser hears in a WAV file."""
    settings = _settings()
    check_model(settings.speech_model)
    try:
        sound = read_wav(file)
    except ValueError as fault:
        raise click.ClickException(str(fault)) from fault
    for heard in transcribe(bootstrap.load_speech(settings), sound):
        click.echo(f"{heard.start_ms / 1000:7.2f}  {heard.text}")


@main.command()
@click.option("--wav", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="What the caller says.")
@click.option("--say", help="Text of a recording the exchange has.")
@click.option("--press", multiple=True, help="Keys pressed afterwards.")
@click.option("--from", "caller", default="+8619900000001", show_default=True)
@click.option("--to", "dialled", default=None, help="Default: the first of HOTLINE_NUMBERS.")
def call(wav: Path | None, say: str | None, press: tuple[str, ...], caller: str, dialled: str | None) -> None:
    """Place a call through the local exchange (never the real carrier)."""
    settings = _settings()
    if not settings.twilio_api_url:
        raise click.UsageError("HOTLINE_TWILIO_API_URL names no exchange")
    if (wav is None) == (say is None):
        raise click.UsageError("give either --wav or --say")
    words: dict[str, object] = {"say_wav": str(wav.resolve())} if wav else {"say_text": say}
    script: list[dict[str, object]] = [{"wait_s": 1.0}, words]
    script += [{"press": keys} for keys in press]
    wanted: dict[str, Any] = {"from": caller, "to": dialled or settings.numbers[0], "script": script}
    answer = requests.post(f"{settings.twilio_api_url}/lab/calls", json=wanted, timeout=10)
    if not answer.ok:
        raise click.ClickException(f"the exchange refused: {answer.text}")
    click.echo(answer.json()["sid"])


@main.group()
def deadline() -> None:
    """Clocks of orders."""


@deadline.command("explain")
@click.option("--profile", default=DEFAULT_PROFILE, show_default=True)
@click.option("--type", "demand_type", default="help", show_default=True)
@click.option("--urgency", default="normal", show_default=True)
@click.option("--accepted", help="ISO moment, e.g. 2026-11-21T15:04+08:00")
@click.option("--hard", is_flag=True, help="疑难")
@click.option(
    "--event",
    "events",
    multiple=True,
    metavar="WHAT=ISO",
    help="What happened then, in order of time: pause, resume, redo, review or hard; extend=ISO is the date granted.",
)
@click.option("--order", "number", help="Explain this order by its own events instead.")
@click.option("--json", "as_json", is_flag=True)
def deadline_explain(
    *,
    profile: str,
    demand_type: str,
    urgency: str,
    accepted: str | None,
    hard: bool,
    events: tuple[str, ...],
    number: str | None,
    as_json: bool,
) -> None:
    """Derive a deadline line by line, of an example or of an order."""
    if (accepted is None) == (number is None):
        raise click.UsageError("give either --accepted or --order")
    runtime = _runtime()
    tz = runtime.settings.tz
    with session_scope(runtime.sessions) as session:  # the city's own days are read as it begins
        if number is not None:
            order = visible_to(session, SYSTEM, number)
            wanted, demand_type, urgency = rules.rules_of(order), order.demand_type, order.urgency
            story = derivation.happenings(order.events)
        else:
            wanted = rules.profile_of(session, profile)
            story = _story(accepted or "", events, hard=hard, tz=tz)
        found = derivation.explain(wanted, demand_type, urgency, story, runtime.calendar, tz)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for line in found["lines"]:
        click.echo(line)


def _story(accepted: str, events: tuple[str, ...], *, hard: bool, tz: tzinfo) -> list[Happening]:
    """Return what the options say happened; an extension was granted at the moment of what stands before it."""
    began = _moment("--accepted", accepted, tz)
    story = [Happening(What.ACCEPT, began), *([Happening(What.HARD, began)] if hard else [])]
    names = sorted(set(What) - {What.ACCEPT, What.RECOUNT})
    for event in events:
        name, _, at = event.partition("=")
        if name not in names:
            raise click.UsageError(f"--event: {event!r} is none of {', '.join(names)} followed by =ISO")
        moment = _moment("--event", at, tz)
        granted = name == What.EXTEND
        story.append(Happening(What(name), story[-1].at if granted else moment, moment if granted else None))
    return story


def _moment(option: str, written: str, tz: tzinfo) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as fault:
        raise click.UsageError(f"{option}: {written!r} is not an ISO moment") from fault
    return moment if moment.tzinfo else moment.replace(tzinfo=tz)


@main.group("journal")
def journal_group() -> None:
    """The chains of orders."""


@journal_group.command("verify")
@click.option("--against", type=click.File(encoding="utf-8"), help="Digests kept elsewhere (journal anchors).")
def journal_verify(against: TextIO | None) -> None:
    """Recompute every chain and every day's anchor; name what was touched or is gone and exit 1 if anything was."""
    kept = anchors.read_digests(against) if against else None
    with session_scope(_runtime().sessions) as session:
        faults = [*journal.verify(session), *anchors.verify(session, kept)]
    for fault in faults:
        click.echo(str(fault))
    if faults:
        sys.exit(1)
    click.echo("every chain is whole")


@journal_group.command("anchors")
def journal_anchors() -> None:
    """Write each day's digest, a line a day: keep it on another machine, and verify against it."""
    with session_scope(_runtime().sessions) as session:
        for day, digest in anchors.digests(session):
            click.echo(f"{day.isoformat()} {digest}")


@main.command()
@click.argument("day", required=False)
def figures(day: str | None) -> None:
    """Recount the figures of a DAY (2026-11-21), by default today."""
    runtime = _runtime()
    try:
        wanted = datetime.fromisoformat(day).date() if day else runtime.today()
    except ValueError as fault:
        raise click.UsageError(f"{day!r} is not a day like 2026-11-21") from fault
    start, end = reports.day_bounds(wanted, runtime.settings.tz)
    with session_scope(runtime.sessions) as session:
        queue = reports.queue_figures(session, start, end)
        demands = reports.demand_figures(session, start, end)
    table = Table("figure", "value", title=str(wanted))
    for name, value in (
        ("来电", demands.calls),
        ("进入排队", queue.offered),
        ("接通", queue.answered),
        ("放弃", queue.abandoned),
        ("K1 15秒接通率", _percent(queue.k1)),
        ("K1a 15秒应答率", _percent(queue.k1a)),
        ("K1b 15秒接通率（不计5秒内放弃）", _percent(queue.k1b)),
        ("K2 接通率", _percent(queue.k2)),
        ("受理", demands.accepted),
        ("K8 直接答复率", _percent(demands.k8)),
        ("转办", demands.ordered),
        ("办结", demands.closed),
    ):
        table.add_row(name, str(value))
    console.print(table)


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share * 100:.1f} %"


@main.command("doctor")
def doctor_() -> None:
    """Look at the settings and everything they name; exit 1 when calls cannot be served to their end."""
    runtime = _runtime()
    console.print("[green]✓[/] settings: complete", highlight=False)
    findings = doctor.examine(runtime)
    for found in findings:
        cli_setup.tell(found, runtime.settings.public_url)
    if any(found.state is doctor.State.MISSING for found in findings):
        sys.exit(1)
