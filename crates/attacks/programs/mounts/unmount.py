"""Takes away a mount, so that what it hid or held is others' no more.

decoy: mounted
stopped by: mount, seccomp, landlock
as root: capabilities, user
needs: root
"""
check(libc.umount2(FACTS["mount"].encode(), 2))
