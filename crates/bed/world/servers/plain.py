"""Servers that speak first, one that repeats, and one that sends as much as is asked for."""

import asyncio
import socket
import struct

from logs import Log
from settings import Settings

from servers.web import EVERYWHERE

CHUNK = bytes(1 << 20)


async def serve(settings: Settings, hits: Log) -> None:
    ports, greetings = settings.ports, settings.facts["greetings"]
    for name in ("smtp", "banner", "database"):
        await listen(settings, hits, ports[name], greets(greetings[name]))
    await listen(settings, hits, ports["echo"], echo)
    await listen(settings, hits, ports["bulk"], bulk)
    await listen(settings, hits, ports["ends"], ends(hits))
    # An answer has to come from where it was asked, so each address has its own.
    for service in ("allowed", "bulk"):
        for address in settings.services[service]:
            for port in (ports["echo"], ports["https"]):
                await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda at=(address, port), service=service: Datagrams(hits, service, at),
                    local_addr=(address, port),
                )


class Datagrams(asyncio.DatagramProtocol):
    """Sends back what comes: there is no QUIC in the world, only who would hear of it."""

    def __init__(self, hits: Log, service: str, at: tuple[str, int]) -> None:
        self._hits = hits
        self._seen = {"service": service, "address": at[0], "port": at[1]}

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, peer: tuple) -> None:
        self._hits.write(what="datagram", peer=peer[0], **self._seen)
        self._transport.sendto(data, peer)


async def listen(settings: Settings, hits: Log, port: int, talk) -> None:
    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer, local = (writer.get_extra_info(name) for name in ("peername", "sockname"))
        service = settings.service_at(local[0])
        hits.write(what="connection", service=service, peer=peer[0], address=local[0], port=local[1])
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    await asyncio.start_server(serve_one, EVERYWHERE, port)


def greets(greeting: str):
    """Says something before the client does, and repeats each line then, until `quit`."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting.encode() + b"\r\n")
        while (line := await reader.readline()) and line.strip().lower() != b"quit":
            writer.write(b"250 " + line)
            await writer.drain()

    return talk


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


def ends(hits: Log):
    """Writes down how a connection ends; its first line is what it is called. `reset …` is reset at once."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called = (await reader.readline()).decode().strip()
        if called.startswith("reset"):
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            return
        writer.write(b"open\n")
        how = "closed"
        try:
            while await reader.read(1 << 16):
                pass
        except ConnectionError:
            how = "reset"
        hits.write(what="end", called=called, how=how)

    return talk


async def bulk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """`get N` sends N bytes; `put N` takes N bytes, and says so."""
    while line := await reader.readline():
        verb, left = line.split()[0], int(line.split()[1])
        if verb == b"get":
            while left:
                writer.write(CHUNK[:left])
                left -= min(left, len(CHUNK))
                await writer.drain()
        else:
            while left:
                left -= len(await reader.read(min(left, len(CHUNK))) or raise_end())
            writer.write(b"taken\n")


def raise_end() -> bytes:
    raise asyncio.IncompleteReadError(b"", None)
