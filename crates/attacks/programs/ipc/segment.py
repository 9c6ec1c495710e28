"""Reads a System V segment of a process on the host.

decoy: segment
stopped by: ipc
as root: user
"""
libc.shmat.restype = ctypes.c_void_p
segment = check(libc.shmget(FACTS["key"], 0, 0))
address = libc.shmat(segment, None, 0o10000)
if address in (None, ctypes.c_void_p(-1).value):
    check(-1)
show(ctypes.string_at(address, 100))
