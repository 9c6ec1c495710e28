"""Ways to get a name out of a machine, with or without an answer: `ways.py TAG [SUFFIX]`.

Each way looks up, or only sends, a name of its own that begins with TAG, so that a capture can tell which got out.
TAG has eight to twelve letters and digits, so that it fits into a name of NetBIOS; SUFFIX is the zone of the names.
Prints a line of JSON for each way: its number and name, the name that was sent, what came back or why nothing did, and
the seconds that took.
"""

import base64
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

# Seconds, for each way: what is refused is refused at once.
PATIENCE = 2

PUBLIC, PUBLIC6 = "8.8.8.8", "2001:4860:4860::8888"

A, NULL, TXT, HTTPS = 1, 10, 16, 65


def query(name: str, kind: int = A) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!HHHHHH", 0xBED, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


def resolvers() -> list[str]:
    with open("/etc/resolv.conf") as file:
        fields = [line.split() for line in file]
    return [field[1] for field in fields if field[:1] == ["nameserver"]]


def datagram(address: str, port: int, data: bytes, *, broadcast: bool = False) -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.settimeout(PATIENCE)
        if broadcast:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sender.sendto(data, (address, port))
            # Nobody has to answer.
            return "sent"
        # Connected, so that a refusal is heard of.
        sender.connect((address, port))
        sender.send(data)
        return sender.recv(4096).hex()


def over(connection: socket.socket, data: bytes) -> str:
    connection.sendall(struct.pack("!H", len(data)) + data)
    return connection.recv(4096).hex() or refuse("closed")


def refuse(why: str) -> str:
    raise OSError(why)


def stream(address: str, port: int = 53) -> socket.socket:
    return socket.create_connection((address, port), timeout=PATIENCE)


def program(*command: str) -> str:
    if not shutil.which(command[0]):
        return refuse(f"no program {command[0]}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    return done.stdout.strip() or refuse(f"status {done.returncode}: {done.stderr.strip()[-200:]}")


def local(path: str, data: bytes) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(path)
        connection.sendall(data)
        return connection.recv(4096).hex() or refuse("closed")


def trusting() -> ssl.SSLContext:
    """A resolver's certificate is nothing that hostile code would look at."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def getaddrinfo(name: str) -> str:
    return str(sorted({found[4][0] for found in socket.getaddrinfo(name, 443)}))


def gethostbyname(name: str) -> str:
    return socket.gethostbyname(name)


def getent(name: str) -> str:
    return program("getent", "ahosts", name)


def udp(name: str) -> str:
    return datagram(resolvers()[0], 53, query(name))


def udp_text(name: str) -> str:
    return datagram(resolvers()[0], 53, query(name, TXT))


def udp_null(name: str) -> str:
    return datagram(resolvers()[0], 53, query(name, NULL))


def udp_https(name: str) -> str:
    return datagram(resolvers()[0], 53, query(name, HTTPS))


def udp_public(name: str) -> str:
    return datagram(PUBLIC, 53, query(name))


def udp_public6(name: str) -> str:
    return datagram(PUBLIC6, 53, query(name))


def udp_other_port(name: str) -> str:
    return datagram(PUBLIC, 5300, query(name))


def tcp(name: str) -> str:
    with stream(resolvers()[0]) as connection:
        return over(connection, query(name))


def tcp_public(name: str) -> str:
    with stream(PUBLIC) as connection:
        return over(connection, query(name))


def tls(name: str) -> str:
    with trusting().wrap_socket(stream(PUBLIC, 853), server_hostname=name) as connection:
        return over(connection, query(name))


def https(name: str) -> str:
    with trusting().wrap_socket(stream(PUBLIC, 443), server_hostname=name) as connection:
        text = base64.urlsafe_b64encode(query(name)).rstrip(b"=").decode()
        connection.sendall(f"GET /dns-query?dns={text} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
        return connection.recv(4096).hex() or refuse("closed")


def http_header(name: str) -> str:
    with stream(PUBLIC, 80) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
        return connection.recv(4096).hex() or refuse("closed")


def multicast(name: str) -> str:
    return datagram("224.0.0.251", 5353, query(name), broadcast=True)


def multicast6(name: str) -> str:
    return datagram("ff02::fb", 5353, query(name), broadcast=True)


def link_local(name: str) -> str:
    """LLMNR."""
    return datagram("224.0.0.252", 5355, query(name.split(".")[0]), broadcast=True)


def netbios(name: str) -> str:
    padded = name.split(".")[0][:15].upper().ljust(15).encode() + b"\0"
    encoded = bytes(65 + half for byte in padded for half in (byte >> 4, byte & 15))
    question = bytes([32]) + encoded + b"\0" + struct.pack("!HH", 0x20, 1)
    head = struct.pack("!HHHHHH", 0xBED, 0x0110, 1, 0, 0, 0)
    return datagram("255.255.255.255", 137, head + question, broadcast=True)


def stub(name: str) -> str:
    """systemd-resolved, over the network."""
    return datagram("127.0.0.53", 53, query(name))


def varlink(name: str) -> str:
    """systemd-resolved, by its socket."""
    call = {"method": "io.systemd.Resolve.ResolveHostname", "parameters": {"name": name}}
    return local("/run/systemd/resolve/io.systemd.Resolve", json.dumps(call).encode() + b"\0")


def bus(name: str) -> str:
    """systemd-resolved, by the system's bus."""
    return local("/run/dbus/system_bus_socket", b"\0AUTH EXTERNAL " + name.encode().hex().encode() + b"\r\n")


def cache_daemon(name: str) -> str:
    """nscd."""
    data = name.encode() + b"\0"
    return local("/var/run/nscd/socket", struct.pack("iii", 2, 4, len(data)) + data)


def echo_request(name: str, kind: int = socket.SOCK_DGRAM) -> str:
    head = struct.pack("!BBHHH", 8, 0, 0, 0xBED, 1)
    payload = name.encode() + b"\0" * (len(name) % 2)
    total = sum(struct.unpack(f"!{(len(head) + len(payload)) // 2}H", head + payload))
    total = (total >> 16) + (total & 0xFFFF)
    head = struct.pack("!BBHHH", 8, 0, ~(total + (total >> 16)) & 0xFFFF, 0xBED, 1)
    with socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP) as sender:
        sender.settimeout(PATIENCE)
        sender.sendto(head + payload, (PUBLIC, 0))
        return sender.recv(4096).hex()


