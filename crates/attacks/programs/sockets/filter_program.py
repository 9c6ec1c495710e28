"""Gives a socket a program that the kernel runs, which comes out of one budget for the whole host.

decoy: word
stopped by: seccomp
"""
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
    code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0xffff))
    program = struct.pack("HxxxxxxP", 1, ctypes.addressof(code))
    peer.setsockopt(socket.SOL_SOCKET, 26, program)
    won()
