"""Makes a mount namespace, to mount in it.

decoy: word
stopped by: seccomp
as root: capabilities
needs: root
"""
check(libc.unshare(0x00020000))
won()
