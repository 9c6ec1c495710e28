"""Makes more processes than a cell may have.

decoy: word
stopped by: cgroup, rlimits
run as: nobody
"""
children = []
try:
    for _ in range(100):
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        children.append(child)
    won()
finally:
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
