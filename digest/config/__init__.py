"""The config: one TOML file in, checked settings out, or every fault in it at once.

Owns the keys, their ranges and defaults, and the wording of faults. Knows no clock and no network.
"""

from digest.config.example import example_config
from digest.config.files import (
    check_files,
    read_secret,
    relays_of,
    settings_files,
    smtp_password,
)
from digest.config.reading import load_config, parse_config, parse_subscribers, read_subscriber
from digest.config.relays import ProviderTable, RelayTable, Smtp
from digest.config.returns import BounceMailbox, Bounces
from digest.config.settings import Config
from digest.config.tables import Dkim, Mail, Operator, Service, Web
from digest.config.writing import profile_toml

__all__ = [
    "BounceMailbox",
    "Bounces",
    "Config",
    "Dkim",
    "Mail",
    "Operator",
    "ProviderTable",
    "RelayTable",
    "Service",
    "Smtp",
    "Web",
    "check_files",
    "example_config",
    "load_config",
    "parse_config",
    "parse_subscribers",
    "profile_toml",
    "read_secret",
    "read_subscriber",
    "relays_of",
    "settings_files",
    "smtp_password",
]
