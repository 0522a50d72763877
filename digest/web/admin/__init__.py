"""The pages of who runs the service: sources, subscribers, deliveries, the system.

On this machine alone, or behind the token of the config. Every change is a POST and leaves a line
in the log, which names people by number.
"""
