"""Mounts a /proc of its own, to find the host's processes in it.

decoy: process
stopped by: pid, seccomp, landlock
as root: capabilities, user
needs: root
"""
os.mkdir("proc")
check(libc.mount(b"none", b"proc", b"proc", 0, None))
show(read(f"proc/{FACTS['pid']}/environ"))
