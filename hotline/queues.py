"""Names of the queues and paths of the jobs, so that who enqueues need not import who works."""

from __future__ import annotations

from typing import Final

DISPATCH: Final = "dispatch"
CALLBACKS: Final = "callbacks"
UPKEEP: Final = "upkeep"

ALL: Final = (DISPATCH, CALLBACKS, UPKEEP)

# topic of an outbox row -> (queue, path of the job that takes the row's id)
JOB_OF_TOPIC: Final[dict[str, tuple[str, str]]] = {
    "order.push": (DISPATCH, "workers.dispatch.push_order"),
    "sms.send": (DISPATCH, "workers.dispatch.send_sms"),
    "call.connect": (DISPATCH, "workers.dispatch.connect_call"),
    "call.hang_up": (DISPATCH, "workers.dispatch.hang_up_leg"),
    "callback.open": (CALLBACKS, "workers.callbacks.open_callback"),
    "callback.dial": (CALLBACKS, "workers.callbacks.dial"),
    "order.evaluated": (CALLBACKS, "workers.callbacks.apply_evaluation"),
}

# a nudge tells the relay that rows are waiting; losing it costs only the wait for the next sweep
RELAY_CHANNEL: Final = "relay:nudge"
