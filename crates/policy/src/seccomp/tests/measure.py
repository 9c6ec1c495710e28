#!/usr/bin/env python3
"""Counts the system calls that processes of cells make, from what strace tells about all of a program's processes.

    strace -f -q -s 0 --decode-pids=pidns -o '|python3 calls.py OUT.tsv' PROGRAM...

A process counts from the moment when it has installed the filter, and its descendants count from their birth. Each line
of OUT.tsv is a call, an error ("-" for none) and how often: calls whose verdict depends on arguments carry them.
"""

import collections
import re
import sys

LINE = re.compile(rb"(\d+) +(\w+)\((.*)")
GONE = re.compile(rb"(\d+) +\+\+\+ ")
RESUMED = re.compile(rb"(\d+) +<\.\.\. (\w+) resumed>(.*)")
RESULT = re.compile(rb"\) += (-?\d+|\?|0x[0-9a-f]+)(?: (E\w+))?(?:.*?/\* (\d+) in strace's PID NS \*/)?")
BIRTHS = {b"clone", b"clone3", b"fork", b"vfork"}
# Which arguments tell, where they do.
TELLING = {b"socket": 3, b"socketpair": 3, b"prctl": 1, b"personality": 1, b"setsockopt": 3, b"ioctl": 2, b"clone": 3,
           b"memfd_create": 2, b"mknodat": 3, b"mknod": 2, b"arch_prctl": 1, b"seccomp": 1}

before, after, parents, born, confined, unfinished = {}, {}, {}, {}, set(), {}
# How many processes have had an id before: ids come round again.
gone = collections.Counter()


def life(pid):
    return pid, gone[pid]


def arguments(name, text):
    count = TELLING.get(name)
    if count is None:
        return b""
    parts = text.split(b")")[0].split(b", ")[:count]
    if name == b"clone":
        parts = [part for part in parts if part.startswith(b"flags=")]
    elif name in (b"ioctl", b"setsockopt", b"memfd_create"):
        parts = parts[1:]
    elif name in (b"mknodat", b"mknod"):
        parts = [re.sub(rb"\|0\d+", b"", parts[-1])]
    return b" " + b",".join(parts)


def done(pid, name, shown, rest):
    result = RESULT.search(rest)
    error = result.group(2) if result and result.group(2) else b"-"
    process = life(pid)
    table = after if process in confined else before
    table.setdefault(process, collections.Counter())[name + shown, error] += 1
    if result and error == b"-":
        if name in BIRTHS and result.group(1) not in (b"?", b"0"):
            child = life(result.group(3) or result.group(1))
            parents[child] = process
            born[child] = process in confined
        elif name == b"seccomp" and b"SET_MODE_FILTER" in shown:
            confined.add(process)


for line in sys.stdin.buffer:
    if match := LINE.match(line):
        pid, name, rest = match.groups()
        if rest.endswith(b"<unfinished ...>"):
            unfinished[pid] = name, arguments(name, rest.removesuffix(b" <unfinished ...>"))
        else:
            done(pid, name, arguments(name, rest), rest)
    elif match := RESUMED.match(line):
        pid, name, rest = match.groups()
        told = unfinished.pop(pid, (name, b""))
        done(pid, name, told[1], rest)
    elif match := GONE.match(line):
        gone[match.group(1)] += 1

counted = collections.Counter()
for process in before.keys() | after.keys():
    ancestor, inside = process, False
    while ancestor in parents and not inside:
        inside, ancestor = born[ancestor], parents[ancestor]
    counted.update(after.get(process, {}))
    if inside:
        counted.update(before.get(process, {}))
with open(sys.argv[1], "wb") as out:
    for (call, error), count in sorted(counted.items()):
        out.write(b"%s\t%s\t%d\n" % (call, error, count))
