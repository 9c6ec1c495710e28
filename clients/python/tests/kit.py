"""What the tests share: clients of the server, a session that ends with its test, and what is read from answers.

The server is told by the environment:

    CELLBLOCK_URL          its address, `http://127.0.0.1:PORT`
    CELLBLOCK_PID          its process, where it runs on this machine: memory and descriptors are looked at then
    CELLBLOCK_LOG_FILE     its log, which must not tell of panics and of faults of its own
    CELLBLOCK_TEST_LONG    if set, the long forms of tests
"""

import contextlib
import http.client
import json
import os
import pathlib
import struct
import time
import unittest
import urllib.parse
import uuid
import zlib

URL = os.environ.get("CELLBLOCK_URL", "")
if not URL:
    raise SystemExit("CELLBLOCK_URL must name a running server; `cargo run -p check -- clients` starts one")
HOST = urllib.parse.urlsplit(URL).netloc
LONG = bool(os.environ.get("CELLBLOCK_TEST_LONG"))

# Clients refuse to send anything without them; nobody looks at what they say.
os.environ.update(
    AWS_ACCESS_KEY_ID="any",
    AWS_SECRET_ACCESS_KEY="any",
    AWS_REGION="us-east-1",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE=URL,
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL=URL,
)

import boto3  # noqa: E402
import botocore.config  # noqa: E402
import botocore.exceptions  # noqa: E402

SYSTEM = "aws.codeinterpreter.v1"
ClientError = botocore.exceptions.ClientError


def data_client(**config):
    """The data plane, found by the variable of the environment alone."""
    return boto3.client("bedrock-agentcore", config=botocore.config.Config(**config))


def control_client(**config):
    return boto3.client("bedrock-agentcore-control", config=botocore.config.Config(**config))


def one_result(response):
    """The one event that a call gives; there is never another."""
    events = list(response["stream"])
    assert len(events) == 1 and list(events[0]) == ["result"], events
    return events[0]["result"]


def texts(result):
    return [block["text"] for block in result["content"] if block["type"] == "text"]


