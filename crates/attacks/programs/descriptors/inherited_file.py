"""Reads a file that whoever started it forgot to close.

decoy: descriptor
stopped by: descriptors
"""
for number in range(3, 1024):
    try:
        show(os.pread(number, 100, 0))
    except OSError:
        pass
