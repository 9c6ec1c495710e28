"""Reads the kernel's log from its device.

decoy: word
stopped by: root, landlock
"""
try:
    descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
except PermissionError:
    if FACTS["control"]:
        skip("this host lets nobody but root read its log")
    raise
if os.read(descriptor, 8192):
    won()
