"""Makes a user namespace, in which it has all capabilities.

decoy: word
stopped by: seccomp
"""
try:
    check(libc.unshare(0x10000000))
except OSError as error:
    if FACTS["control"]:
        skip(f"this host lets nobody: {error}")
    raise
won()
