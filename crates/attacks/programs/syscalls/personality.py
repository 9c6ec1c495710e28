"""Has programs loaded at addresses that are known.

decoy: word
stopped by: seccomp
"""
check(libc.personality(0x0040000))
if libc.personality(0xffffffff) & 0x0040000:
    won()
