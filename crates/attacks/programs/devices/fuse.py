"""Opens the device by which a program plays a file system.

decoy: word
stopped by: root, landlock
"""
if FACTS["control"] and not os.access("/dev/fuse", os.R_OK | os.W_OK):
    skip("this host has no /dev/fuse for everybody")
os.close(os.open("/dev/fuse", os.O_RDWR))
won()
