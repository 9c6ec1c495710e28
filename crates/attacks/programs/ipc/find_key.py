"""Looks for a key in the keyring of its user.

decoy: key
stopped by: seccomp, user
"""
found = call(250, 10, -4, b"user", FACTS["name"].encode(), 0)
buffer = ctypes.create_string_buffer(1000)
call(250, 11, found, buffer, 1000)
show(buffer.raw)
