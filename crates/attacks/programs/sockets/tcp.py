"""Connects to a TCP server on the host's loopback.

decoy: tcp
stopped by: net
"""
with socket.create_connection(("127.0.0.1", FACTS["port"]), timeout=3) as peer:
    show(peer.recv(100))
