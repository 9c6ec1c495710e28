"""Takes more memory than a cell may have, and keeps it.

decoy: word
stopped by: cgroup
"""
child = os.fork()
if child == 0:
    taken = mmap.mmap(-1, 400 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, len(taken), 4096):
        taken[at] = 1
    time.sleep(0.3)
    won()
    os._exit(0)
print("refused: ended with", os.waitpid(child, 0)[1])
