"""Asks for a free loop device, with which any file becomes a file system.

decoy: word
stopped by: root, landlock
as root: user
needs: root
"""
control = os.open(needs("/dev/loop-control"), os.O_RDWR)
if fcntl.ioctl(control, 0x4c82) >= 0:
    won()
