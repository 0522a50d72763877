"""Every kind of source."""
