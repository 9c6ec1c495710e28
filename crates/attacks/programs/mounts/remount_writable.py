"""Makes a read-only mount writable, and writes.

decoy: read_only_mount
stopped by: seccomp, landlock
as root: capabilities, user
needs: root
"""
check(libc.mount(None, FACTS["mount"].encode(), None, 32 | 4096, None))
with open(FACTS["path"], "w") as file:
    file.write("written")
