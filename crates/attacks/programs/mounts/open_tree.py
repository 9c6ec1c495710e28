"""Takes a copy of the host's mounts as a descriptor, and reads through it.

decoy: file
stopped by: seccomp, root, landlock
as root: capabilities, user
needs: root
"""
tree = call(428, AT_FDCWD, b"/", 1 | os.O_CLOEXEC | 0x8000)
show(os.read(os.open(FACTS["path"].lstrip("/"), os.O_RDONLY, dir_fd=tree), 1000))
