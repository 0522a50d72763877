"""The values of the config: each turns what TOML holds into what the program uses, or says why not.

Every check raises WrongValueError; its message stands alone after `file: [table] key:`. Pure: no
file is touched.
"""

from __future__ import annotations

import math
import re
from datetime import time
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from digest.addresses import check_address, check_domain, is_free_mail
from digest.config.places import (
    check_base_url,
    check_data,
    check_host,
    check_host_port,
    check_network,
    check_selector,
    check_source_url,
    join_glob,
    read_path,
)
from digest.config.text import check_line, check_optional_line, check_query, check_text, read_list
from digest.config.times import check_timezone, read_clock, read_days, read_every, read_max_age
from digest.config.words import WrongValueError, expect_text, shown
from digest.sources import fault_in_kind

MAX_WEIGHT = 100
MAILBOX = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")


def check_kind(text: str) -> str:
    """`text` if it is a kind of source."""
    if fault := fault_in_kind(text):
        raise WrongValueError(fault)
    return text


def read_sender(value: object) -> tuple[str, str]:
    """(display name, address) of `Name <address>` or of a bare address.

    Free-mail domains are refused: their DMARC policy makes receivers refuse our mail (A5).
    """
    if isinstance(value, tuple) and len(value) == 2:
        name, address = value
    else:
        text = expect_text(value, "Paper digest <digest@example.org>")
        mailbox = MAILBOX.fullmatch(text.strip())
        name, address = mailbox.group("name", "address") if mailbox else ("", text)
    name = check_optional_line(name.strip().strip('"'))
    address = check_address(address)
    domain = address.rpartition("@")[2]
    if is_free_mail(domain):
        raise WrongValueError(
            f"mail from {domain} that {domain} did not send itself is refused by most receivers "
            "(its DMARC policy says so); use an address of a domain of your own"
        )
    return name, address


def read_weight(value: object) -> float:
    """The weight of a keyword: -100..100, not 0, finite."""
    if isinstance(value, dict):
        raise WrongValueError('a term with a dot stands in quotes, such as "gpt-4.5" = 2')
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if not abs(number) <= MAX_WEIGHT or number == 0:  # "not <=" refuses nan as well
        hint = ""
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,2}(\.\d+)?", value):
            hint = f"; did you mean {value} without quotes?"
        raise WrongValueError(
            f"a weight is a number from -{MAX_WEIGHT} to {MAX_WEIGHT} and not 0, "
            f"not {shown(value)}{hint}"
        )
    return float(number)


Line = Annotated[str, AfterValidator(check_line)]
OptionalLine = Annotated[str, AfterValidator(check_optional_line)]
Query = Annotated[str, AfterValidator(check_query)]
KindName = Annotated[str, AfterValidator(check_kind)]
Text = Annotated[str, AfterValidator(check_text)]
Address = Annotated[str, AfterValidator(check_address)]
Domain = Annotated[str, AfterValidator(check_domain)]
Selector = Annotated[str, AfterValidator(check_selector)]
Host = Annotated[str, AfterValidator(check_host)]
Sender = Annotated[tuple[str, str], BeforeValidator(read_sender)]
BaseUrl = Annotated[str, AfterValidator(check_base_url)]
SourceUrl = Annotated[str, AfterValidator(check_source_url)]
Data = Annotated[str, AfterValidator(check_data)]
FilePath = Annotated[Path, BeforeValidator(read_path)]
Glob = Annotated[str, AfterValidator(join_glob)]
Timezone = Annotated[str, AfterValidator(check_timezone)]
Clock = Annotated[time, BeforeValidator(read_clock)]
Days = Annotated[tuple[str, ...], BeforeValidator(read_days)]
Every = Annotated[int, BeforeValidator(read_every)]
MaxAge = Annotated[int | None, BeforeValidator(read_max_age)]
Weight = Annotated[float, BeforeValidator(read_weight)]
Network = Annotated[str, AfterValidator(check_network)]
Domains = Annotated[tuple[Domain, ...], BeforeValidator(read_list)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(read_list)]
Lines = Annotated[tuple[Line, ...], BeforeValidator(read_list)]
HostPort = Annotated[str, AfterValidator(check_host_port)]
Hosts = Annotated[tuple[HostPort, ...], BeforeValidator(read_list)]
