"""Takes a directory of the host's as its root.

decoy: file
stopped by: seccomp, root, landlock
as root: capabilities, user
needs: root
"""
os.chroot(os.path.dirname(FACTS["path"]))
show(read("/secret.txt"))
