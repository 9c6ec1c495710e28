"""Reads the rules of the host's packet filter.

decoy: word
stopped by: seccomp
as root: capabilities, user
needs: root
"""
try:
    rules = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
except OSError as error:
    if error.errno == errno.EPROTONOSUPPORT and FACTS["control"]:
        skip("this kernel has no packet filter")
    raise
with rules:
    rules.settimeout(2)
    # NFT_MSG_GETGEN: the number of the present rules.
    rules.send(struct.pack("IHHIIBBH", 20, 10 << 8 | 16, 1, 1, 0, 0, 0, 0))
    if struct.unpack_from("IH", rules.recv(1000))[1] == 10 << 8 | 15:
        won()
