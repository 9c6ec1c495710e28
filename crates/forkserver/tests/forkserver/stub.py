"""Stands in for the kernels' package: evaluates what it is sent, a line at a time, and answers with the result's repr."""

import os
import socket

AT_WARMING = {}


def warm(level):
    import ctypes
    import random, secrets, tempfile, uuid  # noqa: E401, F401

    prctl = ctypes.CDLL(None).prctl
    AT_WARMING.update(pid=os.getpid(), level=level, dumpable=prctl(3, 0, 0, 0, 0), environ=dict(os.environ))
    if level == "data":
        import numpy.random  # noqa: F401


def serve(fd):
    stream = socket.socket(fileno=fd).makefile("rw")
    print("ready", file=stream, flush=True)
    names = {"warming": AT_WARMING}
    for line in stream:
        try:
            exec("import os, sys, signal, threading", names)
            if line.startswith("!"):
                exec(line[1:].replace("\x1f", "\n"), names)
                result = names.get("result")
            else:
                result = eval(line, names)
        except BaseException as error:
            result = error
        print(repr(result), file=stream, flush=True)
