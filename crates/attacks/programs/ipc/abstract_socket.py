"""Connects to an abstract socket of the host's.

decoy: abstract
stopped by: net
"""
with socket.socket(socket.AF_UNIX) as peer:
    peer.connect("\0" + FACTS["name"])
    show(peer.recv(100))
