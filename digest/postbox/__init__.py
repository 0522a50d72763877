"""Where mail comes back to us: a Maildir, an IMAP mailbox, an LMTP and SMTP listener.

Each hands a mail to a `Taker` and lets go of it only when that has returned: a mail may be handed
over twice, and none is lost. Knows nothing of what stands in a mail. A place that cannot be read
raises `PostboxError`, and the mail stays there.
"""

from digest.postbox.imap import Account, empty_mailbox
from digest.postbox.listener import listening
from digest.postbox.maildir import empty_maildir
from digest.postbox.taking import MAX_BYTES, Known, PostboxError, Taker

__all__ = [
    "MAX_BYTES",
    "Account",
    "Known",
    "PostboxError",
    "Taker",
    "empty_mailbox",
    "empty_maildir",
    "listening",
]
