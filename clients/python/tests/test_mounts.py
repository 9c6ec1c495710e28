"""File systems that sessions mount: which files they share, and that all of it is kept without anybody asking."""

import json
import uuid

from . import kit
from .tools import MountedTools


class Mounts(kit.TestCase):
    def mounted(self, point, path="/mnt/data", kind="s3Files", **options):
        return self.session(filesystemConfigurations=[kit.mount(point, path, kind)], **options)

    def test_whoever_mounts_the_same_access_point_sees_the_same_files(self):
        point = kit.new_point()
        first = self.mounted(point)
        self.assertEqual(first.code("import os\nprint(os.getcwd(), os.listdir())"), "/mnt/data []")
        first.code("os.makedirs('a/b')\nopen('a/b/one.txt', 'w').write('1')\nopen('/mnt/data/two.bin', 'wb').write(bytes(range(256)))")
        first.write("/mnt/data/three.txt", "3")
        self.assertEqual(first.command("pwd; ls"), "/mnt/data\na\nthree.txt\ntwo.bin\n")
        first.stop()
        # At another place, and as the other kind of file system.
        second = self.mounted(point, "/mnt/other.place", "efs")
        self.assertEqual(second.code("import os\nprint(os.getcwd(), sorted(os.listdir()))"), "/mnt/other.place ['a', 'three.txt', 'two.bin']")
        self.assertEqual(second.read("/mnt/other.place/a/b/one.txt"), "1")
        self.assertEqual(second.read("two.bin"), bytes(range(256)))
        self.assertEqual(second.read("/mnt/other.place/three.txt"), "3")
        # Another access point has nothing of it, and neither has a session without one.
        for session in (self.mounted(kit.new_point()), self.session()):
            self.assertEqual(session.code("import os\nprint(os.listdir())"), "[]")

    def test_what_is_removed_stays_removed(self):
        point = kit.new_point()
        with kit.Session(filesystemConfigurations=[kit.mount(point)]) as first:
            first.code("import os\nos.mkdir('d')\nfor name in ('d/a', 'd/b', 'c', 'e'): open(name, 'w').write(name)")
        with kit.Session(filesystemConfigurations=[kit.mount(point)]) as second:
            second.call("removeFiles", paths=["/mnt/data/c"])
            second.command("rm -r d && mv e f")
        third = self.mounted(point)
        self.assertEqual(third.command("find . -type f"), "./f\n")
        self.assertEqual(third.read("f"), "e")

    def test_nothing_has_to_be_stopped_to_be_kept(self):
        point = kit.new_point()
        first, second = self.mounted(point), self.mounted(point)
        first.code("open('notes', 'w').write('from the first')")
        has = lambda session, text: lambda: text in session.command("cat notes 2>/dev/null; true")
        kit.until(has(second, "from the first"), what="what another session wrote")
        second.command("echo and from the second >> notes")
        kit.until(has(first, "and from the second"), what="what was changed there")
        # A task that goes on meanwhile.
        first.call("startCommandExecution", command="echo running > task && sleep 600")
        kit.until(lambda: first.command("cat task 2>/dev/null; true") == "running\n", what="the task")
        kit.until(lambda: second.command("cat task 2>/dev/null; true") == "running\n", what="what a task writes")

    def test_a_session_without_one_leaves_nothing(self):
        with self.session() as first:
            first.code("open('gone', 'w').write('x')")
        self.assertEqual(self.session().code("import os\nprint(os.listdir())"), "[]")

    def test_the_configuration_is_told_as_it_was_sent(self):
        for path in ("/mnt/workspace", "/mnt/a.b_c-D/"):
            sent = [kit.mount(kit.new_point(), path)]
            session = self.session(filesystemConfigurations=sent)
            self.assertEqual(session.get()["filesystemConfigurations"], sent)
            self.assertEqual(session.command("pwd"), path.rstrip("/") + "\n")
            session.stop()
            self.assertEqual(session.get()["filesystemConfigurations"], sent)
        self.assertNotIn("filesystemConfigurations", self.session().get())

    def test_the_usual_place_leads_there_too(self):
        session = self.mounted(kit.new_point())
        self.assertEqual(session.command('cd "/mnt/workspace" && echo x > y && pwd -P'), "/mnt/data\n")
        self.assertEqual(session.read("/mnt/data/y"), "x\n")
        self.assertEqual(session.code("import os\nos.chdir('/mnt/workspace')\nprint(os.getcwd())"), "/mnt/data")
        # Nothing else can be there.
        result = session.call("writeFiles", content=[{"path": "/mnt/elsewhere/x", "text": ""}])
        self.assertTrue(result["isError"], result)

    def test_tools_that_go_through_a_mount(self):
        point = kit.new_point()
        begin = lambda: MountedTools(self.mounted(point, "/mnt/workspace", name=f"workspace-{uuid.uuid4().hex}"[:42]))
        tools = begin()
        self.assertEqual(tools.probe(), "ok")
        tools.file_operations("write", content=[{"path": "inputs/data.csv", "text": "a,b\n1,2\n"}])
        self.assertEqual(tools.execute_command("wc -l < inputs/data.csv"), "2\n")
        picture = "from PIL import Image\nImage.new('RGB', (20, 10), 'blue').save('chart.png')"
        self.assertEqual(json.loads(tools.execute_code(picture, output_filename="chart.png"))["status"], "success")
        tools.session.stop()
        tools = begin()
        self.assertEqual(tools.probe(), "ok")
        names = [entry["name"] for entry in json.loads(tools.file_operations("list"))]
        self.assertEqual(names, ["chart.png", "inputs"])
        self.assertEqual(tools.file_operations("read", ["inputs/data.csv"]), "a,b\n1,2\n")
        self.assertEqual(kit.png(tools.blob("/mnt/workspace/chart.png"))[:2], (20, 10))


