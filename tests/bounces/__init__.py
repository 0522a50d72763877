"""What comes back for a mail, read."""
