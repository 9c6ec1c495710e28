"""Lays a writable layer over a directory of the host's, and reads through it.

decoy: file
stopped by: seccomp, root, landlock
as root: capabilities, user
needs: root
"""
for name in ("base", "upper", "work", "merged"):
    os.mkdir(name)
check(libc.mount(b"none", b"base", b"tmpfs", 0, None))
for name in ("base/upper", "base/work"):
    os.mkdir(name)
lower = os.path.dirname(FACTS["path"])
check(libc.mount(b"none", b"merged", b"overlay", 0, f"lowerdir={lower},upperdir=base/upper,workdir=base/work".encode()))
show(read("merged/secret.txt"))
