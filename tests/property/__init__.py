"""Promises held for any order of events."""
