"""Streams: one event, pictures, silence, clients that vanish and come back, and what is too large."""

import http.client
import json
import threading
import time
import uuid

from . import kit

import botocore.eventstream


class Streams(kit.TestCase):
    def setUp(self):
        self.one = self.session()

    def raw(self, name, arguments, id=None):
        """One invocation without AWS's client: status and messages."""
        path, body, headers = kit.invocation(self.one, name, arguments, id)
        status, got, data = kit.raw_request("POST", path, body, headers)
        self.assertEqual(got["content-type"], "application/vnd.amazon.eventstream")
        self.assertEqual(got["x-amzn-code-interpreter-session-id"], self.one.id)
        self.assertTrue(got["x-amzn-requestid"])
        return status, kit.frames(data)

    def test_an_answer_is_as_aws_sends_it(self):
        status, [(headers, payload)] = self.raw("executeCode", {"code": "print('Hello World!!!')"})
        self.assertEqual(status, 200)
        self.assertEqual(
            headers, {":message-type": "event", ":event-type": "result", ":content-type": "application/json"}
        )
        answer = json.loads(payload)
        took = answer["structuredContent"].pop("executionTime")
        self.assertTrue(0 < took < 5, took)
        self.assertEqual(
            answer,
            {
                "content": [{"type": "text", "text": "Hello World!!!"}],
                "structuredContent": {"stdout": "Hello World!!!", "stderr": "", "exitCode": 0},
                "isError": False,
            },
        )

    def test_botocores_own_decoder_reads_the_frames(self):
        path, body, headers = kit.invocation(self.one, "executeCode", {"code": "print('ü' * 3)"})
        _, _, data = kit.raw_request("POST", path, body, headers)
        buffer = botocore.eventstream.EventStreamBuffer()
        buffer.add_data(data)
        [message] = list(buffer)
        self.assertEqual(message.headers[":event-type"], "result")
        self.assertEqual(json.loads(message.payload)["structuredContent"]["stdout"], "üüü")

    def test_time_is_told_in_seconds(self):
        result = self.one.call("executeCode", code="import time\ntime.sleep(1.2)")
        self.assertTrue(1.2 <= result["structuredContent"]["executionTime"] < 4, result)
        result = self.one.call("executeCommand", command="sleep 1.2")
        self.assertTrue(1.2 <= result["structuredContent"]["executionTime"] < 4, result)

    def test_output_is_stripped_as_aws_strips_it(self):
        self.assertEqual(self.one.code("print('  a b  \\n\\n')"), "a b")
        self.assertEqual(self.one.command("printf '  a \\n\\n'"), "  a \n\n")
        self.assertEqual(self.one.call("executeCode", code="pass")["content"], [])

    def test_pictures_come_unasked(self):
        result = self.one.call(
            "executeCode",
            code="import matplotlib.pyplot as plt\nprint('before')\nplt.plot([1, 3, 2])\nplt.show()\nplt.figure()\nplt.bar([1], [2])\nNone",
        )
        kinds = [block["type"] for block in result["content"]]
        self.assertEqual(kinds[0], "text")
        pictures = [block for block in result["content"] if block["type"] == "image"]
        self.assertEqual([block["mimeType"] for block in pictures], ["image/png"] * 2)
        for block in pictures:
            width, height = kit.drawn(block["data"])
            self.assertTrue(width > 300 and height > 200, (width, height))

    def test_the_value_of_the_last_line_is_told(self):
        self.assertEqual(self.one.code("x = 20\nx + 22"), "42")

    def test_the_whole_traceback_comes(self):
        result = self.one.call("executeCode", code="def f():\n    return 1 / 0\n\nf()")
        stderr = result["structuredContent"]["stderr"]
        self.assertTrue(stderr.startswith("Traceback (most recent call last)"), stderr)
        self.assertTrue("return 1 / 0" in stderr and stderr.endswith("\nZeroDivisionError: division by zero"), stderr)

    def test_warnings_are_no_errors(self):
        result = self.one.call("executeCode", code="import sys\nprint('careful', file=sys.stderr)\nprint('done')")
        self.assertFalse(result["isError"])
        self.assertEqual(kit.texts(result), ["done", "careful"])

    def test_what_code_does_to_itself_is_an_answer(self):
        for code, status, part in [
            ("import sys\nsys.exit(3)", 3, "variables are lost"),
            ("import os\nos.kill(os.getpid(), 11)", 139, "variables are lost"),
            ("bytearray(1 << 45)", 1, "MemoryError"),
            ("x = (", 1, "SyntaxError"),
        ]:
            with self.subTest(code=code):
                result = self.one.call("executeCode", code=code)
                self.assertTrue(result["isError"])
                self.assertEqual(result["structuredContent"]["exitCode"], status, result)
                self.assertIn(part, result["structuredContent"]["stderr"])
        self.assertEqual(self.one.code("print('again')"), "again")

    def test_a_commands_errors_stand_where_they_were_written(self):
        line = "for n in 1 2 3 4 5 6 7 8 9; do echo o$n; echo e$n >&2; done; echo \"$0 'quoted' \\$HOME\""
        expected = "".join(f"o{n}\ne{n}\n" for n in range(1, 10)) + "/bin/sh 'quoted' $HOME\n"
        for _ in range(20):
            self.assertEqual(self.one.command(line), expected)
        task = self.one.call("startCommandExecution", command=line)["structuredContent"]["taskId"]
        get = lambda: self.one.call("getTask", taskId=task)["structuredContent"]
        ended = kit.until(lambda: (now := get())["taskStatus"] == "completed" and now)
        self.assertEqual(ended["stdout"], expected)

    def test_commands_run_beside_busy_code(self):
        busy = threading.Thread(
            target=self.one.call, args=("executeCode",), kwargs={"code": "import os, time\nwhile not os.path.exists('go'): time.sleep(0.05)"}
        )
        busy.start()
        self.assertEqual(self.one.command("echo beside; touch go"), "beside\n")
        busy.join(60)
        self.assertFalse(busy.is_alive())

    def test_tasks_in_the_background(self):
        started = self.one.call("startCommandExecution", command="echo first; while [ ! -e go ]; do sleep 0.05; done; echo last; exit 4")
        self.assertEqual(kit.texts(started), ["Successfully started a command execution task"])
        task = started["structuredContent"]["taskId"]
        self.assertEqual((str(uuid.UUID(task)), started["structuredContent"]["taskStatus"]), (task, "submitted"))
        get = lambda: self.one.call("getTask", taskId=task)
        working = kit.until(lambda: (now := get())["structuredContent"]["stdout"] and now)
        self.assertEqual(kit.texts(working), ["Task is working"])
        self.assertEqual((working["structuredContent"]["taskStatus"], working["structuredContent"]["stdout"]), ("working", "first\n"))
        self.one.write("go", "")
        ended = kit.until(lambda: (now := get())["structuredContent"]["taskStatus"] != "working" and now)
        self.assertEqual(ended["structuredContent"]["taskStatus"], "failed")
        self.assertEqual((ended["structuredContent"]["exitCode"], ended["structuredContent"]["stderr"]), (4, "first\nlast\n"))
        late = self.one.call("stopTask", taskId=task)
        self.assertEqual(kit.texts(late), ["Task cannot be canceled (current status: TaskStatus.FAILED)"])
        task = self.one.call("startCommandExecution", command="sleep 600")["structuredContent"]["taskId"]
        self.assertEqual(kit.texts(self.one.call("stopTask", taskId=task)), ["Successfully canceled a command execution task"])
        self.assertEqual(get()["structuredContent"]["taskStatus"], "canceled")
        unknown = self.one.call("getTask", taskId="none")
        self.assertTrue(unknown["isError"])

    def test_files_by_text_and_by_bytes(self):
        everything = bytes(range(256))
        self.assertEqual(kit.texts(self.one.write("a/b/c.bin", everything)), ["Successfully wrote all 1 files"])
        self.one.write("/tmp/abs.txt", "above\r\n")
        result = self.one.call("readFiles", paths=["a/b/c.bin", "/tmp/abs.txt", "a/b", "gone"])
        self.assertTrue(result["isError"])
        binary, text = [block["resource"] for block in result["content"][:2]]
        self.assertEqual(binary, {"uri": "file:///a/b/c.bin", "mimeType": "application/octet-stream", "blob": everything})
        self.assertEqual(text, {"uri": "file:///tmp/abs.txt", "mimeType": "text/plain", "text": "above\r\n"})
        self.assertEqual(kit.texts(result)[1], "Error executing tool read_files: File gone not found")
        listed = {block["name"]: block for block in self.one.call("listFiles", directoryPath="a")["content"]}
        self.assertEqual(listed["b"], {"type": "resource_link", "uri": "file:///a/b", "name": "b", "description": "Directory"})
        self.assertEqual(kit.texts(self.one.call("removeFiles", paths=["a/b/c.bin", "/tmp/abs.txt"])), ["Successfully removed all 2 files"])
        gone = self.one.call("removeFiles", paths=["a/b/c.bin"])
        self.assertEqual(kit.texts(gone), ["Error executing tool remove_files: File a/b/c.bin not found"])

    def test_links_that_lead_out_lead_nowhere(self):
        self.one.command("ln -s /proc/1/root/etc/shadow out; ln -s / all; ln -s ../../../../../../etc/passwd up; mkfifo pipe")
        own = self.one.command("cat /etc/passwd")
        for path in ["out", "../../../../etc/shadow", "/proc/1/root/etc/shadow", "/proc/self/root/etc/shadow", "pipe"]:
            with self.subTest(path=path):
                result = self.one.call("readFiles", paths=[path])
                self.assertTrue(result["isError"], result)
                self.assertEqual(len(kit.texts(result)), 1)
        for path in ["up", "all/etc/passwd", "../../etc/passwd"]:
            result = self.one.call("readFiles", paths=[path])
            if not result["isError"]:
                self.assertEqual(result["content"][0]["resource"]["text"], own, path)


