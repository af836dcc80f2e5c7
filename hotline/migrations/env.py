"""Run by alembic with the connection ``hotline.migrations.run`` hands over."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from hotline.db import Encrypted, EncryptedJSON, UTCDateTime
from hotline.migrations.metadata import metadata
from hotline.migrations.run import BESIDE_THE_MODELS


def plain_types(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """Write what the database knows and not our own types, so that a migration outlives changes to the code."""
    if isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, Encrypted | EncryptedJSON):
        return "sa.LargeBinary()"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by making it anew
    render_item=plain_types,
    include_name=lambda name, _kind, _parents: name not in BESIDE_THE_MODELS,
)
with context.begin_transaction():
    context.run_migrations()
