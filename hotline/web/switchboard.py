"""What follows a committed change of the queue: offers are made, lines are joined, screens are told.

Shared by whoever changes something: the callers' webhooks, the operators' desk.
"""

from __future__ import annotations

from collections.abc import Iterable

from hotline.calls import assignment, bridging
from hotline.calls.assignment import Round
from hotline.calls.bridging import Bridged
from hotline.calls.links import Links
from hotline.live.base import Hint
from hotline.web.context import runtime, transaction


def tell(*hints: Hint) -> None:
    """Tell the screens; a bus that is down is no fault of the change."""
    bus = runtime().bus
    for hint in hints:
        bus.publish(hint)


def tell_desks(user_ids: Iterable[int], kind: str) -> None:
    """Tell these operators' desks that something of this kind (``offer``, ``presence``, ``call``) changed."""
    tell(*(Hint(f"desk-{user_id}", kind) for user_id in user_ids))


def tell_call(call_id: int) -> None:
    """Tell whoever watches the call, or the queue, that its state changed."""
    tell(Hint(f"call-{call_id}", "state"), Hint("queue", "changed"))


def assign() -> Round:
    """Offer waiting calls to ready operators in a transaction of its own, and tell their desks."""
    with transaction() as session:
        made = assignment.run(session, now=runtime().now())
    for offer in made.offers:
        tell(Hint(f"desk-{offer.user_id}", "offer"))
        tell_call(offer.call_id)
    tell_desks(made.sent_away, "presence")
    return made


def act_now(message_id: int) -> Bridged | None:
    """Ring, join or hang up at once for a row this request committed; the worker does it if this process dies.

    When the lines could not be joined, the call is first in line again, is offered anew, and the operator's desk is
    told: ``Bridged.message`` has the words.
    """
    run = runtime()
    done = bridging.run_now(
        run.sessions, run.telephony, Links(run.settings.public_url), message_id=message_id, now_fn=run.now
    )
    if done is not None and not done.ok:
        tell_call(done.call_id)
        if done.user_id is not None:
            tell_desks([done.user_id], "line-fault")
        assign()
    return done
