"""Runs before everybody else, at a real-time priority.

decoy: word
stopped by: capabilities, user
needs: root
"""
resource.setrlimit(resource.RLIMIT_RTPRIO, resource.getrlimit(resource.RLIMIT_RTPRIO))
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
if os.sched_getscheduler(0) == os.SCHED_FIFO:
    won()
