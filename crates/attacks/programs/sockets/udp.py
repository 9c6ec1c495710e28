"""Asks a UDP server on the host's loopback.

decoy: udp
stopped by: net
"""
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
    peer.settimeout(1)
    peer.connect(("127.0.0.1", FACTS["port"]))
    peer.send(b"?")
    show(peer.recv(100))
