"""Opens a file that a process on the host has open, through /proc.

decoy: process
stopped by: user, landlock
as root: capabilities
"""
show(read(f"/proc/{FACTS['pid']}/fd/{FACTS['descriptor']}"))
