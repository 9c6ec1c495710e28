"""Makes a file that is larger than a cell's disk limit.

decoy: word
stopped by: rlimits
"""
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open("large", "wb") as file:
    file.truncate(100 << 20)
if os.path.getsize("large") == 100 << 20:
    won()
