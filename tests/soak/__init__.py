"""Kills at every named point of sending: nothing lost, nothing twice but what was in flight."""
