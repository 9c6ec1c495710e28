"""Writes into a fifo that a process on the host reads.

decoy: fifo
stopped by: root, landlock
"""
os.write(os.open(FACTS["path"], os.O_WRONLY | os.O_NONBLOCK), b"written")
