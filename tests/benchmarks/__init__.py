"""Measurements; each module prints a table when it is run with `python -m`."""
