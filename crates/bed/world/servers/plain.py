"""Servers that speak first, one that repeats, and one that sends as much as is asked for."""

import asyncio

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
