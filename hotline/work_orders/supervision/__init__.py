"""Watching over orders: lights before time runs out, notices after, and what units reply to them."""
