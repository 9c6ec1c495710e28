"""Reads the memory of a process on the host through /proc.

decoy: process
stopped by: user, landlock
as root: capabilities
"""
with open(f"/proc/{FACTS['pid']}/mem", "rb", buffering=0) as memory:
    memory.seek(FACTS["secret"])
    show(memory.read(FACTS["length"]))
