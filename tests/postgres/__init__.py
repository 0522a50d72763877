"""What PostgreSQL does in its own way; the verbs are tried in `tests/store`, on both stores."""
