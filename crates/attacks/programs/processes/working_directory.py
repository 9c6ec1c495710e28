"""Reads a file through the working directory of a process on the host.

decoy: process
stopped by: user, landlock
as root: capabilities
"""
show(read(f"/proc/{FACTS['pid']}/cwd/secret.txt"))
