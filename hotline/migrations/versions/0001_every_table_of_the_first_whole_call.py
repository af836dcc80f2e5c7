"""Every table of the first whole call."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "callers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.String(length=80), nullable=True),
        sa.Column("phone_mask", sa.String(length=20), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        sa.Column("contact_index", sa.String(length=80), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callers")),
    )
    op.create_index(
        "ix_callers_contact_index",
        "callers",
        ["contact_index"],
        unique=False,
        sqlite_where=sa.text("contact_index IS NOT NULL"),
        postgresql_where=sa.text("contact_index IS NOT NULL"),
    )
    op.create_index(op.f("ix_callers_phone_index"), "callers", ["phone_index"], unique=False)
    op.create_table(
        "categories",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("parent_code", sa.String(length=20), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint("code", name=op.f("uq_categories_code")),
    )
    op.create_table(
        "city_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_city_days")),
    )
    op.create_table(
        "deadline_profiles",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("active_from", sa.Date(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_deadline_profiles")),
    )
    op.create_index(op.f("ix_deadline_profiles_active_from"), "deadline_profiles", ["active_from"], unique=False)
    op.create_table(
        "dialled_numbers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("greeting", sa.Text(), nullable=False),
        sa.Column("skill", sa.String(length=40), nullable=False),
        sa.Column("subjects", sa.JSON(), nullable=False),
        sa.Column("hours", sa.JSON(), nullable=False),
        sa.Column("closed", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialled_numbers")),
        sa.UniqueConstraint("number", name=op.f("uq_dialled_numbers_number")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("route", sa.String(length=300), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("asked", sa.String(length=120), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_idempotency_keys_user_id_key")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "message_texts",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_message_texts")),
    )
    op.create_table(
        "order_counters",
        sa.Column("month", sa.String(length=4), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_order_counters")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("token", name=op.f("uq_outbox_token")),
    )
    op.create_index("ix_outbox_due", "outbox", ["settled_at", "next_try_at"], unique=False)
    op.create_index(
        "ix_outbox_failed",
        "outbox",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("failed"),
        sqlite_where=sa.text("failed"),
    )
    op.create_index(op.f("ix_outbox_topic"), "outbox", ["topic"], unique=False)
    op.create_table(
        "units",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("path", sa.String(length=100), nullable=False),
        sa.Column("area_code", sa.String(length=12), nullable=False),
        sa.Column("duty_phone", sa.LargeBinary(), nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["units.id"], name=op.f("fk_units_parent_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
        sa.UniqueConstraint("code", name=op.f("uq_units_code")),
    )
    op.create_index(op.f("ix_units_parent_id"), "units", ["parent_id"], unique=False)
    op.create_index(op.f("ix_units_path"), "units", ["path"], unique=False)
    op.create_table(
        "webhook_receipts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_receipts")),
        sa.UniqueConstraint("key", name=op.f("uq_webhook_receipts_key")),
    )
    op.create_index(op.f("ix_webhook_receipts_at"), "webhook_receipts", ["at"], unique=False)
    op.create_table(
        "kb_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("spoken", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("owner_unit_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("change_seq", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_unit_id"], ["units.id"], name=op.f("fk_kb_entries_owner_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_entries")),
        sa.UniqueConstraint("code", name=op.f("uq_kb_entries_code")),
    )
    op.create_index(op.f("ix_kb_entries_category"), "kb_entries", ["category"], unique=False)
    op.create_index(op.f("ix_kb_entries_change_seq"), "kb_entries", ["change_seq"], unique=False)
    op.create_index(op.f("ix_kb_entries_owner_unit_id"), "kb_entries", ["owner_unit_id"], unique=False)
    op.create_table(
        "places",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.String(length=12), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["county_id"], ["units.id"], name=op.f("fk_places_county_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_places")),
        sa.UniqueConstraint("name", "kind", "county_id", name=op.f("uq_places_name_kind_county_id")),
    )
    op.create_index(op.f("ix_places_county_id"), "places", ["county_id"], unique=False)
    op.create_table(
        "responsibility_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("matter", sa.String(length=100), nullable=False),
        sa.Column("category_code", sa.String(length=20), nullable=False),
        sa.Column("lead_unit_id", sa.Integer(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["lead_unit_id"], ["units.id"], name=op.f("fk_responsibility_lines_lead_unit_id_units")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responsibility_lines")),
        sa.UniqueConstraint("version", "code", name=op.f("uq_responsibility_lines_version_code")),
    )
    op.create_index(
        op.f("ix_responsibility_lines_category_code"), "responsibility_lines", ["category_code"], unique=False
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=40), nullable=False),
        sa.Column("display_name", sa.String(length=40), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=4), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("seat", sa.String(length=20), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("must_set_password", sa.Boolean(), nullable=False),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_users_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    op.create_index(op.f("ix_users_unit_id"), "users", ["unit_id"], unique=False)
    op.create_table(
        "access_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_access_log_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
    )
    op.create_index("ix_access_log_subject", "access_log", ["subject", "subject_id"], unique=False)
    op.create_index(op.f("ix_access_log_user_id"), "access_log", ["user_id"], unique=False)
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_table(
        "calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.String(length=64), nullable=False),
        sa.Column("dialled", sa.String(length=20), nullable=False),
        sa.Column("number_id", sa.Integer(), nullable=True),
        sa.Column("caller_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("skill", sa.String(length=40), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("place_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offered_to_id", sa.Integer(), nullable=True),
        sa.Column("operator_id", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("suggested", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["caller_id"], ["callers.id"], name=op.f("fk_calls_caller_id_callers")),
        sa.ForeignKeyConstraint(["number_id"], ["dialled_numbers.id"], name=op.f("fk_calls_number_id_dialled_numbers")),
        sa.ForeignKeyConstraint(["offered_to_id"], ["users.id"], name=op.f("fk_calls_offered_to_id_users")),
        sa.ForeignKeyConstraint(["operator_id"], ["users.id"], name=op.f("fk_calls_operator_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_calls_provider_id")),
    )
    op.create_index(op.f("ix_calls_caller_id"), "calls", ["caller_id"], unique=False)
    op.create_index(
        "ix_calls_operator_id",
        "calls",
        ["operator_id"],
        unique=False,
        sqlite_where=sa.text("operator_id IS NOT NULL"),
        postgresql_where=sa.text("operator_id IS NOT NULL"),
    )
    op.create_index(
        "ix_calls_queue",
        "calls",
        ["state", "place_at"],
        unique=False,
        sqlite_where=sa.text("place_at IS NOT NULL"),
        postgresql_where=sa.text("place_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_calls_started_at"), "calls", ["started_at"], unique=False)
    op.create_table(
        "kb_changes",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["kb_entries.id"], name=op.f("fk_kb_changes_entry_id_kb_entries")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_kb_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_kb_changes_entry_id"), "kb_changes", ["entry_id"], unique=False)
    op.create_table(
        "kb_similar_questions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["kb_entries.id"], name=op.f("fk_kb_similar_questions_entry_id_kb_entries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_similar_questions")),
    )
    op.create_index(op.f("ix_kb_similar_questions_entry_id"), "kb_similar_questions", ["entry_id"], unique=False)
    op.create_table(
        "place_names",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("sound", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_place_names_place_id_places")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_names")),
    )
    op.create_index(op.f("ix_place_names_place_id"), "place_names", ["place_id"], unique=False)
    op.create_index(op.f("ix_place_names_sound"), "place_names", ["sound"], unique=False)
    op.create_table(
        "call_legs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("track", sa.String(length=10), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("provider_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stream_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stream_ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("frames_dropped", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_legs_call_id_calls")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_call_legs_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_legs")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_call_legs_provider_id")),
    )
    op.create_index(op.f("ix_call_legs_call_id"), "call_legs", ["call_id"], unique=False)
    op.create_table(
        "kb_suggestions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("matched", sa.JSON(), nullable=False),
        sa.Column("first_rank", sa.Integer(), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("marked_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_kb_suggestions_call_id_calls")),
        sa.ForeignKeyConstraint(["entry_id"], ["kb_entries.id"], name=op.f("fk_kb_suggestions_entry_id_kb_entries")),
        sa.ForeignKeyConstraint(["marked_by"], ["users.id"], name=op.f("fk_kb_suggestions_marked_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_suggestions")),
        sa.UniqueConstraint("call_id", "entry_id", name=op.f("uq_kb_suggestions_call_id_entry_id")),
    )
    op.create_index("ix_kb_suggestions_entry_id_state", "kb_suggestions", ["entry_id", "state"], unique=False)
    op.create_table(
        "presence_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("from_state", sa.String(length=10), nullable=False),
        sa.Column("to_state", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_presence_events_call_id_calls")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_presence_events_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presence_events")),
    )
    op.create_index(op.f("ix_presence_events_at"), "presence_events", ["at"], unique=False)
    op.create_index(op.f("ix_presence_events_user_id"), "presence_events", ["user_id"], unique=False)
    op.create_table(
        "presences",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("desk", sa.String(length=32), nullable=False),
        sa.Column("desk_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("call_id", sa.Integer(), nullable=True),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_presences_call_id_calls")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_presences_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_presences")),
    )
    op.create_index(op.f("ix_presences_state"), "presences", ["state"], unique=False)
    op.create_table(
        "queue_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_queue_events_call_id_calls")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_queue_events_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_events")),
    )
    op.create_index(op.f("ix_queue_events_at"), "queue_events", ["at"], unique=False)
    op.create_index(op.f("ix_queue_events_call_id"), "queue_events", ["call_id"], unique=False)
    op.create_table(
        "work_orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_no", sa.String(length=16), nullable=False),
        sa.Column("receipt_code", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("source_channel", sa.String(length=10), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=True),
        sa.Column("caller_id", sa.Integer(), nullable=True),
        sa.Column("operator_id", sa.Integer(), nullable=True),
        sa.Column("assisted", sa.Boolean(), nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("caller_kind", sa.String(length=10), nullable=False),
        sa.Column("read_back_ok", sa.Boolean(), nullable=False),
        sa.Column("callback_wanted", sa.Boolean(), nullable=False),
        sa.Column("demand_type", sa.String(length=12), nullable=False),
        sa.Column("category_code", sa.String(length=20), nullable=False),
        sa.Column("urgency", sa.String(length=10), nullable=False),
        sa.Column("hard", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("desired_result", sa.Text(), nullable=False),
        sa.Column("area_code", sa.String(length=12), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("event_time", sa.String(length=60), nullable=False),
        sa.Column("accused_name", sa.LargeBinary(), nullable=True),
        sa.Column("accused_phone", sa.LargeBinary(), nullable=True),
        sa.Column("touched", sa.JSON(), nullable=False),
        sa.Column("answer_entry_id", sa.Integer(), nullable=True),
        sa.Column("no_entry_reason", sa.String(length=200), nullable=False),
        sa.Column("profile", sa.String(length=40), nullable=False),
        sa.Column("clock_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("original_deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_provisional", sa.Boolean(), nullable=False),
        sa.Column("step_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lead_unit_id", sa.Integer(), nullable=True),
        sa.Column("responsibility_line_id", sa.Integer(), nullable=True),
        sa.Column("dispatch_advice", sa.Text(), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dispatch_count", sa.Integer(), nullable=False),
        sa.Column("return_count", sa.Integer(), nullable=False),
        sa.Column("redo_count", sa.Integer(), nullable=False),
        sa.Column("returnable", sa.Boolean(), nullable=False),
        sa.Column("supervision", sa.String(length=10), nullable=False),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.Column("first_satisfaction", sa.String(length=16), nullable=False),
        sa.Column("final_satisfaction", sa.String(length=16), nullable=False),
        sa.Column("final_solved", sa.String(length=16), nullable=False),
        sa.Column("close_kind", sa.String(length=24), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_entry_id"], ["kb_entries.id"], name=op.f("fk_work_orders_answer_entry_id_kb_entries")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_work_orders_call_id_calls")),
        sa.ForeignKeyConstraint(["caller_id"], ["callers.id"], name=op.f("fk_work_orders_caller_id_callers")),
        sa.ForeignKeyConstraint(["lead_unit_id"], ["units.id"], name=op.f("fk_work_orders_lead_unit_id_units")),
        sa.ForeignKeyConstraint(
            ["merged_into_id"], ["work_orders.id"], name=op.f("fk_work_orders_merged_into_id_work_orders")
        ),
        sa.ForeignKeyConstraint(["operator_id"], ["users.id"], name=op.f("fk_work_orders_operator_id_users")),
        sa.ForeignKeyConstraint(
            ["responsibility_line_id"],
            ["responsibility_lines.id"],
            name=op.f("fk_work_orders_responsibility_line_id_responsibility_lines"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_orders")),
        sa.UniqueConstraint("order_no", name=op.f("uq_work_orders_order_no")),
    )
    op.create_index(op.f("ix_work_orders_call_id"), "work_orders", ["call_id"], unique=False)
    op.create_index(op.f("ix_work_orders_caller_id"), "work_orders", ["caller_id"], unique=False)
    op.create_index(op.f("ix_work_orders_closed_at"), "work_orders", ["closed_at"], unique=False)
    op.create_index(op.f("ix_work_orders_created_at"), "work_orders", ["created_at"], unique=False)
    op.create_index(op.f("ix_work_orders_deadline_at"), "work_orders", ["deadline_at"], unique=False)
    op.create_index(op.f("ix_work_orders_lead_unit_id"), "work_orders", ["lead_unit_id"], unique=False)
    op.create_index(op.f("ix_work_orders_operator_id"), "work_orders", ["operator_id"], unique=False)
    op.create_index(op.f("ix_work_orders_status"), "work_orders", ["status"], unique=False)
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("officer_id", sa.Integer(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["officer_id"], ["users.id"], name=op.f("fk_callbacks_officer_id_users")),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_callbacks_order_id_work_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
        sa.UniqueConstraint("order_id", "round", name=op.f("uq_callbacks_order_id_round")),
    )
    op.create_index(op.f("ix_callbacks_state"), "callbacks", ["state"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("outbox_id", sa.Integer(), nullable=True),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("receipt", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_deliveries_order_id_work_orders")),
        sa.ForeignKeyConstraint(
            ["outbox_id"], ["outbox.id"], name=op.f("fk_deliveries_outbox_id_outbox"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_deliveries_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("outbox_id", name=op.f("uq_deliveries_outbox_id")),
    )
    op.create_index(op.f("ix_deliveries_order_id"), "deliveries", ["order_id"], unique=False)
    op.create_index(op.f("ix_deliveries_receipt"), "deliveries", ["receipt"], unique=False)
    op.create_index(op.f("ix_deliveries_state"), "deliveries", ["state"], unique=False)
    op.create_table(
        "holder_spans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=8), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_holder_spans_order_id_work_orders")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_holder_spans_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holder_spans")),
    )
    op.create_index(op.f("ix_holder_spans_order_id"), "holder_spans", ["order_id"], unique=False)
    op.create_table(
        "order_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column("from_status", sa.String(length=20), nullable=False),
        sa.Column("to_status", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_user_id", sa.Integer(), nullable=True),
        sa.Column("actor_role", sa.String(length=4), nullable=False),
        sa.Column("actor_unit_id", sa.Integer(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=True),
        sa.Column("private_salt", sa.LargeBinary(), nullable=True),
        sa.Column("private_commitment", sa.String(length=64), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["actor_unit_id"], ["units.id"], name=op.f("fk_order_events_actor_unit_id_units")),
        sa.ForeignKeyConstraint(["actor_user_id"], ["users.id"], name=op.f("fk_order_events_actor_user_id_users")),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_order_events_order_id_work_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_events")),
        sa.UniqueConstraint("order_id", "seq", name=op.f("uq_order_events_order_id_seq")),
    )
    op.create_table(
        "sub_orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sign_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signer_id", sa.Integer(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_sub_orders_order_id_work_orders")),
        sa.ForeignKeyConstraint(["parent_id"], ["sub_orders.id"], name=op.f("fk_sub_orders_parent_id_sub_orders")),
        sa.ForeignKeyConstraint(["signer_id"], ["users.id"], name=op.f("fk_sub_orders_signer_id_users")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_sub_orders_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sub_orders")),
    )
    op.create_index(op.f("ix_sub_orders_order_id"), "sub_orders", ["order_id"], unique=False)
    op.create_index("ix_sub_orders_unit_id_state", "sub_orders", ["unit_id", "state"], unique=False)
    op.create_table(
        "utterances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("leg_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("track", sa.String(length=10), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("start_ms", sa.Integer(), nullable=False),
        sa.Column("end_ms", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_utterances_call_id_calls")),
        sa.ForeignKeyConstraint(["leg_id"], ["call_legs.id"], name=op.f("fk_utterances_leg_id_call_legs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_utterances")),
        sa.UniqueConstraint("key", name=op.f("uq_utterances_key")),
    )
    op.create_index("ix_utterances_call_id_start_ms", "utterances", ["call_id", "start_ms"], unique=False)
    op.create_table(
        "callback_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("callback_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("officer_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=False),
        sa.Column("citizen_provider_id", sa.String(length=64), nullable=True),
        sa.Column("officer_provider_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callbacks.id"], name=op.f("fk_callback_attempts_callback_id_callbacks")
        ),
        sa.ForeignKeyConstraint(["officer_id"], ["users.id"], name=op.f("fk_callback_attempts_officer_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_attempts")),
        sa.UniqueConstraint("citizen_provider_id", name=op.f("uq_callback_attempts_citizen_provider_id")),
        sa.UniqueConstraint("officer_provider_id", name=op.f("uq_callback_attempts_officer_provider_id")),
    )
    op.create_index(op.f("ix_callback_attempts_callback_id"), "callback_attempts", ["callback_id"], unique=False)
    op.create_table(
        "evaluations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("callback_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("satisfaction", sa.String(length=16), nullable=False),
        sa.Column("solved", sa.String(length=12), nullable=False),
        sa.Column("contacted", sa.Boolean(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("comment", sa.LargeBinary(), nullable=True),
        sa.Column("officer_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name=op.f("fk_evaluations_callback_id_callbacks")),
        sa.ForeignKeyConstraint(["officer_id"], ["users.id"], name=op.f("fk_evaluations_officer_id_users")),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_evaluations_order_id_work_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
        sa.UniqueConstraint("callback_id", name=op.f("uq_evaluations_callback_id")),
    )
    op.create_index(op.f("ix_evaluations_order_id"), "evaluations", ["order_id"], unique=False)
    op.create_table(
        "reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("sub_order_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("contacted", sa.Boolean(), nullable=False),
        sa.Column("contacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contact_way", sa.String(length=40), nullable=False),
        sa.Column("solved", sa.String(length=12), nullable=False),
        sa.Column("unsolved_reason", sa.String(length=200), nullable=False),
        sa.Column("public_reply", sa.Text(), nullable=False),
        sa.Column("process", sa.LargeBinary(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_reports_order_id_work_orders")),
        sa.ForeignKeyConstraint(["sub_order_id"], ["sub_orders.id"], name=op.f("fk_reports_sub_order_id_sub_orders")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_reports_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    op.create_index(op.f("ix_reports_order_id"), "reports", ["order_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_reports_order_id"), table_name="reports")
    op.drop_table("reports")
    op.drop_index(op.f("ix_evaluations_order_id"), table_name="evaluations")
    op.drop_table("evaluations")
    op.drop_index(op.f("ix_callback_attempts_callback_id"), table_name="callback_attempts")
    op.drop_table("callback_attempts")
    op.drop_index("ix_utterances_call_id_start_ms", table_name="utterances")
    op.drop_table("utterances")
    op.drop_index("ix_sub_orders_unit_id_state", table_name="sub_orders")
    op.drop_index(op.f("ix_sub_orders_order_id"), table_name="sub_orders")
    op.drop_table("sub_orders")
    op.drop_table("order_events")
    op.drop_index(op.f("ix_holder_spans_order_id"), table_name="holder_spans")
    op.drop_table("holder_spans")
    op.drop_index(op.f("ix_deliveries_state"), table_name="deliveries")
    op.drop_index(op.f("ix_deliveries_receipt"), table_name="deliveries")
    op.drop_index(op.f("ix_deliveries_order_id"), table_name="deliveries")
    op.drop_table("deliveries")
    op.drop_index(op.f("ix_callbacks_state"), table_name="callbacks")
    op.drop_table("callbacks")
    op.drop_index(op.f("ix_work_orders_status"), table_name="work_orders")
    op.drop_index(op.f("ix_work_orders_operator_id"), table_name="work_orders")
    op.drop_index(op.f("ix_work_orders_lead_unit_id"), table_name="work_orders")
    op.drop_index(op.f("ix_work_orders_deadline_at"), table_name="work_orders")
    op.drop_index(op.f("ix_work_orders_created_at"), table_name="work_orders")
    op.drop_index(op.f("ix_work_orders_closed_at"), table_name="work_orders")
    op.drop_index(op.f("ix_work_orders_caller_id"), table_name="work_orders")
    op.drop_index(op.f("ix_work_orders_call_id"), table_name="work_orders")
    op.drop_table("work_orders")
    op.drop_index(op.f("ix_queue_events_call_id"), table_name="queue_events")
    op.drop_index(op.f("ix_queue_events_at"), table_name="queue_events")
    op.drop_table("queue_events")
    op.drop_index(op.f("ix_presences_state"), table_name="presences")
    op.drop_table("presences")
    op.drop_index(op.f("ix_presence_events_user_id"), table_name="presence_events")
    op.drop_index(op.f("ix_presence_events_at"), table_name="presence_events")
    op.drop_table("presence_events")
    op.drop_index("ix_kb_suggestions_entry_id_state", table_name="kb_suggestions")
    op.drop_table("kb_suggestions")
    op.drop_index(op.f("ix_call_legs_call_id"), table_name="call_legs")
    op.drop_table("call_legs")
    op.drop_index(op.f("ix_place_names_sound"), table_name="place_names")
    op.drop_index(op.f("ix_place_names_place_id"), table_name="place_names")
    op.drop_table("place_names")
    op.drop_index(op.f("ix_kb_similar_questions_entry_id"), table_name="kb_similar_questions")
    op.drop_table("kb_similar_questions")
    op.drop_index(op.f("ix_kb_changes_entry_id"), table_name="kb_changes")
    op.drop_table("kb_changes")
    op.drop_index(op.f("ix_calls_started_at"), table_name="calls")
    op.drop_index(
        "ix_calls_queue",
        table_name="calls",
        sqlite_where=sa.text("place_at IS NOT NULL"),
        postgresql_where=sa.text("place_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_calls_operator_id",
        table_name="calls",
        sqlite_where=sa.text("operator_id IS NOT NULL"),
        postgresql_where=sa.text("operator_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_calls_caller_id"), table_name="calls")
    op.drop_table("calls")
    op.drop_table("api_tokens")
    op.drop_index(op.f("ix_access_log_user_id"), table_name="access_log")
    op.drop_index("ix_access_log_subject", table_name="access_log")
    op.drop_table("access_log")
    op.drop_index(op.f("ix_users_unit_id"), table_name="users")
    op.drop_table("users")
    op.drop_index(op.f("ix_responsibility_lines_category_code"), table_name="responsibility_lines")
    op.drop_table("responsibility_lines")
    op.drop_index(op.f("ix_places_county_id"), table_name="places")
    op.drop_table("places")
    op.drop_index(op.f("ix_kb_entries_owner_unit_id"), table_name="kb_entries")
    op.drop_index(op.f("ix_kb_entries_change_seq"), table_name="kb_entries")
    op.drop_index(op.f("ix_kb_entries_category"), table_name="kb_entries")
    op.drop_table("kb_entries")
    op.drop_index(op.f("ix_webhook_receipts_at"), table_name="webhook_receipts")
    op.drop_table("webhook_receipts")
    op.drop_index(op.f("ix_units_path"), table_name="units")
    op.drop_index(op.f("ix_units_parent_id"), table_name="units")
    op.drop_table("units")
    op.drop_index(op.f("ix_outbox_topic"), table_name="outbox")
    op.drop_index(
        "ix_outbox_failed", table_name="outbox", postgresql_where=sa.text("failed"), sqlite_where=sa.text("failed")
    )
    op.drop_index("ix_outbox_due", table_name="outbox")
    op.drop_table("outbox")
    op.drop_table("order_counters")
    op.drop_table("message_texts")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("dialled_numbers")
    op.drop_index(op.f("ix_deadline_profiles_active_from"), table_name="deadline_profiles")
    op.drop_table("deadline_profiles")
    op.drop_table("city_days")
    op.drop_table("categories")
    op.drop_index(op.f("ix_callers_phone_index"), table_name="callers")
    op.drop_index(
        "ix_callers_contact_index",
        table_name="callers",
        sqlite_where=sa.text("contact_index IS NOT NULL"),
        postgresql_where=sa.text("contact_index IS NOT NULL"),
    )
    op.drop_table("callers")
