"""Tests of the SMTP edge."""
