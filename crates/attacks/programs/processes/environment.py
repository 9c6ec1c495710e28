"""Reads the environment of a process on the host from /proc.

decoy: process
stopped by: user
as root: capabilities
"""
show(read(f"/proc/{FACTS['pid']}/environ"))
