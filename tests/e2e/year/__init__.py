"""A year of the whole service: the world around it, its script, and what has to hold every day."""
