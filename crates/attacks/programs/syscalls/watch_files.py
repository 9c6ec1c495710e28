"""Watches what others do with files.

decoy: word
stopped by: seccomp
"""
group = call(300, 0x200, 0)
call(301, group, 1, 0x08000020, AT_FDCWD, b".")
os.close(os.open("watched", os.O_CREAT | os.O_RDWR))
os.close(os.open("watched", os.O_RDONLY))
os.set_blocking(group, False)
if os.read(group, 4096):
    won()
