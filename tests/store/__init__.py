"""The store, verb by verb."""
