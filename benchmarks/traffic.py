"""Load on an HTTP server: so many connections, each sending the next request as soon as its answer is there.

Requests are bytes that were made and signed beforehand, so that as little as possible of the machine goes into asking:
the asker shares its cores with the server. Connections are kept where the server keeps them and opened anew where it
closes them, which then is part of the time of a request.
"""

import asyncio
import itertools
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.measuring import CannotMeasure

_READ_SECONDS = 60.0


@dataclass(frozen=True)
class Address:
    """Where a server listens. `tls` None means plain HTTP; `name` is who its certificate is for."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    name: str | None = None


@dataclass(frozen=True)
class Head:
    """What the head of an answer says. `length` is None for chunks, or for everything until the connection ends."""

    status: int
    length: int | None
    is_chunked: bool
    closes: bool


@dataclass
class Traffic:
    """What went over the wire: seconds of each request, bytes of all answers' bodies."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    bytes: int = 0


def drive(address: Address, requests: Sequence[bytes], *, connections: int, seconds: float) -> Traffic:
    """Send the requests round and round for some seconds. Raises CannotMeasure for an answer that is not 200."""
    return asyncio.run(_drive(address, requests, connections, seconds))


def head_of(text: bytes) -> Head:
    """Read the head of an answer."""
    first, *lines = text.decode("latin-1").rstrip().split("\r\n")
    version, status = first.split(" ", 2)[:2]
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    chunked = "chunked" in fields.get("transfer-encoding", "").lower()
    length = None if chunked or "content-length" not in fields else int(fields["content-length"])
    connection = fields.get("connection", "keep-alive" if version == "HTTP/1.1" else "close").lower()
    return Head(int(status), length, chunked, closes="close" in connection or (length is None and not chunked))


async def _drive(address: Address, requests: Sequence[bytes], connections: int, seconds: float) -> Traffic:
    traffic, began = Traffic(), time.monotonic()
    endless = itertools.cycle(requests)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(_connection(address, endless, began + seconds, traffic))
    except* OSError as errors:
        raise CannotMeasure(f"cannot measure: a connection failed: {errors.exceptions[0]}") from errors
    except* CannotMeasure as refusals:
        raise CannotMeasure(str(refusals.exceptions[0])) from refusals
    traffic.seconds = time.monotonic() - began
    return traffic


async def _connection(address: Address, requests: Iterator[bytes], until: float, traffic: Traffic) -> None:
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    try:
        while (began := time.monotonic()) < until:
            if streams is None:
                streams = await asyncio.open_connection(
                    address.host, address.port, ssl=address.tls, server_hostname=address.name if address.tls else None
                )
            reader, writer = streams
            writer.write(next(requests))
            async with asyncio.timeout(_READ_SECONDS):
                head, size = await _answer(reader)
            traffic.latencies.append(time.monotonic() - began)
            traffic.bytes += size
            if head.closes:
                writer.close()
                streams = None
    finally:
        if streams is not None:
            streams[1].close()


async def _answer(reader: asyncio.StreamReader) -> tuple[Head, int]:
    head = head_of(await reader.readuntil(b"\r\n\r\n"))
    if head.is_chunked:
        body = b""
        while (size := int((await reader.readline()).split(b";")[0], 16)) > 0:
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        body = await (reader.read() if head.length is None else reader.readexactly(head.length))
    if head.status != 200:
        raise CannotMeasure(f"cannot measure: the answer was {head.status} {body[:300].decode(errors='replace')}")
    return head, len(body)
