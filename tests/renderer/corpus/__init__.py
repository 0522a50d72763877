"""Golden mails: each case says why it exists, and its `.eml` is what it must come to."""
