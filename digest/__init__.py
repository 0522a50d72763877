"""A daily mail of new papers for each subscriber, chosen by weighted keywords, with reasons."""

__version__ = "0.1.0"
