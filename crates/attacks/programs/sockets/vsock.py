"""Makes a VSOCK socket, which knows no network namespaces and reaches a virtual machine's host.

decoy: word
stopped by: seccomp
"""
with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as peer:
    if peer.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) == socket.AF_VSOCK:
        won()
