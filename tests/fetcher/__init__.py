"""How bytes come in, against a real server with scripted faults."""
