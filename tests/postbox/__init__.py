"""Places where mail arrives."""
