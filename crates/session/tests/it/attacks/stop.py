# A daemon that outlives its kernel, and for three seconds stops or kills whatever enters the cell. Then it lets go of
# what it stopped.
import os, signal, time

if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in range(3):
        os.dup2(os.open("/dev/null", os.O_RDWR), number)
    os.closerange(3, 100)
    own, hit, end = os.getpid(), set(), time.monotonic() + 3
    while time.monotonic() < end:
        for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
            if pid not in (1, own):
                try:
                    os.kill(pid, getattr(signal, SIGNAL))
                    hit.add(pid)
                except OSError:
                    pass
    for pid in hit:
        try:
            os.kill(pid, signal.SIGCONT)
        except OSError:
            pass
    with open("ending", "w") as file:
        file.write(str(len(hit)))
    os.rename("ending", "ended")
    os._exit(0)
os.wait()
