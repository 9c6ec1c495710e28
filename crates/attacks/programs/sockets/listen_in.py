"""Listens to what others say on the host's loopback, with a packet socket.

decoy: talk
stopped by: net, seccomp
as root: capabilities, user
needs: root
"""
with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)) as wire:
    wire.bind(("lo", 0))
    wire.settimeout(1)
    for _ in range(20):
        show(wire.recv(2000))
