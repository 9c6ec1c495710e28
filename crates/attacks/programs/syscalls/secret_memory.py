"""Has memory that the host can neither see nor move.

decoy: word
stopped by: seccomp
"""
try:
    memory = call(447, 0)
except OSError as error:
    if FACTS["control"] and error.errno == errno.ENOSYS:
        skip("this kernel has none")
    raise
os.ftruncate(memory, 4096)
with mmap.mmap(memory, 4096) as mapped:
    mapped[0] = 1
    won()
