"""Failed addresses in formats from before delivery reports, by flufl.bounce. Pure.

What is found here has no code, so it never says more than that this one mail failed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from email.parser import BytesParser
from email.utils import getaddresses

from flufl.bounce import all_failures

from digest.bounces.blocks import own_parts

# It logs a traceback before it raises, for mails that are merely odd; the caller says what matters.
logging.getLogger("flufl.bounce").addFilter(lambda record: False)

MAX_BYTES, MAX_LINES, MAX_LINE = 64 * 1024, 2000, 1000
"""Its regular expressions run over every line, so there are not too many lines, nor long ones."""
MOST = 1000

ADDRESS = re.compile(r"[!-~]+@\[?[a-z\d-]+(?:\.[a-z\d-]+)+\]?", re.IGNORECASE)
"""What may be an address; in garbage it finds others, and nobody is to be blamed for garbage."""

ASCII = bytes(octet if octet < 128 else ord("?") for octet in range(256))
"""It knows addresses in ASCII only, and stumbles over fields with anything else."""


def addresses_in(raw: bytes) -> Iterator[tuple[str, bool]]:
    """(address, whether it failed for good) for each that an old format names."""
    lines = (line[:MAX_LINE] for line in raw[:MAX_BYTES].split(b"\n", MAX_LINES)[:MAX_LINES])
    mail = BytesParser().parsebytes(b"\n".join(lines).translate(ASCII))
    if not getaddresses([str(mail.get("From", ""))]):  # it counts on a sender
        del mail["From"]
        mail["From"] = "nobody@invalid"
    for part in own_parts(mail):
        if part.get_content_type() == "message/rfc822":  # a bounce that was returned is not one now
            part.set_payload([])
    delayed, failed = all_failures(mail)
    for addresses, final in ((failed, True), (delayed, False)):
        for address in sorted(addresses)[:MOST]:
            text = address.decode("ascii", "replace").strip()
            if ADDRESS.fullmatch(text):
                yield text, final
