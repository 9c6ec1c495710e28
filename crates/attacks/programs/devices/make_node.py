"""Makes a device node for the host's disk, and reads it.

decoy: disk
stopped by: root, seccomp, landlock
as root: capabilities, user
needs: root
"""
os.mknod("disk", stat.S_IFBLK | 0o600, FACTS["number"])
show(read("disk"))
