"""A delay line: carries packets between two network namespaces, late, and keeps those that the client sees.

Opens a TUN device where it is started (the client's side, 10.7.0.1), moves into a network namespace of its
own, opens another one there (the server's side, 10.7.0.2), says "ready", and goes on until its standard
input ends. Needs root; nothing but the standard library, and `ip` and `unshare`.
"""

import argparse
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

CLIENT, SERVER = "10.7.0.1", "10.7.0.2"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
TCP, SYN = 6, 0x02


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--capture", required=True, help="packets as the client sees them, as pcap")
    parser.add_argument("--delay", type=float, default=0.035, help="seconds, each way")
    parser.add_argument("--loss", type=float, default=0.0, help="share of packets that are lost")
    parser.add_argument(
        "--reorder", type=float, default=0.0, help="share held back, up to twice as long"
    )
    parser.add_argument(
        "--rate", type=float, default=0.0, help="bytes a second, each way; 0: no limit"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lose-syn", action="store_true", help="the first SYN is lost")
    parser.add_argument(
        "--dead-after", type=int, help="nothing passes after so many bytes of the server's"
    )
    parser.add_argument("--client-device", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def device(name, here, there):
    """A TUN device of this namespace, up, with its two ends' addresses."""
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    for command in (
        f"link set {name} mtu 1500 up",
        f"addr add {here} peer {there} dev {name}",
        "link set lo up",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    return fd


class Capture:
    """A pcap file of IP packets, with nanoseconds."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(self.fd, struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 101))

    def add(self, packet):
        seconds, nanos = divmod(time.time_ns(), 10**9)
        os.write(self.fd, struct.pack("<IIII", seconds, nanos, len(packet), len(packet)) + packet)


class Line:
    """When a packet comes out at the other end, if it does."""

    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.free = {CLIENT: 0.0, SERVER: 0.0}  # when the sender's queue is empty again
        self.syns = 0
        self.from_server = 0

    def due(self, packet, sender, now):
        options = self.options
        if self.is_lost(packet, sender):
            return None
        start = max(now, self.free[sender])
        self.free[sender] = start + (len(packet) / options.rate if options.rate else 0.0)
        held = (
            options.delay * self.random.random() if self.random.random() < options.reorder else 0.0
        )
        return self.free[sender] + options.delay + held

    def is_lost(self, packet, sender):
        header = 4 * (packet[0] & 15)
        if packet[9] == TCP and packet[header + 13] & SYN and sender == CLIENT:
            self.syns += 1
            if self.options.lose_syn and self.syns == 1:
                return True
        if sender == SERVER:
            self.from_server += len(packet)
        dead_after = self.options.dead_after
        if dead_after is not None and self.from_server > dead_after:
            return True
        return self.random.random() < self.options.loss


def carry(client, server, line, capture):
    """Until standard input ends. A network is not slow because the machine is busy: see `main`."""
    ends = {client: (CLIENT, server), server: (SERVER, client)}
    travelling = []  # (when it is due, a number that keeps the order, where to, the packet)
    count = 0
    while True:
        now = time.monotonic()
        while travelling and travelling[0][0] <= now:
            _, _, to, packet = heapq.heappop(travelling)
            if to == client:
                capture.add(packet)  # before the client can see it
            os.write(to, packet)
        patience = max(0.0, travelling[0][0] - time.monotonic()) if travelling else None
        ready, _, _ = select.select([client, server, sys.stdin], [], [], patience)
        if sys.stdin in ready:
            return
        for fd in ready:
            packet = os.read(fd, 65535)
            if packet[0] >> 4 != 4:
                continue  # a kernel looks for IPv6 routers
            if fd == client:
                capture.add(packet)  # after the client has sent it
            sender, to = ends[fd]
            due = line.due(packet, sender, time.monotonic())
            count += 1
            if due is not None:
                heapq.heappush(travelling, (due, count, to, packet))


def main():
    options = arguments()
    if options.client_device is None:
        fd = device("client", CLIENT, SERVER)
        os.set_inheritable(fd, True)
        again = [sys.executable, *sys.argv, "--client-device", str(fd)]
        os.execvp("unshare", ["unshare", "--net", *again])
    server = device("server", SERVER, CLIENT)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    capture = Capture(options.capture)
    print("ready", flush=True)
    carry(options.client_device, server, Line(options), capture)


main()
