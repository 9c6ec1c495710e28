"""Four tools as agents offer them to a model, on top of boto3: what reads the server's answers in the field.

`execute_code`, `execute_command`, `file_operations` and `ci_push_to_workspace` take what a model writes (`tool_input`)
and give back a text. There are two generations: `Tools` keeps files in an object store and copies them to and fro;
`MountedTools` finds them at `/mnt/workspace` and goes through code for every file. How they read answers (what they
join, what they pass over) is as found, oddities included: the server must suit them, not they the server.
"""

import base64
import json
import os
import posixpath

IMAGES = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "gif": "png", "webp": "png"}
KINDS = {"docx": "word", "xlsx": "excel", "pptx": "powerpoint"} | dict.fromkeys(
    ["png", "jpg", "jpeg", "gif", "webp", "bmp", "pdf"], "image"
)
MOUNT = "/mnt/workspace"


def error(text, **more):
    return json.dumps({"error": text, **more, "status": "error"})


def kind_of(name):
    return KINDS.get(name.rpartition(".")[2].lower(), "code-output")


class Failed(Exception):
    pass


class Tools:
    """The generation that keeps files in a store, here a dictionary from key to bytes."""

    def __init__(self, session, store=None, user="user", chat="chat"):
        self.session = session
        self.store = {} if store is None else store
        self.prefix = f"documents/{user}/{chat}/"
        self.copied = set()

    # What every tool begins with: what is new in the store goes to where code runs.

    def preload(self):
        for key in sorted(self.store):
            if key.startswith(self.prefix) and key not in self.copied:
                packed = base64.b64encode(self.store[key]).decode()
                name = key.rpartition("/")[2]
                self.run(f"import base64\nopen({name!r}, 'wb').write(base64.b64decode('{packed}'))")
                self.copied.add(key)

    # How answers are read.

    def invoke(self, name, arguments):
        out, failed = [], None
        for event in self.session.respond(name, arguments)["stream"]:
            result = event.get("result", {})
            structured = result.get("structuredContent", {})
            out.append(structured.get("stdout", ""))
            if result.get("isError"):
                failed = structured.get("stderr") or "Unknown error"
        return "".join(out), failed

    def run(self, code, language="python"):
        out, failed = self.invoke("executeCode", {"code": code, "language": language})
        if failed is not None:
            raise Failed(failed)
        return out

    def blob(self, path):
        for event in self.session.respond("readFiles", {"paths": [path]})["stream"]:
            for item in event.get("result", {}).get("content", []):
                found = item.get("data") or item.get("resource", {}).get("blob")
                if found:
                    return found
        return None

    # The tools.

    def execute_code(self, code, language="python", output_filename=""):
        self.preload()
        out, failed = self.invoke("executeCode", {"code": code, "language": language})
        if failed is not None:
            return error(failed, code_snippet=code[:300])
        if not output_filename:
            return out or "(no output)"
        data = self.blob(output_filename)
        if data is None:
            told = {"warning": f"Code executed but could not download '{output_filename}'."}
            return json.dumps({**told, "stdout": out[:500] or "(none)", "status": "partial"})
        self.store[f"{self.prefix}{kind_of(output_filename)}/{os.path.basename(output_filename)}"] = data
        told = f"Code executed. File saved: {output_filename} ({len(data) / 1024:.1f} KB)"
        if out:
            told += "\n\nstdout:\n" + out[:500]
        form = IMAGES.get(output_filename.rpartition(".")[2].lower())
        if form:
            image = {"image": {"format": form, "source": {"bytes": "__IMAGE_BYTES__"}}}
            return json.dumps({"content": [{"text": told}, image], "status": "success"})
        return told

    def execute_command(self, command):
        self.preload()
        out, failed = self.invoke("executeCommand", {"command": command})
        return error(failed) if failed is not None else out or "(no output)"

    def file_operations(self, operation, paths=None, content=None):
        self.preload()
        try:
            return self.file_operation(operation, paths, content)
        except Failed as failed:
            return error(str(failed))

    def file_operation(self, operation, paths, content):
        if operation == "read":
            if not paths:
                return error("paths required for read operation")
            found = []
            for event in self.session.respond("readFiles", {"paths": paths})["stream"]:
                found += [item["text"] for item in event["result"]["content"] if item.get("text")]
            return "\n".join(found) or "(empty)"
        if operation == "write":
            if not content:
                return error("content required for write operation")
            told = []
            for entry in content:
                text = entry["text"].replace("'", "\\'")
                try:
                    self.run(f"open('{entry['path']}', 'w').write('{text}')")
                    told.append(f"Written: {entry['path']}")
                except Failed as failed:
                    told.append(f"Error writing {entry['path']}: {failed}")
            return "\n".join(told)
        if operation == "list":
            where = (paths or ["."])[0]
            return self.run(LIST.format(where=where)) or "[]"
        if operation == "remove":
            if not paths:
                return error("paths required for remove operation")
            told = [self.run(f"import os\nos.remove('{path}')\nprint('Removed: {path}')") for path in paths]
            return "\n".join(told) or "Done"
        return error(f"Unknown operation: '{operation}'. Use: read, write, list, remove")

    def ci_push_to_workspace(self, paths=None):
        self.preload()
        if not paths:
            paths = json.loads(self.run("import os, json\nprint(json.dumps([n for n in os.listdir('.') if os.path.isfile(n)]))"))
        saved = []
        for path in paths:
            # Texts come as `text`, which this generation passes over without a word.
            for event in self.session.respond("readFiles", {"paths": [path]})["stream"]:
                for item in event["result"]["content"]:
                    data = item.get("resource", {}).get("blob") or item.get("text", "").encode()
                    if data:
                        name = f"{kind_of(path)}/{os.path.basename(path)}"
                        self.store[self.prefix + name] = data
                        saved.append(name)
        return json.dumps({"files_saved": saved, "count": len(saved), "status": "ok"})


