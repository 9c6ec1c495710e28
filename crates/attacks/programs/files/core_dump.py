"""Crashes, so that the kernel writes its memory into the workspace, past what a file may take.

decoy: core
stopped by: rlimits
"""
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
child = os.fork()
if child == 0:
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGSEGV)
    os._exit(0)
_, status = os.waitpid(child, 0)
print("refused: no core" if not os.WCOREDUMP(status) else "a core")
