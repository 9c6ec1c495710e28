# Every way of opening a socket to the host or to the network.
import threading

FAMILIES = {name: getattr(socket, name) for name in dir(socket) if name.startswith("AF_")}
FAMILIES |= {"AF_VSOCK": 40, "AF_PACKET": 17, "AF_ALG": 38, "AF_XDP": 44, "AF_KCM": 41, "AF_SMC": 43, "AF_KEY": 15,
             "AF_RDS": 21, "AF_TIPC": 30, "AF_BLUETOOTH": 31, "AF_CAN": 29, "AF_NFC": 39, "AF_QIPCRTR": 42}
ALLOWED = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_UNSPEC}
for name, family in sorted(FAMILIES.items()):
    if family not in ALLOWED:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_RAW):
            attempt(f"{name} {int(kind)}", lambda: socket.socket(family, kind))
for protocol in range(1, 23):
    attempt(f"netlink {protocol}", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol))
for kind, protocol in [(socket.SOCK_RAW, 1), (socket.SOCK_RAW, 6), (socket.SOCK_RAW, 255)]:
    attempt(f"raw {protocol}", lambda: socket.socket(socket.AF_INET, kind, protocol))

socket.setdefaulttimeout(3)
TARGETS = ["10.0.0.1", "192.168.1.1", "172.17.0.1", "169.254.169.254", "100.100.100.200", "8.8.8.8", "1.1.1.1",
           "192.0.2.1", "255.255.255.255", "224.0.0.1"]
for host in TARGETS:
    for port in (22, 53, 80, 443):
        attempt(f"tcp {host}:{port}", lambda: socket.create_connection((host, port)))
    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            return s.sendto(b"leak", (host, 53))
    attempt(f"udp {host}", send)
for host in ["::ffff:8.8.8.8", "2001:4860:4860::8888", "fd00:ec2::254", "fe80::1", "ff02::1", "64:ff9b::808:808"]:
    attempt(f"tcp6 {host}", lambda: socket.create_connection((host, 80)))
for name in ["example.org", "localhost.example.org", "metadata.google.internal", "host.docker.internal"]:
    attempt(f"lookup {name}", lambda: socket.getaddrinfo(name, 80))

# A server on the host's loopback is another loopback than the cell's; HOST_PORT is told by the test.
for host in ["127.0.0.1", "127.0.0.2", "localhost", "::1", "0.0.0.0"]:
    attempt(f"host's loopback {host}", lambda: socket.create_connection((host, HOST_PORT)))
def abstract():
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("\0" + HOST_ABSTRACT)
        return s.recv(16)
attempt("host's abstract socket", abstract)
interfaces = [name for _, name in socket.if_nameindex()]
verdict("interfaces", interfaces != ["lo"], interfaces)

routes = open("/proc/net/route").read().splitlines()[1:]
verdict("routes", routes, routes)
connections = open("/proc/net/tcp").read().splitlines()[1:]
verdict("connections", any(f":{HOST_PORT:04X} " in line for line in connections), connections)
names = [line.split()[-1] for line in open("/proc/net/unix") if "@" in line]
verdict("abstract names", "@" + HOST_ABSTRACT in names, names)

# The cell's own loopback works.
server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=lambda: server.accept()[0].sendall(b"own"), daemon=True).start()
print("own loopback:", socket.create_connection(server.getsockname()).recv(3).decode())
