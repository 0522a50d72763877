"""The real command, a temporary folder, a real mail server."""
