"""``hotline unit-key``: what units' own systems sign with."""

from __future__ import annotations

from pathlib import Path

import click

from hotline import bootstrap
from hotline.accounts.service import SYSTEM
from hotline.clock import utc_now
from hotline.db import session_scope
from hotline.setup.env import EnvFile
from hotline.units import keys
from hotline.units import queries as units


def _runtime() -> bootstrap.Runtime:
    return bootstrap.build(EnvFile(Path(".env")).settings())


@click.group("unit-key")
def unit_key() -> None:
    """Keys of units' own systems."""


@unit_key.command()
@click.option("--unit", "unit_code", required=True, help="Code of the unit.")
def create(unit_code: str) -> None:
    """Make a key; its secret is shown this once."""
    with session_scope(_runtime().sessions) as session:
        unit = units.by_code(session, unit_code)
        key, secret = keys.create_key(session, unit=unit, actor=SYSTEM, now=utc_now())
    click.echo(f"key {key.key_id}\nsecret {secret}")


@unit_key.command("list")
@click.option("--unit", "unit_code", required=True, help="Code of the unit.")
def list_(unit_code: str) -> None:
    """Show a unit's keys, without their secrets."""
    with session_scope(_runtime().sessions) as session:
        for key in keys.keys_of(session, units.by_code(session, unit_code).id):
            state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "in use"
            click.echo(f"{key.key_id}  {key.created_at:%Y-%m-%d}  {state}")


@unit_key.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Let a key open nothing any more."""
    with session_scope(_runtime().sessions) as session:
        keys.revoke_key(session, key_id=key_id, actor=SYSTEM, now=utc_now())
    click.echo(f"revoked {key_id}")


@unit_key.command("webhook-secret")
@click.option("--unit", "unit_code", required=True, help="Code of the unit.")
def webhook_secret(unit_code: str) -> None:
    """Make a new secret for our pushes to the unit's address; shown this once, the old one ends."""
    with session_scope(_runtime().sessions) as session:
        unit = units.by_code(session, unit_code)
        click.echo(keys.new_webhook_secret(session, unit=unit, actor=SYSTEM, now=utc_now()))
