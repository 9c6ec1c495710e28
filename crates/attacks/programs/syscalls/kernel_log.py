"""Reads the kernel's log.

decoy: word
stopped by: seccomp
"""
buffer = ctypes.create_string_buffer(1 << 16)
try:
    length = call(103, 3, buffer, len(buffer))
except PermissionError:
    if FACTS["control"]:
        skip("this host lets nobody but root read its log")
    raise
if length > 0:
    won()
