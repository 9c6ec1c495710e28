"""Makes a file system piece by piece and writes into it, without a mount call.

decoy: word
stopped by: seccomp, landlock
as root: capabilities
needs: root
"""
context = call(430, b"tmpfs", 0)
call(431, context, 6, 0, 0, 0)
mounted = call(432, context, 0, 0)
opened = os.open("file", os.O_RDWR | os.O_CREAT, dir_fd=mounted)
if os.write(opened, b"x") == 1:
    won()
