"""Has the kernel compute for it, through a family of sockets with a long list of holes.

decoy: word
stopped by: seccomp
"""
try:
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as hash:
        hash.bind(("hash", "sha256"))
        won()
except OSError as error:
    if error.errno == errno.EAFNOSUPPORT and FACTS["control"]:
        skip("this kernel has no such sockets")
    raise
