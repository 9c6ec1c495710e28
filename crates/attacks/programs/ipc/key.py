"""Reads a key that the kernel keeps for a user of the host's, by its number.

decoy: key
stopped by: seccomp
as root: user
"""
buffer = ctypes.create_string_buffer(1000)
call(250, 11, FACTS["id"], buffer, 1000)
show(buffer.raw)
