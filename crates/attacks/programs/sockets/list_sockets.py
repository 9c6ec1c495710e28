"""Has the kernel list the host's sockets; a name is a secret.

decoy: secret_name
stopped by: net, seccomp
"""
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as diagnosis:
    diagnosis.settimeout(2)
    request = struct.pack("BBHIIIII", 1, 0, 0, 0xffffffff, 0, 1, 0xffffffff, 0xffffffff)
    diagnosis.send(struct.pack("IHHII", 16 + len(request), 20, 0x301, 1, 0) + request)
    for _ in range(50):
        answer = diagnosis.recv(65536)
        show(answer)
        if struct.unpack_from("IH", answer)[1] == 3:
            break