class Session:
    """A session through boto3."""

    def __init__(self, client=None, identifier=SYSTEM, **options):
        self.client = client or data_client()
        self.identifier = identifier
        started = self.client.start_code_interpreter_session(codeInterpreterIdentifier=identifier, **options)
        self.id = started["sessionId"]
        self.started = started

    def respond(self, name, arguments):
        return self.client.invoke_code_interpreter(
            codeInterpreterIdentifier=self.identifier, sessionId=self.id, name=name, arguments=arguments
        )

    def call(self, name, /, **arguments):
        return one_result(self.respond(name, arguments))

    def code(self, text, **arguments):
        """What code that succeeds has printed."""
        result = self.call("executeCode", code=text, language="python", **arguments)
        assert not result["isError"], result
        return result["structuredContent"]["stdout"]

    def command(self, line):
        """What a command that succeeds has printed."""
        result = self.call("executeCommand", command=line)
        assert not result["isError"], result
        return result["structuredContent"]["stdout"]

    def write(self, path, content):
        kind = "text" if isinstance(content, str) else "blob"
        return self.call("writeFiles", content=[{"path": path, kind: content}])

    def read(self, path):
        """A file's text or bytes, whichever it is."""
        result = self.call("readFiles", paths=[path])
        assert not result["isError"], result
        resource = result["content"][0]["resource"]
        return resource["text"] if "text" in resource else resource["blob"]

    def stop(self):
        return self.client.stop_code_interpreter_session(
            codeInterpreterIdentifier=self.identifier, sessionId=self.id
        )

    def get(self):
        return self.client.get_code_interpreter_session(
            codeInterpreterIdentifier=self.identifier, sessionId=self.id
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def mount(point, path="/mnt/data", kind="s3Files"):
    """The configuration of a file system, as `filesystemConfigurations` has it."""
    system = f"arn:aws:{kind.lower()}:us-east-1:000000000000:file-system/fs-{'1' * 17}"
    access = f"{system}/access-point/{point}"
    if kind == "efs":
        system, access = (f"arn:aws:elasticfilesystem:us-east-1:000000000000:{what}" for what in
                          (f"file-system/fs-{'1' * 17}", f"access-point/{point}"))
    return {f"{kind}Configuration": {"accessPointArn": access, "fileSystemArn": system, "mountPath": path}}


def new_point():
    """The id of an access point that nobody has mounted before."""
    return f"fsap-{uuid.uuid4().hex}"


class TestCase(unittest.TestCase):
    maxDiff = None

    def session(self, **options):
        """A session of this test's own."""
        session = Session(**options)
        self.addCleanup(session.stop)
        return session

    @contextlib.contextmanager
    def refused(self, name, status, *parts, reason="unasked", field=None):
        """A request that AWS's own error answers, with these words in its message."""
        with self.assertRaises(ClientError) as caught:
            yield
        response = caught.exception.response
        self.assertEqual(type(caught.exception).__name__, name)
        self.assertEqual(response["Error"]["Code"], name)
        self.assertEqual(response["ResponseMetadata"]["HTTPStatusCode"], status)
        self.assertTrue(response["ResponseMetadata"]["RequestId"])
        for part in parts:
            self.assertIn(part, response["Error"]["Message"])
        if reason != "unasked":
            self.assertEqual(response.get("reason"), reason)
        if field:
            self.assertEqual([entry["name"] for entry in response["fieldList"]], [field])


def until(condition, seconds=20, what="what was waited for"):
    """Waits for a condition, and gives what it gave."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {seconds} s")
        time.sleep(0.05)


# What is beside the wire: the server's process and its log.


def process():
    """The server's directory in /proc; none, if it is elsewhere."""
    pid = os.environ.get("CELLBLOCK_PID")
    return pathlib.Path("/proc") / pid if pid else None


def memory(field="VmRSS"):
    """The server's memory, bytes."""
    for line in (process() / "status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {field}")


def descriptors():
    return len(os.listdir(process() / "fd"))


def needs_process(test):
    why = "SKIPPED: CELLBLOCK_PID does not name the server's process: its memory cannot be looked at"
    return test if process() else unittest.skip(why)(test)


def log():
    """The server's log so far; none, if it is elsewhere."""
    path = os.environ.get("CELLBLOCK_LOG_FILE")
    return pathlib.Path(path).read_text(errors="replace") if path else ""


# The wire without a client of AWS.


def raw_request(method, path, body=None, headers=None, timeout=60):
    """Sends a request as it is; gives status, headers and body."""
    connection = http.client.HTTPConnection(HOST, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers={"content-type": "application/json"} | (headers or {}))
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def invocation(session, name, arguments, invocation_id=None):
    """An invocation as raw bytes: path, body, headers."""
    headers = {
        "content-type": "application/json",
        "x-amzn-code-interpreter-session-id": session.id,
        "amz-sdk-invocation-id": invocation_id or str(uuid.uuid4()),
    }
    body = json.dumps({"name": name, "arguments": arguments}).encode()
    return f"/code-interpreters/{session.identifier}/tools/invoke", body, headers


def frames(data):
    """The messages of an event stream: headers and payload of each. Lengths and checksums must be right."""
    found = []
    while data:
        total, header_length, checksum = struct.unpack(">III", data[:12])
        assert zlib.crc32(data[:8]) == checksum and len(data) >= total, "a broken prelude"
        assert zlib.crc32(data[: total - 4]) == struct.unpack(">I", data[total - 4 : total])[0], "a broken message"
        rest, headers = data[12 : 12 + header_length], {}
        while rest:
            length = rest[0]
            name, kind = rest[1 : 1 + length].decode(), rest[1 + length]
            assert kind == 7, f"{name} is no string"
            (size,) = struct.unpack(">H", rest[2 + length : 4 + length])
            headers[name] = rest[4 + length : 4 + length + size].decode()
            rest = rest[4 + length + size :]
        found.append((headers, data[12 + header_length : total - 4]))
        data = data[total:]
    return found


# Pictures.


def png(data):
    """Width, height and the rows of a PNG of eight bits a channel, each row as bytes without its filter."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n", data[:16]
    at, packed, header = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        chunk = data[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + chunk) == struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0]
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", chunk)
        elif kind == b"IDAT":
            packed += chunk
        at += 12 + length
    width, height, depth, color, _, _, interlaced = header
    assert depth == 8 and not interlaced, header
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    line, raw = width * channels, zlib.decompress(packed)
    assert len(raw) == (line + 1) * height, "the picture is cut"
    return width, height, [raw[n * (line + 1) + 1 : (n + 1) * (line + 1)] for n in range(height)]


def drawn(data):
    """Width and height of a PNG that shows something: many of its rows differ from the first."""
    width, height, rows = png(data)
    different = sum(row != rows[0] for row in rows)
    assert different > height // 10, f"a picture of {width} x {height} is blank: {different} rows differ"
    return width, height
