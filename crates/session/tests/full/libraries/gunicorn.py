import subprocess

with open("web.py", "w") as file:
    file.write("def app(environ, start):\n    start('200 OK', [])\n    return [b'served']\n")
told = subprocess.run(["gunicorn", "--check-config", "web:app"], capture_output=True, text=True)
assert told.returncode == 0, told
