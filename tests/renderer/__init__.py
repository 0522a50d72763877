"""The mail, seen from outside."""
