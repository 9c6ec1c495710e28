"""A forkserver in small: warms up, tells what is left, then forks a kernel for each socket that it is sent."""

import json
import os
import socket
import sys


def main() -> None:
    sources, level, fd = sys.argv[1:]
    sys.path.insert(0, sources)
    import cellblock_kernel

    control = socket.socket(fileno=int(fd))
    control.sendall(json.dumps(cellblock_kernel.warm(level)).encode() + b"\n")
    while True:
        data, fds, _, _ = socket.recv_fds(control, 1 << 16, 3)
        if not data:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            order = json.loads(data)
            os.environ.clear()
            os.environ.update(order["env"])
            os.chdir(order["cwd"])
            for number, end in enumerate(fds[1:], 1):
                os.dup2(end, number)
            os.closerange(3, fds[0])
            os.closerange(fds[0] + 1, 256)
            cellblock_kernel.serve(fds[0])
        for end in fds:
            os.close(end)
        control.sendall(f"{pid}\n".encode())


if __name__ == "__main__":
    main()
