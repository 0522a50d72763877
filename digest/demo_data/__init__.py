"""Listings and a config for `digest demo`: classic papers of three fields, retold."""
