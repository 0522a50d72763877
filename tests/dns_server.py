"""A name server on loopback that answers from a table, as recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast

from dns import flags, message, rcode, rdatatype, rrset

from digest.doctor.lookups import Lookups, asking

Zone = Mapping[str, Sequence[str]]
"""`example.org TXT` -> the data of each record, as a zone file has it."""

BROKEN = ("SERVFAIL",)
"""The answer of a name server that cannot say."""


class Answering(asyncio.DatagramProtocol):
    """Answers each question from a table, the rest with NXDOMAIN."""

    def __init__(self, zone: Zone) -> None:
        self.zone = {key.lower(): tuple(records) for key, records in zone.items()}
        self.names = {key.split()[0] for key in self.zone}
        self.asked: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers go out by."""
        self.transport = cast("asyncio.DatagramTransport", transport)  # by name only, in 3.11

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        query = message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {kind}")
        answer = message.make_response(query)
        answer.flags |= flags.RA
        records = self.zone.get(f"{name} {kind.lower()}", ())
        if records == BROKEN:
            answer.set_rcode(rcode.SERVFAIL)
        elif records:
            answer.answer.append(rrset.from_text(question.name, 60, "IN", kind, *records))
        elif name not in self.names:
            answer.set_rcode(rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def name_server(zone: Zone) -> AsyncIterator[tuple[Answering, int]]:
    """A running server, and its port."""
    transport, served = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Answering(zone), local_addr=("127.0.0.1", 0)
    )
    try:
        yield served, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@asynccontextmanager
async def lookups(zone: Zone) -> AsyncIterator[Lookups]:
    """Lookups that ask a running server with this table."""
    async with name_server(zone) as (_, port):
        yield Lookups(asking(("127.0.0.1", port)))
