"""Is handed an open file by a process on the host.

decoy: giver
stopped by: net
"""
with socket.socket(socket.AF_UNIX) as peer:
    peer.connect("\0" + FACTS["name"])
    _, descriptors, _, _ = socket.recv_fds(peer, 1, 1)
    show(os.read(descriptors[0], 100))
