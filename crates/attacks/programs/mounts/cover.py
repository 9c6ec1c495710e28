"""Mounts an empty file system where others find their files.

decoy: covered
stopped by: mount, seccomp, landlock
as root: capabilities, user
needs: root
"""
check(libc.mount(b"none", FACTS["directory"].encode(), b"tmpfs", 0, None))
