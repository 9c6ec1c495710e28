"""Makes packets of its own with a raw socket.

decoy: word
stopped by: seccomp
as root: capabilities, user
needs: root
"""
with socket.socket(socket.AF_INET, socket.SOCK_RAW, 253) as raw:
    raw.sendto(b"x", ("127.0.0.1", 0))
    won()
