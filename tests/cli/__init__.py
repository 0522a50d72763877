"""The commands as a person uses them, one folder a test."""
