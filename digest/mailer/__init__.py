"""The SMTP edge: finished bytes to a mail server, and what came of it as a value.

`Relay` and `Provider` say where and how much, `SmtpMailer` sends, `EmlFolder` writes files instead.
"""

from digest.mailer.commons import Alone, Commons
from digest.mailer.dialling import Login, Relay, check_tls
from digest.mailer.envelope import Envelope, Mailer, Permit, Session
from digest.mailer.folder import EmlFolder
from digest.mailer.limits import KNOWN, Provider, known_provider
from digest.mailer.relays import SmtpMailer
from digest.mailer.visiting import Step, Visit, visit

__all__ = [
    "KNOWN",
    "Alone",
    "Commons",
    "EmlFolder",
    "Envelope",
    "Login",
    "Mailer",
    "Permit",
    "Provider",
    "Relay",
    "Session",
    "SmtpMailer",
    "Step",
    "Visit",
    "check_tls",
    "known_provider",
    "visit",
]
