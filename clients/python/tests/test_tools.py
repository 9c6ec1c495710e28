"""Both generations of the tools that agents put on top: each of their steps, against the server."""

import json
import uuid

from . import kit
from .tools import MountedTools, Tools


class Stored(kit.TestCase):
    """Files are copied from an object store and back."""

    def setUp(self):
        self.tools = Tools(self.session(sessionTimeoutSeconds=3600))

    def test_a_session_is_found_again_while_it_is_ready(self):
        session = self.tools.session
        got = session.get()
        self.assertEqual((got["status"], got["sessionTimeoutSeconds"]), ("READY", 3600))
        self.tools.execute_code("kept = 41")
        self.assertEqual(Tools(session).execute_code("print(kept + 1)"), "42")
        session.stop()
        self.assertEqual(session.get()["status"], "TERMINATED")

    def test_what_was_uploaded_is_there_before_the_first_call(self):
        everything = bytes(range(256)) * 40
        self.tools.store.update(
            {
                "documents/user/chat/raw/data.bin": everything,
                "documents/user/chat/excel/table.xlsx": b"first",
                "documents/other/chat/raw/foreign.bin": b"no",
            }
        )
        told = self.tools.execute_code("import os, hashlib\nprint(sorted(os.listdir('.')), len(open('data.bin', 'rb').read()))")
        self.assertEqual(told, "['data.bin', 'table.xlsx'] 10240")
        self.assertEqual(self.tools.session.read("data.bin"), everything)
        self.tools.store["documents/user/chat/zip/later.zip"] = b"PK"
        self.assertIn("later.zip", self.tools.execute_command("ls"))

    def test_failures_are_told_as_errors(self):
        code = "print('before')\n1/0" + "#" * 400
        told = json.loads(self.tools.execute_code(code))
        self.assertEqual((told["status"], told["code_snippet"]), ("error", code[:300]))
        self.assertTrue(told["error"].endswith("ZeroDivisionError: division by zero"), told)
        told = json.loads(self.tools.execute_command("echo out; echo err >&2; exit 3"))
        self.assertEqual(told, {"error": "out\nerr\n", "status": "error"})
        self.assertEqual(self.tools.execute_command("true"), "(no output)")
        self.assertEqual(self.tools.execute_command("echo err >&2; echo out"), "err\nout\n")
        self.assertEqual(self.tools.execute_code("x = 1"), "(no output)")

    def test_a_text_is_not_fetched_and_a_binary_is(self):
        told = json.loads(self.tools.execute_code("open('t.txt', 'w').close()", output_filename="t.txt"))
        self.assertEqual((told["status"], told["stdout"]), ("partial", "(none)"))
        told = self.tools.execute_code("n = open('b.xlsx', 'wb').write(b'PK\\x00\\xff' * 256)", output_filename="b.xlsx")
        self.assertEqual(told, "Code executed. File saved: b.xlsx (1.0 KB)")
        self.assertEqual(self.tools.store["documents/user/chat/excel/b.xlsx"], b"PK\x00\xff" * 256)

    def test_files(self):
        do = self.tools.file_operations
        self.assertEqual(do("write", content=[{"path": "it's".replace("'", ""), "text": "it's"}]), "Written: its")
        self.assertEqual(self.tools.session.read("its"), "it's")
        self.assertIn("Error writing no/dir: ", do("write", content=[{"path": "no/dir", "text": ""}]))
        # The error's text is taken for the content.
        self.assertEqual(do("read", ["gone.txt"]), "Error executing tool read_files: File gone.txt not found")
        self.assertEqual(do("remove", ["its"]), "Removed: its")
        told = json.loads(do("remove", ["its"]))
        self.assertIn("FileNotFoundError", told["error"])
        self.assertEqual(do("list"), "[]")
        for arguments, message in [
            (["read"], "paths required for read operation"),
            (["write"], "content required for write operation"),
            (["remove"], "paths required for remove operation"),
            (["copy"], "Unknown operation: 'copy'. Use: read, write, list, remove"),
        ]:
            self.assertEqual(json.loads(do(*arguments)), {"error": message, "status": "error"})

    def test_pushing_everything(self):
        self.tools.execute_code(
            "import os\nfor name in ('a.docx', 'b.pptx', 'c.pdf', 'd.py'): open(name, 'wb').write(b'\\0' + name.encode())\n"
            "os.mkdir('folder')"
        )
        told = json.loads(self.tools.ci_push_to_workspace())
        self.assertEqual(
            sorted(told["files_saved"]), ["code-output/d.py", "image/c.pdf", "powerpoint/b.pptx", "word/a.docx"]
        )
        self.assertEqual(self.tools.store["documents/user/chat/word/a.docx"], b"\0a.docx")
        # What is not there is pushed as the sentence that says so.
        told = json.loads(self.tools.ci_push_to_workspace(["gone.bin"]))
        self.assertEqual(told["count"], 1)
        self.assertIn(b"File gone.bin not found", self.tools.store["documents/user/chat/code-output/gone.bin"])


class Mounted(kit.TestCase):
    """Files are at a mounted directory, by absolute paths."""

    def setUp(self):
        mount = kit.mount(kit.new_point(), "/mnt/workspace")
        self.mount = mount
        self.tools = MountedTools(
            self.session(name=f"workspace-{uuid.uuid4().hex}"[:42], filesystemConfigurations=[mount])
        )

    def test_the_mount_is_told_and_can_be_written(self):
        self.assertEqual(self.tools.session.get()["filesystemConfigurations"], [self.mount])
        self.assertEqual(self.tools.probe(), "ok")

    def test_commands_begin_in_the_mount(self):
        self.assertEqual(self.tools.execute_command("pwd"), "/mnt/workspace\n")

    def test_an_output_is_read_by_its_absolute_path(self):
        told = json.loads(
            self.tools.execute_code(
                "from PIL import Image\nImage.new('RGB', (20, 10), 'blue').save('/mnt/workspace/o.png')", output_filename="o.png"
            )
        )
        self.assertEqual(told["status"], "success")
        self.assertEqual(kit.png(self.tools.store["documents/user/chat/image/o.png"])[:2], (20, 10))

    def test_files_go_through_code(self):
        do = self.tools.file_operations
        text = "it's\n\"two\" lines \\ é ☃\n"
        self.assertEqual(do("write", content=[{"path": "inputs/a.txt", "text": text}]), "Written: inputs/a.txt")
        # What is printed is stripped at its ends; what is in JSON is not.
        self.assertEqual(do("read", ["inputs/a.txt"]), text)
        do("write", content=[{"path": "long.txt", "text": "x" * 1_000_001}])
        both = json.loads(do("read", ["inputs/a.txt", "long.txt"]))
        self.assertEqual([file["truncated"] for file in both["files"]], [False, True])
        self.assertEqual(len(both["files"][1]["text"]), 1_000_000)
        self.assertEqual([entry["name"] for entry in json.loads(do("list"))], ["inputs", "long.txt"])
        self.assertEqual(do("remove", ["long.txt"]), "Removed: /mnt/workspace/long.txt")
        self.assertEqual(json.loads(do("read", ["../etc/passwd"]))["error"], "Path must stay inside the session workspace")
        self.assertIn("FileNotFoundError", json.loads(do("read", ["gone"]))["error"])

    def test_javascript(self):
        self.assertEqual(self.tools.execute_code("console.log(Deno.cwd())", language="javascript"), "/mnt/workspace")
