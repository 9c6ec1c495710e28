"""Calls the kernel as a program of another architecture, whose calls have other numbers.

decoy: word
stopped by: seccomp
"""
if os.uname().machine != "x86_64":
    skip("the program is for x86_64 alone")
child = os.fork()
if child == 0:
    # mov eax, 20 (getpid); int 0x80; ret
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    if ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))() == os.getpid():
        won()
    os._exit(0)
_, status = os.waitpid(child, 0)
if FACTS["control"] and os.WIFSIGNALED(status):
    skip("this kernel runs no 32-bit programs")
