"""Types into a terminal as if somebody sat there.

decoy: word
stopped by: seccomp
"""
import pty, termios
controlling, terminal = pty.openpty()
if os.fork() == 0:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    settings = termios.tcgetattr(terminal)
    settings[3] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
    try:
        fcntl.ioctl(terminal, termios.TIOCSTI, b"x")
    except OSError as error:
        if error.errno == errno.EIO and FACTS["control"]:
            skip("this kernel lets nobody do so (dev.tty.legacy_tiocsti)")
        raise
    if os.read(terminal, 1) == b"x":
        won()
    sys.stdout.flush()
    os._exit(0)
os.wait()
