"""The `bedrock-agentcore` SDK, unmodified, pointed here in each of the two ways that it has."""

import os
import subprocess
import sys

from . import kit

from bedrock_agentcore.tools.code_interpreter_client import CodeInterpreter, code_session


class Sdk(kit.TestCase):
    def test_a_session_from_start_to_stop(self):
        client = CodeInterpreter("us-east-1")
        self.addCleanup(client.stop)
        id = client.start(name="mine", session_timeout_seconds=300)
        self.assertRegex(id, "^[0-9A-HJKMNP-TV-Z]{26}$")

        out = kit.one_result(client.execute_code("x = 6\nprint(x * 7)"))
        self.assertEqual(out["structuredContent"]["stdout"], "42")
        self.assertEqual(kit.texts(out), ["42"])
        wrong = kit.one_result(client.execute_code("print('hi')\n1/0"))
        self.assertTrue(wrong["isError"])
        self.assertEqual(wrong["structuredContent"]["exitCode"], 1)
        self.assertIn("ZeroDivisionError", wrong["structuredContent"]["stderr"])

        self.assertEqual(kit.one_result(client.execute_command("echo $((6 * 7))"))["structuredContent"]["stdout"], "42\n")

        got = client.get_session()
        self.assertEqual((got["sessionId"], got["name"], got["status"]), (id, "mine", "READY"))
        self.assertEqual(got["sessionTimeoutSeconds"], 300)
        self.assertIsNotNone(got["createdAt"].tzinfo)
        listed = {item["sessionId"]: item for item in client.list_sessions(status="READY", max_results=100)["items"]}
        self.assertEqual(listed[id]["name"], "mine")
        self.assertGreaterEqual(listed[id]["lastUpdatedAt"], listed[id]["createdAt"])

        identifier = client.identifier
        self.assertTrue(client.stop())
        self.assertIsNone(client.session_id)
        self.assertEqual(client.get_session(identifier, id)["status"], "TERMINATED")

    def test_variables_stay_until_they_are_cleared(self):
        with code_session("us-east-1") as client:
            client_says = lambda code, **more: kit.one_result(client.execute_code(code, **more))
            client_says("x = 10")
            self.assertEqual(client_says("print(x)")["structuredContent"]["stdout"], "10")
            self.assertFalse(kit.one_result(client.clear_context())["isError"])
            gone = client_says("print(x)")["structuredContent"]["stderr"]
            self.assertTrue(gone.endswith("NameError: name 'x' is not defined"), gone)
            client_says("y = 1", clear_context=True)
            self.assertTrue(client_says("print(y)", clear_context=True)["isError"])

    def test_files(self):
        everything = bytes(range(256)) * 300
        with code_session("us-east-1") as client:
            told = kit.one_result(client.upload_file("in/a.txt", "zeile\r\n☃\n", description="a text"))
            self.assertEqual(kit.texts(told), ["Successfully wrote all 1 files"])
            told = client.upload_files(
                [{"path": "b.bin", "content": everything}, {"path": "c.csv", "content": "n\n1\n"}]
            )
            self.assertEqual(kit.texts(kit.one_result(told)), ["Successfully wrote all 2 files"])
            self.assertEqual(client.download_file("in/a.txt"), "zeile\r\n☃\n")
            self.assertEqual(client.download_file("b.bin"), everything)
            self.assertEqual(
                client.download_files(["in/a.txt", "b.bin"]), {"/in/a.txt": "zeile\r\n☃\n", "/b.bin": everything}
            )
            with self.assertRaises(FileNotFoundError):
                client.download_file("gone.txt")
            listed = kit.one_result(client.invoke("listFiles"))["content"]
            self.assertEqual(sorted(block["name"] for block in listed), ["b.bin", "c.csv", "in"])

    def test_an_installation_is_refused_with_the_reason(self):
        with code_session("us-east-1") as client:
            told = kit.one_result(client.install_packages(["yfinance", "left-pad==1.0"]))
            self.assertTrue(told["isError"])
            structured = told["structuredContent"]
            self.assertEqual((structured["stdout"], structured["exitCode"]), ("", 1))
            self.assertRegex(structured["stderr"], "NameResolutionError|name resolution")
            self.assertIn("No matching distribution found for yfinance", structured["stderr"])

    def test_the_first_call_opens_a_session(self):
        client = CodeInterpreter("us-east-1")
        self.addCleanup(client.stop)
        self.assertEqual(kit.one_result(client.execute_code("1 + 1"))["structuredContent"]["stdout"], "2")
        self.assertRegex(client.get_session()["name"], "^code-session-[0-9a-f]{8}$")

    def test_interpreters(self):
        client = CodeInterpreter("us-east-1")
        made = client.create_code_interpreter(
            name="sdk_made",
            execution_role_arn="arn:aws:iam::123456789012:role/any",
            network_configuration={"networkMode": "SANDBOX"},
            description="for a test",
            tags={"team": "a"},
        )
        id = made["codeInterpreterId"]
        try:
            got = client.get_code_interpreter(id)
            self.assertEqual((got["name"], got["description"], got["status"]), ("sdk_made", "for a test", "READY"))
            self.assertEqual(got["networkConfiguration"], {"networkMode": "SANDBOX"})
            self.assertIn(id, [item["codeInterpreterId"] for item in client.list_code_interpreters("CUSTOM", 100)["codeInterpreterSummaries"]])
            with code_session("us-east-1", identifier=id) as session:
                self.assertEqual(kit.one_result(session.execute_code("print(1)"))["structuredContent"]["stdout"], "1")
        finally:
            self.assertEqual(client.delete_code_interpreter(id)["status"], "DELETING")
        with self.refused("ResourceNotFoundException", 404, id):
            client.get_code_interpreter(id)

    def test_the_sdks_own_variables(self):
        program = (
            "from bedrock_agentcore.tools.code_interpreter_client import CodeInterpreter, code_session\n"
            "with code_session('us-east-1') as client:\n"
            "    [event] = client.execute_code('print(6 * 7)')['stream']\n"
            "    print(event['result']['structuredContent']['stdout'])\n"
            "    print(len(CodeInterpreter('us-east-1').list_code_interpreters('SYSTEM')['codeInterpreterSummaries']))\n"
        )
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_ENDPOINT_URL")}
        environment |= {"BEDROCK_AGENTCORE_DP_ENDPOINT": kit.URL, "BEDROCK_AGENTCORE_CP_ENDPOINT": kit.URL}
        ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
        self.assertEqual((ran.stdout, ran.returncode), ("42\n1\n", 0), ran.stderr)
