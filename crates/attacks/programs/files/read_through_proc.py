"""Reads a file of the host's through the root directory of a process there.

decoy: process
stopped by: user, landlock
as root: capabilities
"""
directory = os.readlink(f"/proc/{FACTS['pid']}/cwd")
show(read(f"/proc/{FACTS['pid']}/root{directory}/secret.txt"))
