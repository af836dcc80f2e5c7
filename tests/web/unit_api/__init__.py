"""The API of units' own systems, as they meet it."""
