"""Mounts the kernel's own /sys.

decoy: word
stopped by: seccomp, landlock
as root: capabilities, user
needs: root
"""
os.mkdir("sys")
check(libc.mount(b"none", b"sys", b"sysfs", 0, None))
if os.listdir("sys/kernel"):
    won()