LIST = """
import os, json
found = []
for name in sorted(os.listdir('{where}')):
    path = os.path.join('{where}', name)
    kind = 'directory' if os.path.isdir(path) else 'file'
    found.append({{'name': name, 'type': kind, 'size': os.path.getsize(path)}})
print(json.dumps(found, indent=2))
"""


class MountedTools(Tools):
    """The generation whose files are at a mounted directory. There is no push: what is written there is kept."""

    LIMIT = 1_000_000

    def preload(self):
        pass

    def probe(self):
        """The write probe after a session was opened."""
        try:
            return self.run(f"import os\nos.chdir('{MOUNT}')\nopen('.probe', 'w').write('1')\nos.remove('.probe')\nprint('ok')")
        except Failed as failed:
            raise RuntimeError(f"the workspace cannot be written: {failed}") from failed

    def execute_code(self, code, language="python", output_filename=""):
        if language != "python":
            code = f'Deno.chdir("{MOUNT}");\n{code}'
        path = posixpath.join(MOUNT, output_filename) if output_filename else ""
        return super().execute_code(code, language, path)

    def execute_command(self, command):
        return super().execute_command(f'cd "{MOUNT}" && {command}')

    def inside(self, path):
        whole = posixpath.normpath(posixpath.join(MOUNT, path))
        if whole != MOUNT and not whole.startswith(MOUNT + "/"):
            raise Failed("Path must stay inside the session workspace")
        return whole

    def file_operation(self, operation, paths, content):
        if operation == "read" and paths:
            wanted = json.dumps([[path, self.inside(path)] for path in paths])
            found = self.run(READ.format(wanted=wanted, limit=self.LIMIT))
            try:
                files = json.loads(found)
            except ValueError:
                raise Failed("Code Interpreter returned an invalid read result") from None
            return files[0]["text"] if len(files) == 1 else json.dumps({"files": files, "status": "success"})
        if operation == "write" and content:
            for entry in content:
                packed = base64.b64encode(entry["text"].encode()).decode()
                self.run(WRITE.format(path=self.inside(entry["path"]), packed=packed))
            return "\n".join(f"Written: {entry['path']}" for entry in content)
        if operation == "list":
            return super().file_operation(operation, [self.inside((paths or ["."])[0])], None)
        if operation == "remove" and paths:
            return super().file_operation(operation, [self.inside(path) for path in paths], None)
        return super().file_operation(operation, paths, content)


READ = """
import json
found = []
for name, path in json.loads({wanted!r}):
    with open(path, encoding='utf-8', errors='replace') as f: text = f.read({limit} + 1)
    found.append({{'path': name, 'text': text[:{limit}], 'truncated': len(text) > {limit}}})
print(json.dumps(found))
"""

WRITE = """
import base64, os
os.makedirs(os.path.dirname('{path}'), exist_ok=True)
with open('{path}', 'wb') as f: f.write(base64.b64decode('{packed}'))
"""
