"""Leaves its root through a directory that whoever started it forgot to close.

decoy: directory
stopped by: descriptors, landlock
"""
for number in range(3, 1024):
    try:
        show(os.read(os.open("secret.txt", os.O_RDONLY, dir_fd=number), 100))
    except OSError:
        pass
