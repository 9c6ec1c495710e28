"""Stands in for a forkserver: leaves a kernel behind as an orphan of init.

Called with the path of a socket on which the kernel's three descriptors come, and the path of the kernel's source.
"""

import os
import socket
import sys

server = socket.socket(socket.AF_UNIX)
server.connect(sys.argv[1])
_, (kernel, stdout, stderr), _, _ = socket.recv_fds(server, 1, 3)
if os.fork() == 0:
    os.setsid()
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.set_inheritable(kernel, True)
    # Only when this process's parent is init is it a kernel as a forkserver makes them.
    parent = int(sys.argv[3])
    while os.getppid() != parent:
        os.sched_yield()
    os.execv(sys.executable, [sys.executable, "-I", "-S", sys.argv[2], str(kernel)])
