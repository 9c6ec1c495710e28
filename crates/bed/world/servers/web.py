"""HTTP and HTTPS at all addresses of the world; who answers depends on the address."""

import asyncio
import base64
import json
import ssl
import urllib.parse

from logs import Log
from settings import Settings

EVERYWHERE = ["0.0.0.0", "::"]


class Request:
    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        self.method = method
        self.target = target
        path, _, self.query = target.partition("?")
        self.path = urllib.parse.unquote(path)
        self.headers = headers
        self.body = body


class Answer:
    def __init__(self, body: bytes | str, kind: str = "text/plain", status: str = "200 OK") -> None:
        self.body = body.encode() if isinstance(body, str) else body
        self.kind = kind
        self.status = status

    @staticmethod
    def json(what: object) -> "Answer":
        return Answer(json.dumps(what), "application/json")


NOT_FOUND = Answer("not found", status="404 Not Found")


async def read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head.split("\r\n")
    method, target, _ = line.split(" ", 2)
    headers = {}
    for field in filter(None, lines):
        name, _, value = field.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        # Clients that wait for it go on after a second.
        headers.pop("expect")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body)


async def read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while (await reader.readline()).strip():
        pass
    return body


class Web:
    def __init__(self, settings: Settings, hits: Log, pages: dict, *, own: bool = False) -> None:
        self._settings = settings
        self._hits = hits
        self._pages = pages
        self._own = own

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer, local = (writer.get_extra_info(name) for name in ("peername", "sockname"))
        inner = writer.get_extra_info("ssl_object")
        seen = {
            "service": "own" if self._own else self._settings.service_at(local[0]),
            "peer": peer[0],
            "address": local[0],
            "port": local[1],
            "sni": getattr(inner, "bed_sni", None),
            "tls": inner is not None,
        }
        self._hits.write(what="connection", **seen)
        try:
            while True:
                request = await read_request(reader)
                seen |= {"host": request.headers.get("host"), "path": request.target, "method": request.method}
                self._hits.write(what="request", **seen)
                answer = await self._answer(request, seen)
                head = (
                    f"HTTP/1.1 {answer.status}\r\nContent-Type: {answer.kind}\r\n"
                    f"Content-Length: {len(answer.body)}\r\n\r\n"
                )
                writer.write(head.encode() + (b"" if request.method == "HEAD" else answer.body))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _answer(self, request: Request, seen: dict) -> Answer:
        service = seen["service"]
        secrets = self._settings.facts["secrets"]
        if service in secrets:
            return Answer(secrets[service])
        if service in self._pages:
            return await self._pages[service].answer(request)
        if service == "foreign":
            return self._resolve(request, seen)
        return Answer.json(seen | {"headers": request.headers, "received": len(request.body)})

    def _resolve(self, request: Request, seen: dict) -> Answer:
        """DNS over HTTPS."""
        query = request.body
        if request.method == "GET":
            text = urllib.parse.parse_qs(request.query).get("dns", [""])[0]
            query = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        answer = self._settings.resolver.answer(query, "https", seen["peer"], seen["address"])
        return Answer(answer, "application/dns-message") if answer else NOT_FOUND


def context(settings: Settings) -> ssl.SSLContext:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(settings.certificate)
    tls.set_alpn_protocols(["http/1.1"])

    def remember(inner: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        inner.bed_sni = name

    tls.sni_callback = remember
    return tls


async def serve(settings: Settings, hits: Log, pages: dict) -> None:
    web = Web(settings, hits, pages)
    ports = settings.ports
    await asyncio.start_server(web.serve, EVERYWHERE, ports["http"])
    await asyncio.start_server(web.serve, EVERYWHERE, ports["https"], ssl=context(settings))


async def serve_own(settings: Settings, hits: Log) -> None:
    """What listens on the machine itself, at all of its addresses."""
    web = Web(settings, hits, {}, own=True)
    for port in (settings.ports["http"], settings.ports["own"]):
        await asyncio.start_server(web.serve, EVERYWHERE, port)
