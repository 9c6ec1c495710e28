"""Connects to a socket of the host's by its path.

decoy: unix
stopped by: root
"""
directory = os.open(FACTS["directory"], os.O_PATH)
with socket.socket(socket.AF_UNIX) as peer:
    peer.connect(f"/proc/self/fd/{directory}/socket")
    show(peer.recv(100))
