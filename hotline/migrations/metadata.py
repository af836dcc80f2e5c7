"""Every mapped table, for migrations and for tests that build an empty database."""

from hotline import audit, outbox
from hotline.accounts import models as accounts
from hotline.calendars import models as calendars
from hotline.callers import models as callers
from hotline.calls import models as calls
from hotline.db import Base
from hotline.delivery import models as delivery
from hotline.follow_ups import models as follow_ups
from hotline.gazetteer import models as gazetteer
from hotline.knowledge_base import models as knowledge_base
from hotline.routing import models as routing
from hotline.units import models as units
from hotline.web import idempotency
from hotline.work_orders import anchors
from hotline.work_orders import models as work_orders

MODULES = (
    audit,
    outbox,
    accounts,
    calendars,
    units,
    knowledge_base,
    gazetteer,
    callers,
    calls,
    work_orders,
    routing,
    anchors,
    follow_ups,
    delivery,
    idempotency,
)
metadata = Base.metadata
