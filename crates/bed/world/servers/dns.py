"""The world's resolvers: over UDP and TCP, over TLS and over HTTPS. All know the same names."""

import asyncio
import ipaddress
import ssl
import struct

from logs import Log
from settings import Settings

TYPES = {1: "A", 5: "CNAME", 10: "NULL", 16: "TXT", 28: "AAAA", 33: "SRV", 64: "SVCB", 65: "HTTPS", 255: "ANY"}
NUMBERS = {name: number for number, name in TYPES.items()}

NO_ERROR, FORMAT_ERROR, NO_SUCH_NAME = 0, 1, 3

# The longest datagram; whoever wants more asks over TCP.
LONGEST = 1232

# Seconds that an answer may be kept; none for names that change.
TTL = 60


class Resolver:
    """Answers queries; whoever asks and however is only written down."""

    def __init__(self, settings: Settings, queries: Log) -> None:
        self._names = settings.names
        self._queries = queries
        self._turns: dict[tuple[str, str], int] = {}

    def answer(self, query: bytes, via: str, peer: str, at: str) -> bytes | None:
        try:
            identity, flags, questions = struct.unpack_from("!HHH", query)
            name, end = read_name(query, 12)
            number, _ = struct.unpack_from("!HH", query, end)
        except (struct.error, IndexError, UnicodeDecodeError):
            self._queries.write(via=via, peer=peer, at_address=at, raw=query.hex())
            return None
        kind = TYPES.get(number, str(number))
        self._queries.write(via=via, peer=peer, at_address=at, name=name, type=kind)
        if flags & 0x8000 or questions != 1:
            return None
        code, records = self._look_up(name.lower(), kind)
        question = query[12 : end + 4]
        head = struct.pack("!HHHHHH", identity, 0x8180 | flags & 0x0100 | code, 1, len(records), 0, 0)
        return head + question + b"".join(records)

    def _look_up(self, name: str, kind: str) -> tuple[int, list[bytes]]:
        records: list[bytes] = []
        while (found := self._find(name)) is not None and "CNAME" in found:
            records.append(record(name, "CNAME", write_name(found["CNAME"]), TTL))
            name = found["CNAME"]
        if found is None:
            return NO_SUCH_NAME, records
        # Each name below a changing one has turns of its own, so that tests do not take each other's.
        if "flip" in found and kind in ("A", "AAAA"):
            turn = self._turns.get((name, kind), 0)
            self._turns[name, kind] = turn + 1
            addresses = found["flip"][turn % len(found["flip"])]
            wanted = [address for address in addresses if (":" in address) == (kind == "AAAA")]
            return NO_ERROR, [*records, *(record(name, kind, packed(address), 0) for address in wanted)]
        for value in found.get(kind, []):
            match kind:
                case "A" | "AAAA":
                    data = packed(value)
                case "TXT":
                    data = bytes([len(value)]) + value.encode()
                case "HTTPS":
                    # Priority 1, the name itself, with a hint of an address.
                    data = struct.pack("!HBHH", 1, 0, 4, 4) + packed(value)
                case _:
                    continue
            records.append(record(name, kind, data, TTL))
        return NO_ERROR, records

    def _find(self, name: str) -> dict | None:
        name = name.rstrip(".")
        if name in self._names:
            return self._names[name]
        parts = name.split(".")
        for at in range(1, len(parts)):
            if (found := self._names.get(".".join(["*", *parts[at:]]))) is not None:
                return found
        return None


def packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def record(name: str, kind: str, data: bytes, ttl: int) -> bytes:
    return write_name(name) + struct.pack("!HHIH", NUMBERS[kind], 1, ttl, len(data)) + data


def write_name(name: str) -> bytes:
    return b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split(".") if part) + b"\0"


def read_name(message: bytes, at: int) -> tuple[str, int]:
    parts = []
    while length := message[at]:
        if length > 63:
            raise IndexError("compressed")
        parts.append(message[at + 1 : at + 1 + length].decode("latin-1"))
        at += 1 + length
    return ".".join(parts), at + 1


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, resolver: Resolver, address: str) -> None:
        self._resolver = resolver
        self._address = address

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, peer: tuple) -> None:
        if (answer := self._resolver.answer(data, "udp", peer[0], self._address)) is not None:
            if len(answer) > LONGEST:
                # The head, marked as cut, and the question.
                _, end = read_name(answer, 12)
                answer = answer[:2] + struct.pack("!HHHHH", 0x8380, 1, 0, 0, 0) + answer[12 : end + 4]
            self._transport.sendto(answer, peer)


def stream(resolver: Resolver, via: str):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer, at = (writer.get_extra_info(name)[0] for name in ("peername", "sockname"))
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                answer = resolver.answer(await reader.readexactly(length), via, peer, at)
                if answer is not None:
                    writer.write(struct.pack("!H", len(answer)) + answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return serve


async def serve(settings: Settings, queries: Log, hits: Log) -> Resolver:
    """Listens for datagrams at each resolver's address, since an answer has to come from where it was asked."""
    resolver = Resolver(settings, queries)
    settings.resolver = resolver
    loop = asyncio.get_running_loop()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(settings.certificate)
    for address in [*settings.services["resolver"], *settings.services["foreign"]]:
        await loop.create_datagram_endpoint(
            lambda address=address: Datagrams(resolver, address),
            local_addr=(address, settings.ports["dns"]),
        )
        await asyncio.start_server(stream(resolver, "tcp"), address, settings.ports["dns"])
        await asyncio.start_server(stream(resolver, "tls"), address, settings.ports["dot"], ssl=tls)
    return resolver
