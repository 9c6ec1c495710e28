"""The wire without any client: requests as bytes, and as large as nobody holds in memory."""

import http.client
import socket

from . import kit

HOST, PORT = kit.HOST.rsplit(":", 1)
INVOKE = f"/code-interpreters/{kit.SYSTEM}/tools/invoke"
START = f"/code-interpreters/{kit.SYSTEM}/sessions/start"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:300]!r}"


def connect():
    return socket.create_connection((HOST, int(PORT)), timeout=60)


def answers(data, methods):
    """The answers in what a server has sent; a HEAD's has no body."""
    found = []
    while data:
        head, split, rest = data.partition(b"\r\n\r\n")
        assert split, data[:200]
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        status = int(lines[0].split()[1])
        method = methods[len(found)] if len(found) < len(methods) else ""
        length = 0 if method == "HEAD" or status == 204 else int(headers.get("content-length", len(rest)))
        if headers.get("transfer-encoding") == "chunked":
            length = len(rest)
        found.append(Answer(status, headers, rest[:length]))
        data = rest[length:]
    return found


def send(data, methods=(), close=False):
    """Sends bytes, and reads what comes until the server closes the connection.

    With `close` nothing more is to come from here, and the server may take that for a client that has gone.
    """
    with connect() as stream:
        try:
            stream.sendall(data)
            if close:
                stream.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # It has closed already; what it said is still to be read.
        got = b""
        try:
            while piece := stream.recv(65536):
                got += piece
        except ConnectionResetError:
            pass
        return answers(got, list(methods))


def invoke(session, body):
    """An invocation's bytes, whatever its body is."""
    headers = [("content-type", "application/json"), ("x-amzn-code-interpreter-session-id", session.id)]
    return request("POST", INVOKE, headers, body)


def request(method, path, headers=(), body=b"", length=True):
    lines = [f"{method} {path} HTTP/1.1"]
    given = {name.lower() for name, _ in headers}
    if "host" not in given:
        lines.append(f"host: {kit.HOST}")
    lines += [f"{name}: {value}" for name, value in headers]
    if length and "content-length" not in given and "transfer-encoding" not in given:
        lines.append(f"content-length: {len(body)}")
    lines.append("connection: close")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def write_large(session, kind, characters):
    """Writes a file of so many characters, which are never as a whole in this process; gives status and data."""
    start, end = b'{"name":"writeFiles","arguments":{"content":[{"path":"large","%s":"' % kind, b'"}]}}'
    path, _, headers = kit.invocation(session, "writeFiles", {})
    connection = http.client.HTTPConnection(kit.HOST, timeout=300)
    try:
        connection.putrequest("POST", path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("content-length", str(len(start) + characters + len(end)))
        connection.endheaders(start)
        block = b"A" * (1 << 20)
        while characters:
            connection.send(block[:characters])
            characters -= min(characters, len(block))
        connection.send(end)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def assert_written(test, session, kind, characters, size):
    """Writes a large file, which is then there and of this size, bytes."""
    status, data = write_large(session, kind, characters)
    test.assertEqual(status, 200, data[:500])
    test.assertIn(b"Successfully wrote all 1 files", data)
    test.assertEqual(session.command("stat -c %s large"), f"{size}\n")