def echo_request_raw(name: str) -> str:
    return echo_request(name, socket.SOCK_RAW)


def raw(name: str) -> str:
    """A datagram of our own making, below UDP."""
    data = query(name)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as sender:
        sender.sendto(struct.pack("!HHHH", 40000, 53, 8 + len(data), 0) + data, (PUBLIC, 0))
    return "sent"


def frame(name: str) -> str:
    """Below IP: a frame with the name in it, at every interface."""
    sent = []
    for _, interface in socket.if_nameindex():
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind((interface, 0x88B5))
            sender.send(b"\xff" * 6 + b"\0" * 6 + b"\x88\xb5" + name.encode())
            sent.append(interface)
    return " ".join(sent) or refuse("no interface")


def node(name: str) -> str:
    """A resolver that is not the C library's."""
    script = "require('dns').resolve4(%r, (error, all) => { if (error) throw error; console.log(all) })"
    return program("node", "--eval", script % name)


def deno(name: str) -> str:
    with tempfile.TemporaryDirectory() as directory:
        os.environ["DENO_DIR"] = directory
        return program("deno", "eval", f"console.log(await Deno.resolveDns({name!r}, 'A'))")


def curl(name: str) -> str:
    return program("curl", "--silent", "--show-error", "--max-time", str(PATIENCE), f"http://{name}/")


WAYS = [
    *(getaddrinfo, gethostbyname, getent, udp, udp_text, udp_null, udp_https, udp_public, udp_public6, udp_other_port),
    *(tcp, tcp_public, tls, https, http_header, multicast, multicast6, link_local, netbios),
    *(stub, varlink, bus, cache_daemon, echo_request, echo_request_raw, raw, frame, node, deno, curl),
]


def main() -> None:
    tag, suffix = sys.argv[1], (sys.argv[2:] or ["example"])[0]
    for number, way in enumerate(WAYS):
        result = {"number": number, "way": way.__name__, "name": f"{tag}{number:02}.{suffix}"}
        start = time.perf_counter()
        try:
            result |= {"came": way(result["name"])}
        except Exception as error:
            result |= {"came": None, "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result | {"seconds": round(time.perf_counter() - start, 4)}), flush=True)


if __name__ == "__main__":
    main()
