"""Reads the kernel's memory.

decoy: word
stopped by: root
as root: capabilities, user
needs: root
"""
if read(needs("/proc/kcore"), 4) == b"\x7fELF":
    won()
