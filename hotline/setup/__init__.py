"""From an empty database to the first call: what ``hotline setup`` asks, writes and waits for."""
