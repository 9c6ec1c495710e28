"""Asks for the number of a file on its file system, the first half of opening by number.

decoy: word
stopped by: seccomp
"""
buffer = ctypes.create_string_buffer(struct.pack("II", 128, 0), 136)
mount_id = ctypes.c_int()
check(libc.name_to_handle_at(AT_FDCWD, b".", buffer, ctypes.byref(mount_id), 0))
won()
