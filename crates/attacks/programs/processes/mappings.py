"""Reads what a process on the host has mapped; a name is a secret.

decoy: process
stopped by: user
as root: capabilities
"""
show(read(f"/proc/{FACTS['pid']}/maps"))
