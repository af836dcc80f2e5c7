"""Areas, roads and estates a caller may name, each in its county."""
