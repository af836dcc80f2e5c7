"""Factories make a valid default; a test names only what its story is about."""
