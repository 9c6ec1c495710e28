"""Asks the kernel's audit how it is set up.

decoy: word
stopped by: seccomp
as root: capabilities, user
needs: root
"""
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9) as audit:
    audit.settimeout(2)
    audit.send(struct.pack("IHHII", 16, 1000, 1, 1, 0))
    if struct.unpack_from("IHH", audit.recv(1000))[1] == 1000:
        won()
