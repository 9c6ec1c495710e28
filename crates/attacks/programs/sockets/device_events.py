"""Listens to what the kernel tells of devices.

decoy: word
stopped by: seccomp
"""
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15) as events:
    events.bind((0, 1))
    if events.getsockname()[1] == 1:
        won()
