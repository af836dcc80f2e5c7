"""Every mapped table, for migrations and for tests that build an empty database."""

from hotline import audit, outbox
from hotline.accounts import models as accounts
from hotline.alarms import models as alarms
from hotline.assets import models as assets
from hotline.calendars import models as calendars
from hotline.callers import models as callers
from hotline.calls import models as calls
from hotline.contacts import models as contacts
from hotline.db import Base
from hotline.delivery import models as delivery
from hotline.dial_in import models as dial_in
from hotline.follow_ups import models as follow_ups
from hotline.gazetteer import models as gazetteer
from hotline.knowledge_base import models as knowledge_base
from hotline.rosters import models as rosters
from hotline.routing import models as routing
from hotline.telephones import models as telephones
from hotline.units import models as units
from hotline.web import idempotency
from hotline.work_orders import anchors
from hotline.work_orders import models as work_orders
from hotline.work_orders.asks import models as asks

MODULES = (
    audit,
    outbox,
    accounts,
    calendars,
    units,
    knowledge_base,
    gazetteer,
    assets,
    callers,
    calls,
    work_orders,
    asks,
    routing,
    anchors,
    follow_ups,
    rosters,
    telephones,
    alarms,
    contacts,
    dial_in,
    delivery,
    idempotency,
)
metadata = Base.metadata
