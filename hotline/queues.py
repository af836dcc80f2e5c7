"""Names of the queues and paths of the jobs, so that who enqueues need not import who works."""

from __future__ import annotations

from typing import Final

CALLS: Final = "calls"  # a person is waiting on the line: never behind a slow delivery
DISPATCH: Final = "dispatch"
CALLBACKS: Final = "callbacks"
UPKEEP: Final = "upkeep"
IMPORTS: Final = "imports"  # minutes of work: nothing else may wait behind it

ALL: Final = (CALLS, DISPATCH, CALLBACKS, UPKEEP, IMPORTS)

# topic of an outbox row -> (queue, path of the job that takes the row's id)
JOB_OF_TOPIC: Final[dict[str, tuple[str, str]]] = {
    "call.connect": (CALLS, "workers.dispatch.connect_call"),
    "call.hang_up": (CALLS, "workers.dispatch.hang_up_leg"),
    "alarm.ring": (CALLS, "workers.alarms.ring"),
    "contact.dial": (CALLS, "workers.contacts.dial"),
    "order.push": (DISPATCH, "workers.dispatch.push_order"),
    "order.pass_on": (DISPATCH, "workers.dispatch.pass_on"),
    "sms.send": (DISPATCH, "workers.dispatch.send_sms"),
    "order.follow": (CALLBACKS, "workers.callbacks.follow_main"),
    "callback.open": (CALLBACKS, "workers.callbacks.open_callback"),
    "callback.withdraw": (CALLBACKS, "workers.callbacks.withdraw_callback"),
    "callback.dial": (CALLBACKS, "workers.callbacks.dial"),
    "order.evaluated": (CALLBACKS, "workers.callbacks.apply_evaluation"),
    "pin.locked": (CALLBACKS, "workers.staff.tell_locked"),
    "import.check": (IMPORTS, "workers.imports.check_file"),
    "import.write": (IMPORTS, "workers.imports.write_file"),
}

# a nudge tells the relay that rows are waiting; losing it costs only the wait for the next sweep
RELAY_CHANNEL: Final = "relay:nudge"
