"""Tests of what is read, joined and kept."""
