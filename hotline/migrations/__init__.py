"""Migrations: numbered, each saying why in one line."""
