"""Makes a network namespace, in which it is the administrator.

decoy: word
stopped by: seccomp
as root: capabilities
needs: root
"""
before = os.readlink("/proc/self/ns/net")
check(libc.unshare(0x40000000))
if os.readlink("/proc/self/ns/net") != before:
    won()
