"""The clients that people have, each tried once: `client.py [--authority FILE] CLIENT [ARGUMENT...]`.

Prints one line of JSON: whether it got its answer (`ok`), which (`answer`), or what the client said instead (`error`),
and how long that took (`seconds`). Needs nothing beside the standard library but the client itself.

  urllib, requests, httpx, curl, node, deno   URL
  git                                         URL of a repository
  pip                                         URL of an index; installs and imports `bed-wheel`
  npm                                         URL of a registry; installs and requires `bed-package`
  tcp                                         HOST PORT [TEXT]; sends the text, gives the first line that comes
  udp                                         HOST PORT TEXT; gives what comes back
  bulk                                        HOST PORT get|put BYTES; gives bits a second
  connect                                     HOST PORT COUNT; gives the median of connect, in seconds
  local                                       a server of its own, on 127.0.0.1 and on ::1
  tls                                         HOST PORT NAME [TEXT]; as tcp, in TLS that names NAME (`-`: nobody)
  lookup                                      SERVER NAME TYPE [tcp]; gives the code and the data of the answer's
                                              records of that type; SERVER `-` is the first that the system asks
  all                                         JSON, an array of these with their arguments; a line for each, in order
"""

import concurrent.futures
import errno
import ipaddress
import json
import os
import shutil
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

# Seconds. Nothing in a test bed takes that long; what waits for it was not refused at once.
PATIENCE = 20

# How each client is told of an authority. Only a test bed's needs that: what the machine trusts, a cell trusts.
TRUST = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "DENO_CERT",
    "GIT_SSL_CAINFO",
    "PIP_CERT",
    "npm_config_cafile",
]


class Refused(Exception):
    """The client said so."""


def run(*command: str, **environment: str) -> str:
    """What a program prints; what it complains of where it fails."""
    program = shutil.which(command[0])
    if program is None:
        raise Refused(f"no program {command[0]}")
    done = subprocess.run(
        [program, *command[1:]],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    if done.returncode:
        raise Refused(f"status {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def via_urllib(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return answer.read().decode()


def via_requests(url: str) -> str:
    import requests

    answer = requests.get(url, timeout=PATIENCE)
    answer.raise_for_status()
    return answer.text


def via_httpx(url: str) -> str:
    import httpx

    return httpx.get(url, timeout=PATIENCE).raise_for_status().text


def via_curl(url: str) -> str:
    return run("curl", "--silent", "--show-error", "--fail", "--max-time", str(PATIENCE), url)


FETCH = "const answer = await fetch(%s); console.log(await answer.text());"


def via_node(url: str) -> str:
    return run("node", "--input-type=module", "--eval", FETCH % json.dumps(url))


def via_deno(url: str) -> str:
    with tempfile.TemporaryDirectory() as directory:
        program = os.path.join(directory, "fetch.mjs")
        with open(program, "w") as file:
            file.write(FETCH % json.dumps(url))
        return run("deno", "run", "--quiet", "--no-config", "--allow-net", program, DENO_DIR=directory)


def via_git(url: str) -> str:
    with tempfile.TemporaryDirectory() as directory:
        run("git", "clone", "--quiet", url, f"{directory}/clone", GIT_TERMINAL_PROMPT="0", GIT_CONFIG_NOSYSTEM="1")
        with open(f"{directory}/clone/README") as file:
            return file.read().strip()


def via_pip(url: str) -> str:
    with tempfile.TemporaryDirectory() as directory:
        run(
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "0"),
            *("--no-cache-dir", "--no-deps", "--index-url", url, "--target", directory, "bed-wheel"),
        )
        sys.path.insert(0, directory)
        import bed_wheel

        return str(bed_wheel.ANSWER)


def via_npm(url: str) -> str:
    with tempfile.TemporaryDirectory() as directory:
        npm = os.path.realpath(shutil.which("npm") or "npm")
        with open(npm, encoding="utf-8") as script:
            # In a cell it is a script of the shell; else its first line names an interpreter that may not be there.
            node = [] if script.readline() == "#!/bin/sh\n" else ["node"]
        run(
            *(*node, npm, "install", "--registry", url, "--prefix", directory, "--cache", f"{directory}/cache"),
            *("--no-audit", "--no-fund", "--no-update-notifier", "--fetch-retries=0", "bed-package"),
            # It would stay behind in the directory of temporary files.
            NODE_DISABLE_COMPILE_CACHE="1",
        )
        return run("node", "--print", f"require({json.dumps(directory + '/node_modules/bed-package')})")


def via_tcp(host: str, port: str, text: str = "") -> str:
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        if text:
            connection.sendall(text.encode().decode("unicode_escape").encode())
        line = connection.makefile().readline()
        if not line:
            raise Refused("closed without a word")
        return line.strip()


def via_tls(host: str, port: str, name: str, text: str = "") -> str:
    # Hostile code looks at no certificate.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((host, int(port)), timeout=PATIENCE) as connection,
        context.wrap_socket(connection, server_hostname=None if name == "-" else name) as inner,
    ):
        inner.sendall(text.encode().decode("unicode_escape").encode())
        line = inner.makefile().readline()
        if not line:
            raise Refused("closed without a word")
        return line.strip()


