"""Opens a descriptor with a higher number than a cell may have.

decoy: word
stopped by: rlimits
"""
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
if most <= 70000 and FACTS["control"]:
    skip(f"this user may have no more than {most} at any rate")
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
os.close(fcntl.fcntl(0, fcntl.F_DUPFD, 70000))
won()
