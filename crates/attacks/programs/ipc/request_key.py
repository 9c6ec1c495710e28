"""Asks the kernel for a key, which may start a program on the host; the answer is there already.

decoy: key
stopped by: seccomp, user
"""
found = call(249, b"user", FACTS["name"].encode(), 0, 0)
buffer = ctypes.create_string_buffer(1000)
call(250, 11, found, buffer, 1000)
show(buffer.raw)