class Interpreters(kit.TestCase):
    """What an interpreter has mounted, all of its sessions have."""

    def setUp(self):
        self.control = kit.control_client()

    def interpreter(self, *mounts):
        made = self.control.create_code_interpreter(
            name=f"m{uuid.uuid4().hex[:20]}", networkConfiguration={"networkMode": "SANDBOX"}, filesystemConfigurations=list(mounts)
        )
        self.addCleanup(self.control.delete_code_interpreter, codeInterpreterId=made["codeInterpreterId"])
        return made["codeInterpreterId"]

    def test_its_sessions_have_it_mounted(self):
        point = kit.new_point()
        configured = kit.mount(point)
        identifier = self.interpreter(configured)
        self.assertEqual(self.control.get_code_interpreter(codeInterpreterId=identifier)["filesystemConfigurations"], [configured])
        with self.session(identifier=identifier) as first:
            self.assertEqual(first.get()["filesystemConfigurations"], [configured])
            first.code("open('of-the-interpreter', 'w').write('x')")
        # A session's own takes the same place.
        own = kit.mount(kit.new_point(), "/mnt/data/")
        second = self.session(identifier=identifier, filesystemConfigurations=[own])
        self.assertEqual(second.get()["filesystemConfigurations"], [own])
        self.assertEqual(second.command("pwd; ls"), "/mnt/data\n")
        with self.refused("ValidationException", 400, "one access point", point, field="filesystemConfigurations"):
            kit.Session(identifier=identifier, filesystemConfigurations=[kit.mount(kit.new_point(), "/mnt/second")])

    def test_one_is_mounted_and_no_more(self):
        two = [kit.mount("fsap-one", "/mnt/one"), kit.mount("fsap-two", "/mnt/two", "efs")]
        with self.refused("ValidationException", 400, "`fsap-one` at `/mnt/one` and `fsap-two` at `/mnt/two`", field="filesystemConfigurations"):
            kit.Session(filesystemConfigurations=two)
        with self.refused("ValidationException", 400, "one access point", field="filesystemConfigurations"):
            self.interpreter(*two)

    def test_what_cannot_be_mounted_is_refused(self):
        for field, part, point, path in [
            ("mountPath", "pattern", "fsap-1", "/data/x"),
            ("mountPath", "pattern", "fsap-1", "/mnt/a/b"),
            ("mountPath", "no names", "fsap-1", "/mnt/.."),
            ("mountPath", "less than or equal to 200", "fsap-1", "/mnt/" + "x" * 196),
            ("accessPointArn", "begins with a letter or a digit", "..", "/mnt/data"),
            ("accessPointArn", "letters, digits", "not plain", "/mnt/data"),
            ("accessPointArn", "1 to 128", "", "/mnt/data"),
        ]:
            with self.subTest(point=point, path=path), self.refused(
                "ValidationException", 400, part, reason="FieldValidationFailed", field=f"filesystemConfigurations[0].{field}"
            ):
                kit.Session(filesystemConfigurations=[kit.mount(point, path)])
        wrong = kit.mount("fsap-1")
        wrong["s3FilesConfiguration"]["accessPointArn"] = "fsap-1"
        with self.refused("ValidationException", 400, "access-point/ID", field="filesystemConfigurations[0].accessPointArn"):
            kit.Session(filesystemConfigurations=[wrong])
        twice = [kit.mount("fsap-1"), kit.mount("fsap-2", "/mnt/data/")]
        with self.refused("ValidationException", 400, "there twice", field="filesystemConfigurations[1].mountPath"):
            kit.Session(filesystemConfigurations=twice)
