"""Has more signals wait than a cell may, which is memory of the kernel's.

decoy: word
stopped by: rlimits
run as: nobody
"""
if resource.getrlimit(resource.RLIMIT_SIGPENDING)[1] in range(6000) and FACTS["control"]:
    skip("this user may have no more at any rate")
signal.pthread_sigmask(signal.SIG_BLOCK, [40])
value = ctypes.create_string_buffer(128)
struct.pack_into("iii", value, 0, 40, 0, -1)
for _ in range(5000):
    call(129, os.getpid(), 40, value)
won()
