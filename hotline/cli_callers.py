"""``hotline caller``: what callers may ask for of their own data."""

from __future__ import annotations

from pathlib import Path

import click

from hotline import bootstrap
from hotline.accounts import queries as accounts
from hotline.accounts.service import SYSTEM, actor_of
from hotline.callers import queries as callers
from hotline.callers.models import Caller
from hotline.clock import utc_now
from hotline.db import session_scope
from hotline.errors import NotFound
from hotline.follow_ups import forgetting
from hotline.setup.env import EnvFile
from hotline.work_orders.visibility import visible_to


@click.group()
def caller() -> None:
    """Callers and what is kept of them."""


@caller.command()
@click.argument("order_no", required=False)
@click.option("--phone", "by_phone", is_flag=True, help="Everything of a number; asked for, so no history keeps it.")
@click.option("--as", "username", required=True, help="The administrator (ADM or SEC) who does it.")
@click.option("--reason", required=True, help="Why; it stays in the access log. Name nobody in it.")
@click.option("--yes", is_flag=True, help="Erase without asking.")
def erase(*, order_no: str | None, by_phone: bool, username: str, reason: str, yes: bool) -> None:
    """Forget for good who called about ORDER_NO, or everybody who called from a number."""
    if (order_no is None) != by_phone:
        raise click.UsageError("give either ORDER_NO or --phone")
    number = click.prompt("Number", hide_input=True) if by_phone else ""
    runtime = bootstrap.build(EnvFile(Path(".env")).settings())
    with session_scope(runtime.sessions) as session:
        user = accounts.by_username(session, username)
        if user is None or not user.active:
            raise NotFound(f"没有可用的用户 {username}")
        if order_no is None:
            found = [session.get_one(Caller, one) for one in callers.with_phone(session, number)]
        else:
            about = visible_to(session, SYSTEM, order_no).caller
            found = [about] if about is not None else []
        if not found:
            raise NotFound("没有可以删除的来电人信息")
        if not yes:
            click.confirm(f"Forget {len(found)} contacts for good?", abort=True)
        orders = forgetting.forget(session, callers=found, actor=actor_of(user), reason=reason, now=utc_now())
    click.echo(f"forgot {len(found)} contacts in {len(orders)} orders")
