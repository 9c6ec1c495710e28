"""Plants what an attack goes for, and tells whether it was had.

main.py NAME SECRET stage|machine SCRATCH WORKSPACE ENVIRONMENT WALLS_APART

Prints what the attack may know, as one line of JSON, or {"skip": why}. Then answers lines: {"run": [argv]} runs the
attack behind this decoy's stage and answers {"said": what it printed}; "changed" answers whether the decoy was
tampered with. At the end of input everything is taken away again.

What is planted on the machine itself is for attacks from a real cell.
"""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import between
import files
import processes
from common import ENVIRONMENT, NAME, OUTSIDE, PLACE, ROOT, SCRATCH, STAGED, Skip, check, decoy, libc, mount


def set_stage():
    """Nothing that the attack mounts or renames is the machine's."""
    if libc.unshare(0x00020000 | 0x04000000) != 0:
        raise Skip("this root may not make a stage for it")
    mount(None, "/", 16384 | (1 << 18))
    # Others may not be able to go to where it is installed.
    place = os.path.join(SCRATCH, "environment")
    os.mkdir(place)
    mount(ENVIRONMENT, place, 4096)
    socket.sethostname("stage")
    return place


def run(argv, environment):
    # Whatever the attack leaves running becomes a child of this process, and ends with it.
    done = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            pass_fds=decoy.handed,
                            preexec_fn=decoy.before_run, env=environment)
    said = []
    reader = threading.Thread(target=lambda: said.append(done.stdout.read()), daemon=True)
    reader.start()
    try:
        done.wait(30)
    except subprocess.TimeoutExpired:
        pass
    end_descendants()
    done.wait()
    reader.join()
    return b"".join(said).decode(errors="replace")


def end_descendants():
    """Ends every process below this one but the decoy's own."""
    for _ in range(1000):
        found = [pid for pid in descendants() if pid not in own]
        if not found:
            return
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except OSError:
                pass


def descendants():
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = open(f"/proc/{name}/stat").read().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(name)] = int(fields[1])
    found, last = set(), {os.getpid()}
    while last:
        last = {pid for pid, parent in parents.items() if parent in last}
        found |= last
    return sorted(found)


def plant():
    for module in (files, processes, between):
        if hasattr(module, NAME):
            return getattr(module, NAME)()
    raise NameError(f"there is no decoy `{NAME}`")


def main():
    global own
    check(libc.prctl(36, 1, 0, 0, 0))
    if ROOT:
        # Enough of everything that only a layer is in the way.
        for limit, least in ((resource.RLIMIT_NOFILE, 1 << 19), (resource.RLIMIT_MEMLOCK, 1 << 30)):
            most = max(least, resource.getrlimit(limit)[1])
            try:
                resource.setrlimit(limit, (most, most))
            except (ValueError, OSError):
                pass  # The host's own limit is lower: the control says so.
    os.makedirs(OUTSIDE, exist_ok=True)
    environment = ENVIRONMENT
    try:
        if STAGED:
            environment = set_stage()
        facts = plant()
    except Skip as why:
        facts = {"skip": str(why)}
    own = set(descendants())
    print(json.dumps(facts | {"environment": environment, "place": PLACE}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        answer = decoy.changed() if question == "changed" else {"said": run(question["run"], {"RUST_BACKTRACE": "0"})}
        print(json.dumps(answer), flush=True)


try:
    main()
finally:
    for farewell in reversed(decoy.farewells):
        farewell()
