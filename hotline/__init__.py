"""An open-source 12345 government hotline."""

__version__ = "0.1.0"
