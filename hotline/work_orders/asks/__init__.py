"""What one asks about an order and another decides, and what follows from it."""