TYPES = {"A": 1, "NULL": 10, "TXT": 16, "AAAA": 28, "HTTPS": 65, "ANY": 255}
CODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


def via_lookup(server: str, name: str, kind: str, via: str = "udp") -> str:
    if server == "-":
        with open("/etc/resolv.conf") as file:
            server = next(line.split()[1] for line in file if line.startswith("nameserver"))
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    query = struct.pack("!HHHHHH", 0xBED, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", TYPES[kind], 1)
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if via == "tcp" else socket.SOCK_DGRAM) as connection:
        connection.settimeout(PATIENCE)
        connection.connect((server, 53))
        if via == "tcp":
            connection.sendall(struct.pack("!H", len(query)) + query)
            stream = connection.makefile("rb")
            length = stream.read(2) or closed().encode()
            answer = stream.read(int.from_bytes(length))
        else:
            connection.send(query)
            answer = connection.recv(65536)
    flags, _, count = struct.unpack_from("!HHH", answer, 2)
    said, at = [CODES.get(flags & 15, str(flags & 15))], len(query)
    if flags & 0x0200:
        said.append("cut")
    for _ in range(count):
        while answer[at] and answer[at] < 64:
            at += 1 + answer[at]
        at += 2 if answer[at] else 1
        number, _, _, length = struct.unpack_from("!HHIH", answer, at)
        data, at = answer[at + 10 : at + 10 + length], at + 10 + length
        if number in (1, 28):
            said.append(str(ipaddress.ip_address(data)))
        elif number == 16:
            said.append(data[1:].decode())
        else:
            said.append(f"type{number}")
    return " ".join(said)


def via_udp(host: str, port: str, text: str) -> str:
    family, kind, protocol, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as datagrams:
        datagrams.settimeout(PATIENCE)
        datagrams.connect(address)
        datagrams.send(text.encode())
        return datagrams.recv(65536).decode()


def via_bulk(host: str, port: str, verb: str, size: str) -> str:
    left, buffer = int(size), bytearray(1 << 20)
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        start = time.perf_counter()
        connection.sendall(f"{verb} {size}\n".encode())
        if verb == "get":
            while left:
                left -= connection.recv_into(buffer, min(left, len(buffer))) or int(closed())
        else:
            while left:
                left -= connection.send(memoryview(buffer)[: min(left, len(buffer))])
            connection.recv(6)
        return str(int(int(size) * 8 / (time.perf_counter() - start)))


def closed() -> str:
    raise Refused("closed too early")


def via_connect(host: str, port: str, count: str) -> str:
    took = []
    for _ in range(int(count)):
        start = time.perf_counter()
        with socket.create_connection((host, int(port)), timeout=PATIENCE):
            took.append(time.perf_counter() - start)
    return str(statistics.median(took))


def via_local() -> str:
    heard = []
    for host in ("127.0.0.1", "::1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, 0), family=family) as server:

            def serve(server: socket.socket = server) -> None:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"here\n")

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            heard.append(via_tcp(host, str(server.getsockname()[1])))
            thread.join()
    return " ".join(heard)


def said(error: BaseException) -> str:
    """An error with those that led to it: libraries wrap them, and the first tells the reason."""
    if isinstance(error, OSError) and error.errno in errno.errorcode:
        own = f"{errno.errorcode[error.errno]}: {error}"
    else:
        own = f"{type(error).__name__}: {error}"
    before = error.__cause__ or error.__context__
    return f"{own}; {said(before)}" if before else own


def attempt(client: str, *rest: str) -> str:
    act = globals()[f"via_{client}"]
    result: dict = {"client": client, "arguments": rest}
    start = time.perf_counter()
    try:
        result |= {"ok": True, "answer": act(*rest)}
    except Exception as error:
        result |= {"ok": False, "error": said(error)}
    return json.dumps(result | {"seconds": round(time.perf_counter() - start, 4)})


def main() -> None:
    arguments = sys.argv[1:]
    if arguments[0] == "--authority":
        os.environ |= dict.fromkeys(TRUST, os.path.abspath(arguments[1]))
        del arguments[:2]
    if arguments[0] != "all":
        print(attempt(*arguments), flush=True)
        return
    # More at the same time would wait for each other, and not for who refuses them.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for line in pool.map(lambda each: attempt(*each), json.loads(arguments[1])):
            print(line, flush=True)


if __name__ == "__main__":
    main()