class Silence(kit.TestCase):
    def test_a_long_silence_is_no_time_out(self):
        """Events that no client knows are passed over; without them botocore would give up, or ask again."""
        session = self.session(client=kit.data_client(read_timeout=12))
        begun = time.monotonic()
        out = session.code("import time\nopen('ran', 'a').write('x')\ntime.sleep(25)\nprint('late')")
        self.assertTrue(out.endswith("late"), out)
        self.assertGreater(time.monotonic() - begun, 25)
        self.assertEqual(session.read("ran"), "x")

    def test_what_keeps_a_stream_alive_is_an_event_of_its_own(self):
        session = self.session()
        path, body, headers = kit.invocation(session, "executeCommand", {"command": "sleep 11; echo late"})
        connection = http.client.HTTPConnection(kit.HOST, timeout=60)
        self.addCleanup(connection.close)
        begun = time.monotonic()
        connection.request("POST", path, body=body, headers=headers)
        response = connection.getresponse()
        # The headers do not wait for the result.
        self.assertLess(time.monotonic() - begun, 5)
        found = kit.frames(response.read())
        self.assertEqual([headers[":event-type"] for headers, _ in found], ["keepAlive", "result"])
        self.assertEqual(found[0][1], b"{}")


class Again(kit.TestCase):
    """A client that hangs up and asks again under the same id gets the answer, and its code ran once."""

    CODE = "import os, time\nwith open('ran', 'a') as f: n = f.write('x')\nwhile not os.path.exists('go'): time.sleep(0.02)\nprint('told')"

    def setUp(self):
        self.one = self.session()
        self.id = str(uuid.uuid4())
        self.path, self.body, self.headers = kit.invocation(self.one, "executeCode", {"code": self.CODE}, self.id)

    def hang_up(self):
        """Sends the request, waits until it runs, and hangs up."""
        connection = http.client.HTTPConnection(kit.HOST, timeout=60)
        connection.request("POST", self.path, body=self.body, headers=self.headers)
        response = connection.getresponse()
        kit.until(lambda: self.one.command("cat ran 2>/dev/null || true") == "x", what="the code's begin")
        response.close()
        connection.close()

    def ask(self):
        status, _, data = kit.raw_request("POST", self.path, self.body, self.headers)
        self.assertEqual(status, 200)
        return json.loads([payload for headers, payload in kit.frames(data) if headers[":event-type"] == "result"][0])

    def test_while_it_runs(self):
        self.hang_up()
        answers = []
        asking = [threading.Thread(target=lambda: answers.append(self.ask())) for _ in range(2)]
        for thread in asking:
            thread.start()
        self.one.write("go", "")
        for thread in asking:
            thread.join(60)
        self.assertEqual([answer["structuredContent"]["stdout"] for answer in answers], ["told", "told"])
        self.assertEqual(self.one.read("ran"), "x")

    def test_after_it_has_ended(self):
        self.hang_up()
        self.one.write("go", "")
        # The next code waits for the kernel, so that the first has ended.
        self.one.code("1")
        self.assertEqual(self.ask(), self.ask())
        self.assertEqual(self.ask()["structuredContent"]["stdout"], "told")
        self.assertEqual(self.one.read("ran"), "x")

    def test_another_body_or_another_session_is_another_invocation(self):
        self.one.write("go", "")
        self.ask()
        path, body, headers = kit.invocation(self.one, "executeCode", {"code": "print('other')"}, self.id)
        _, _, data = kit.raw_request("POST", path, body, headers)
        self.assertIn(b'"stdout":"other"', data)
        with kit.Session() as other:
            other.write("go", "")
            path, body, headers = kit.invocation(other, "executeCode", {"code": self.CODE}, self.id)
            kit.raw_request("POST", path, body, headers)
            self.assertEqual(other.read("ran"), "x")

    def test_a_session_of_files_is_not_written_twice(self):
        arguments = {"content": [{"path": "w", "text": "1"}]}
        path, body, headers = kit.invocation(self.one, "writeFiles", arguments)
        first = kit.raw_request("POST", path, body, headers)[2]
        self.one.call("removeFiles", paths=["w"])
        self.assertEqual(kit.raw_request("POST", path, body, headers)[2], first)
        self.assertEqual(kit.texts(self.one.call("readFiles", paths=["w"])), ["Error executing tool read_files: File w not found"])
