"""Bytes that no client of AWS would send: each gets AWS's shape of an error, or a closed connection; never a 500."""

import json
import random
import socket
import threading
import time
import unittest

from . import kit, wire
from .wire import INVOKE, PORT, START, connect, request, send


class Raw(kit.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.one = kit.Session()
        cls.addClassCleanup(cls.one.stop)
        cls.session = [("content-type", "application/json"), ("x-amzn-code-interpreter-session-id", cls.one.id)]

    def setUp(self):
        self.log_before = len(kit.log())

    def tearDown(self):
        new = kit.log()[self.log_before :]
        for word in ("panicked", "ERROR"):
            self.assertNotIn(word, new)

    def refused(self, data, status, error=None, part=None):
        """Sends it, and expects AWS's shape of an error."""
        found = send(data)
        self.assertEqual(len(found), 1, found)
        [answer] = found
        self.assertEqual(answer.status, status, answer)
        if error:
            self.assertEqual(answer.headers.get("x-amzn-errortype"), error, answer)
        told = json.loads(answer.body)
        self.assertTrue(len(told["message"]) > 10, told)
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(answer.headers["x-amzn-requestid"], told["requestId"])
        if part:
            self.assertIn(part, told["message"])
        return told

    def invoke(self, body):
        return wire.invoke(self.one, body)

    def test_json_that_is_none(self):
        whole = json.dumps({"name": "executeCode", "arguments": {"code": "print(1)", "language": "python"}}).encode()
        for cut in range(1, len(whole)):
            self.refused(self.invoke(whole[:cut]), 400, "ValidationException")
        for body in [b"[]", b"null", b"3", b'"x"', b"{} {}", b"\xff\xfe", b"\0", b"{'name': 1}", b"[" * 100_000, b'{"arguments":' * 20_000, b"{" + b'"a":1,' * 1000, b'{"name": "listFiles", "\xe2": 1}']:
            with self.subTest(body=body[:20]):
                self.refused(self.invoke(body), 400, "ValidationException")

    def test_wrong_types(self):
        for body, field in [
            ('{"name": 3}', "name"),
            ('{"name": ["executeCode"]}', "name"),
            ('{"name": "executeCode", "arguments": []}', "arguments"),
            ('{"name": "executeCode", "arguments": "x"}', "arguments"),
            ('{"name": "executeCode", "arguments": {"code": {}}}', "arguments.code"),
            ('{"name": "executeCode", "arguments": {"code": "1", "clearContext": "yes"}}', "arguments.clearContext"),
            ('{"name": "readFiles", "arguments": {"paths": "a"}}', "arguments.paths"),
            ('{"name": "readFiles", "arguments": {"paths": ["a", null]}}', "arguments.paths[1]"),
            ('{"name": "writeFiles", "arguments": {"content": {"path": "a"}}}', "arguments.content"),
            ('{"name": "writeFiles", "arguments": {"content": [{"path": 1, "text": ""}]}}', "arguments.content[0].path"),
            ('{"name": "writeFiles", "arguments": {"content": [{"path": "a", "blob": "not base 64"}]}}', "arguments.content[0].blob"),
            ('{"name": "writeFiles", "arguments": {"content": [{"path": "a", "text": 1}]}}', "arguments.content[0].text"),
        ]:
            with self.subTest(body=body):
                told = self.refused(self.invoke(body.encode()), 400, "ValidationException", field)
                self.assertEqual(told["reason"], "FieldValidationFailed")
                self.assertEqual(told["fieldList"][0]["name"], field)
        for body in [b'{"name": 5}', b'{"sessionTimeoutSeconds": "900"}', b'{"sessionTimeoutSeconds": 1.5}', b'{"sessionTimeoutSeconds": 99999999999999999999}', b'{"clientToken": {}}']:
            with self.subTest(body=body):
                self.refused(request("PUT", START, self.session[:1], body), 400, "ValidationException")

    def test_unknown_tools_and_paths(self):
        told = self.refused(self.invoke(b'{"name": "launchMissiles"}'), 400, "ValidationException", "executeCode")
        self.assertEqual(told["fieldList"][0]["name"], "name")
        for path in ["/", "/code-interpreters/a/b/c/d", f"/code-interpreters/{kit.SYSTEM}/sessions/restart", "/tags", "/nowhere", "//", "/code-interpreters/../etc/passwd", "/%2e%2e/etc/passwd", "/" + "a" * 5000]:
            with self.subTest(path=path[:60]):
                self.refused(request("POST", path), 404, "UnknownOperationException")

    def test_methods(self):
        for method in ["DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"]:
            with self.subTest(method=method):
                self.refused(request(method, INVOKE), 404, "UnknownOperationException")
        [answer] = send(request("HEAD", INVOKE), ["HEAD"])
        self.assertEqual((answer.status, answer.body), (404, b""))
        [answer] = send(request("OPTIONS", INVOKE, [("origin", "https://evil.example"), ("access-control-request-method", "POST")]))
        self.assertEqual(answer.status, 403)
        self.assertFalse([name for name in answer.headers if name.startswith("access-control")])

    def test_broken_percent_encoding(self):
        for segment in ["%", "%4", "%zz", "%c3%28", "%00", "a%0ab", "%2e%2e%2f" * 100, "%ff", "arn%3Aaws%3Abedrock-agentcore", "%252e"]:
            with self.subTest(segment=segment[:30]):
                self.refused(request("PUT", f"/code-interpreters/{segment}/sessions/start"), 400, "ValidationException")
                self.refused(request("GET", f"/code-interpreters/{segment}"), 400, "ValidationException")
                self.refused(request("GET", f"/tags/{segment}"), 400, "ValidationException")
        for query in ["", "?sessionId", "?sessionId=%", "?sessionId=%00", "?sessionId=%ff%fe", "?sessionId=" + "a" * 5000, "?sessionId=../x", "?" + "&" * 5000]:
            with self.subTest(query=query[:30]):
                self.refused(request("GET", f"/code-interpreters/{kit.SYSTEM}/sessions/get{query}"), 400, "ValidationException", "sessionId")

    def test_names_of_files(self):
        long = "n" * 5000
        for path in ["", "\0", "a\0b", long, "a/" * 3000 + "b", "/" * 5000, ".", "..", "/", "/dev/null", "/proc/self/mem", "/sys/x", "a\n\t\x7f\x1b", "\ud800", "☃" * 1200]:
            for name, arguments in [
                ("readFiles", {"paths": [path]}),
                ("listFiles", {"path": path}),
                ("removeFiles", {"paths": [path]}),
                ("writeFiles", {"content": [{"path": path, "text": "x"}]}),
            ]:
                with self.subTest(path=path[:20], name=name):
                    [answer] = send(self.invoke(json.dumps({"name": name, "arguments": arguments}).encode()))
                    if answer.status == 200:
                        [(_, payload)] = kit.frames(answer.body)
                        told = json.loads(payload)
                        fine = (name, path) in {("listFiles", ""), ("listFiles", "."), ("listFiles", ".."), ("listFiles", "/")}
                        fine |= path == "/" * 5000 and name == "listFiles"
                        # A strange name is a name; a device that swallows everything may be written.
                        fine |= path in ("a\n\t\x7f\x1b", "/dev/null") and name != "listFiles"
                        if not fine:
                            self.assertTrue(told["isError"], told)
                        self.assertTrue(told["content"] or name in ("readFiles", "listFiles"), told)
                    else:
                        self.assertEqual(answer.status, 400, answer)
        self.assertEqual(self.one.code("print('alive')"), "alive")

    def test_content_types(self):
        body = b'{"name": "listFiles"}'
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "", "é"]:
            with self.subTest(kind=kind):
                headers = [("content-type", kind), self.session[1]]
                part = "content-type" if kind == "é" else "application/json"
                self.refused(request("POST", INVOKE, headers, body), 400, "ValidationException", part)
        # One that is not named is what a page could send.
        self.refused(request("POST", INVOKE, self.session[1:], body), 400, "ValidationException", "application/json")

    def test_browsers(self):
        for headers in [[("host", "evil.example")], [("host", f"evil.example:{PORT}")], [("host", "")], [("host", "10.0.0.1")], [("origin", "https://evil.example")], [("origin", "null")]]:
            with self.subTest(headers=headers):
                self.refused(request("PUT", START, headers), 403, "AccessDeniedException")
        self.refused(request("PUT", START, [("host", kit.HOST), ("host", "evil.example")]), 400, "ValidationException", "host")
        self.refused(request("PUT", f"http://evil.example{START}", [("host", "evil.example")]), 403, "AccessDeniedException")
        no_host = b"PUT " + START.encode() + b" HTTP/1.1\r\nconnection: close\r\n\r\n"
        self.refused(no_host, 403, "AccessDeniedException")

    def test_session_headers(self):
        body = b'{"name": "listFiles"}'
        json_type = self.session[0]
        for id in ["", "x" * 41, "../../x", "a b", "01ARZ3NDEKTSV4RRFFQ69G5FAV'--", "é"]:
            with self.subTest(id=id):
                headers = [json_type, ("x-amzn-code-interpreter-session-id", id)]
                self.refused(request("POST", INVOKE, headers, body), 400, "ValidationException", "sessionId")
        headers = [*self.session, ("traceparent", "x" * 1025)]
        self.refused(request("POST", INVOKE, headers, body), 400, "ValidationException", "traceParent")

    def test_lengths(self):
        body = b'{"name": "listFiles"}'
        # A body that ends early: who hears the answer has gone, and so may it be.
        for answer in send(request("POST", INVOKE, [*self.session, ("content-length", "500")], body), close=True):
            self.assertEqual(answer.status, 400, answer)
        # What the HTTP library itself refuses has no body of ours.
        for lengths in [["5", "21"], ["-1"], ["1e3"], ["21, 22"], ["99999999999999999999999"]]:
            with self.subTest(lengths=lengths):
                found = send(request("POST", INVOKE, [*self.session, *(("content-length", length) for length in lengths)], body))
                self.assertEqual([answer.status for answer in found], [400])
        found = send(request("POST", INVOKE, [*self.session, ("content-length", "5"), ("transfer-encoding", "chunked")], b"0\r\n\r\n"))
        self.assertTrue(all(answer.status == 400 for answer in found) and len(found) == 1, found)

    def test_chunks(self):
        body = b'{"name": "listFiles", "arguments": {"path": "."}}'
        chunked = b"".join(b"1;x=y\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        headers = [*self.session, ("transfer-encoding", "chunked")]
        [answer] = send(request("POST", INVOKE, headers, chunked))
        self.assertEqual(answer.status, 200, answer)
        for broken in [b"zz\r\n{}\r\n0\r\n\r\n", b"5\r\n{}\r\n0\r\n\r\n", b"ffffffffffffffff1\r\n{}\r\n"]:
            with self.subTest(broken=broken[:10]):
                found = send(request("POST", INVOKE, headers, broken))
                self.assertEqual([answer.status for answer in found], [400])
        for answer in send(request("POST", INVOKE, headers, chunked[:-9]), close=True):
            self.assertEqual(answer.status, 400, answer)

    def test_a_body_without_a_length_is_bounded(self):
        large = b"100000\r\n" + b" " * 0x100000 + b"\r\n" + b"10\r\n" + b" " * 16 + b"\r\n0\r\n\r\n"
        self.refused(request("PUT", START, [self.session[0], ("transfer-encoding", "chunked")], large), 400, "ValidationException", "larger than")

    def test_header_floods(self):
        self.refused(request("PUT", START, [(f"x-{n}", "y") for n in range(1000)]), 400, "ValidationException", "headers")
        # What does not fit where headers are read is refused by the HTTP library, without a body.
        for headers in [[("x-long", "y" * 200_000)], [("x" * 70_000, "y")], [(f"x-{n}", "y") for n in range(10_000)]]:
            with self.subTest(headers=len(headers)):
                found = send(request("PUT", START, headers))
                self.assertEqual([answer.status for answer in found], [431])
        found = send(b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n")
        self.assertTrue(all(answer.status in (414, 431) for answer in found) and len(found) == 1, found)

    def test_what_is_no_http(self):
        for data in [b"\0" * 100, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n" * 1000, b"GET / HTTP/1.1\r\nhost : x\r\n\r\n", b"GET / HTTP/1.1\r\nhost: localhost\r\n folded: x\r\n\r\n", b"GET /\xff HTTP/1.1\r\nhost: localhost\r\n\r\n"]:
            with self.subTest(data=data[:30]):
                for answer in send(data, close=True):
                    self.assertTrue(400 <= answer.status < 500 or answer.status == 505, answer)
        source = random.Random(7)
        for _ in range(200):
            for answer in send(bytes(source.randrange(256) for _ in range(source.randrange(1, 300))), close=True):
                self.assertTrue(400 <= answer.status < 500 or answer.status == 505, answer)

    def test_pipelining(self):
        get = f"GET /code-interpreters/{kit.SYSTEM} HTTP/1.1\r\nhost: {kit.HOST}\r\n\r\n".encode()
        body = b'{"name": "listFiles"}'
        call = request("POST", INVOKE, self.session, body).replace(b"connection: close\r\n", b"")
        health = f"GET /healthz HTTP/1.1\r\nhost: {kit.HOST}\r\n\r\n".encode()
        last = request("GET", "/readyz", length=False)
        found = send(get + call + health + get + last)
        self.assertEqual([answer.status for answer in found], [200] * 5)
        self.assertIn(b"aws.codeinterpreter.v1", found[0].body)
        self.assertEqual(found[1].headers["content-type"], "application/vnd.amazon.eventstream")
        self.assertEqual(json.loads(found[2].body), {"status": "ok"})
        self.assertTrue(json.loads(found[4].body)["ready"])
        self.assertEqual(len({answer.headers["x-amzn-requestid"] for answer in found}), 5)

    def test_a_client_that_does_not_read_costs_nobody_else(self):
        self.one.code("n = open('big', 'wb').write(b'x' * 20_000_000)")
        lazy = []
        for _ in range(5):
            stream = connect()
            self.addCleanup(stream.close)
            stream.sendall(self.invoke(b'{"name": "readFiles", "arguments": {"paths": ["big"]}}'))
            lazy.append(stream)
        begun = time.monotonic()
        self.assertEqual(self.one.code("print(1)"), "1")
        self.assertLess(time.monotonic() - begun, 10)

    def test_a_header_that_never_ends_is_cut(self):
        """Slow clients of all kinds beside each other: each is cut in bounded time, others are served meanwhile."""
        ended = {}

        def drip(kind, data, then):
            begun = time.monotonic()
            with connect() as stream:
                stream.settimeout(1)
                stream.sendall(data)
                while time.monotonic() - begun < 120:
                    try:
                        if then:
                            stream.sendall(then)
                        if not stream.recv(65536):
                            break
                    except TimeoutError:
                        continue
                    except OSError:
                        break
            ended[kind] = time.monotonic() - begun

        body = request("POST", INVOKE, [*self.session, ("content-length", "500")], b"{")
        slow = [
            threading.Thread(target=drip, args=arguments)
            for arguments in [
                ("nothing", b"", b""),
                ("a line", b"POST / HTTP/1.1\r\nhost: localhost\r\n", b""),
                ("a header a second", b"POST / HTTP/1.1\r\nhost: localhost\r\n", b"x-a: b\r\n"),
                ("a body that stops", body, b""),
            ]
        ]
        for thread in slow:
            thread.start()
        self.assertEqual(self.one.code("print('meanwhile')"), "meanwhile")
        for thread in slow:
            thread.join()
        for kind, seconds in ended.items():
            self.assertLess(seconds, 90, kind)
        self.assertEqual(len(ended), 4)


if __name__ == "__main__":
    unittest.main()
