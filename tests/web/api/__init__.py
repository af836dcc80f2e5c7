"""The JSON API, as programs meet it."""
