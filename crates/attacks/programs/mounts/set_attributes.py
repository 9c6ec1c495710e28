"""Makes a read-only mount writable with mount_setattr, and writes.

decoy: read_only_mount
stopped by: seccomp, landlock
as root: capabilities, user
needs: root
"""
attributes = ctypes.create_string_buffer(struct.pack("QQQQ", 0, 1, 0, 0), 32)
call(442, AT_FDCWD, FACTS["mount"].encode(), 0, attributes, 32)
with open(FACTS["path"], "w") as file:
    file.write("written")
