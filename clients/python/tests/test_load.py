"""Long calls and many clients, and what they cost the server. Its memory and descriptors are looked at, so nothing else
may run beside this module. The short forms run always, the long ones with CELLBLOCK_TEST_LONG.
"""

import random
import statistics
import threading
import time
import unittest

from . import kit, wire


class Long(kit.TestCase):
    @unittest.skipUnless(kit.LONG, "SKIPPED: ten minutes of silence run with CELLBLOCK_TEST_LONG alone")
    def test_ten_minutes_of_silence(self):
        """Through boto3 as it comes: it gives up after 60 s without a byte, and sends a call again up to three times."""
        session = self.session(sessionTimeoutSeconds=1800)
        begun = time.monotonic()
        out = session.code("import time\nwith open('ran', 'a') as f: n = f.write('x')\ntime.sleep(600)\nprint('late')")
        took = time.monotonic() - begun
        self.assertEqual(out, "late")
        self.assertEqual(session.read("ran"), "x")
        print(f"\nten minutes of silence: answered after {took:.1f} s, ran once", flush=True)


class Load(kit.TestCase):
    CLIENTS, SECONDS = (32, 300) if kit.LONG else (8, 10)

    @kit.needs_process
    def test_many_clients_with_mixed_calls(self):
        faults, times, lock = [], {}, threading.Lock()
        warm = threading.Barrier(self.CLIENTS + 1, timeout=300)
        end = []

        def client(seed):
            source, client = random.Random(seed), kit.data_client(retries={"max_attempts": 0})
            try:
                session = kit.Session(client)
                try:
                    session.code("total = 0")
                    warm.wait()
                    n = 0
                    while time.monotonic() < end[0]:
                        n += 1
                        session = self.mixed(session, source, n, client, times, lock)
                finally:
                    session.stop()
            except BaseException as fault:  # noqa: BLE001: it is told, whatever it is
                faults.append(f"client {seed}: {type(fault).__name__}: {fault}")
                warm.abort()

        before = kit.memory(), kit.descriptors()
        threads = [threading.Thread(target=client, args=(seed,)) for seed in range(self.CLIENTS)]
        for thread in threads:
            thread.start()
        end.append(time.monotonic() + self.SECONDS)
        try:
            warm.wait()
        except threading.BrokenBarrierError:
            pass
        end[0] = time.monotonic() + self.SECONDS
        samples = []
        while any(thread.is_alive() for thread in threads):
            samples.append((kit.memory(), kit.descriptors()))
            time.sleep(self.SECONDS / 100)
        for thread in threads:
            thread.join()
        kit.until(lambda: kit.descriptors() <= before[1] + 8, 30, "the end of descriptors")
        after = kit.memory(), kit.descriptors()
        self.tell(times, before, samples, after, faults)
        self.assertEqual(faults, [])
        middle = [memory for memory, _ in samples[len(samples) // 3 : len(samples) // 2]] or [before[0]]
        last = [memory for memory, _ in samples[-len(samples) // 4 :]]
        # Flat: what allocators keep is some, what leaks under load is more.
        self.assertLess(statistics.median(last), statistics.median(middle) + 64e6)

    def mixed(self, session, source, n, client, times, lock):
        """One call of a kind that chance chooses, and its check; the session to go on with."""
        kind = source.choices(["code", "command", "write", "read", "list", "raise", "task", "session"], [30, 20, 15, 15, 8, 5, 4, 3])[0]
        begun = time.monotonic()
        if kind == "code":
            value = source.randrange(1000)
            self.assertEqual(session.code(f"last = {value}\nprint(last * 2)"), str(value * 2))
        elif kind == "command":
            self.assertEqual(session.command(f"echo {n}; cat f 2>/dev/null | wc -c").splitlines()[0], str(n))
        elif kind in ("write", "read"):
            data = source.randbytes(source.choice([10, 1000, 100_000]))
            session.write("f", data)
            if kind == "read":
                read = session.read("f")
                self.assertEqual(read if isinstance(read, bytes) else read.encode(), data)
        elif kind == "list":
            self.assertFalse(session.call("listFiles", path="")["isError"])
        elif kind == "raise":
            self.assertIn("ZeroDivisionError", session.call("executeCode", code="1/0")["structuredContent"]["stderr"])
        elif kind == "task":
            task = session.call("startCommandExecution", command="echo t")["structuredContent"]["taskId"]
            get = lambda: session.call("getTask", taskId=task)["structuredContent"]
            self.assertEqual(kit.until(lambda: (now := get())["taskStatus"] == "completed" and now)["stdout"], "t\n")
        else:
            session.stop()
            session = kit.Session(client)
        with lock:
            times.setdefault(kind, []).append(time.monotonic() - begun)
        return session

    def tell(self, times, before, samples, after, faults):
        calls = sum(map(len, times.values()))
        print(f"\n{self.CLIENTS} clients, {self.SECONDS} s: {calls} calls, {calls / self.SECONDS:.0f} a second, {len(faults)} errors")
        for kind, took in sorted(times.items()):
            took.sort()
            at = lambda part: took[min(len(took) - 1, int(len(took) * part))] * 1000
            print(f"  {kind:8} {len(took):6} calls, p50 {at(0.5):6.1f} ms, p99 {at(0.99):7.1f} ms, at most {took[-1] * 1000:7.1f} ms")
        memory = [sample[0] / 1e6 for sample in samples] or [0]
        print(f"  memory: {before[0] / 1e6:.0f} MB before, {statistics.median(memory):.0f} MB in the middle, {max(memory):.0f} MB at most, {after[0] / 1e6:.0f} MB after")
        print(f"  descriptors: {before[1]} before, {max([sample[1] for sample in samples] or [0])} at most, {after[1]} after", flush=True)


class Cost(kit.TestCase):
    def setUp(self):
        self.one = self.session(client=kit.data_client(read_timeout=300))
        self.one.code("1")

    @kit.needs_process
    def test_connections_that_vanish_leave_no_descriptors(self):
        before = kit.descriptors()
        for n in range(100):
            with wire.connect() as stream:
                data = wire.invoke(self.one, b'{"name": "executeCode", "arguments": {"code": "1"}}')
                stream.sendall(data[: n * 3] if n % 2 else data)
        self.one.code("1")
        kit.until(lambda: kit.descriptors() <= before + 3, 30, "the end of the connections")

    @kit.needs_process
    def test_memory_for_a_large_file_is_bounded(self):
        before, stop, peak = kit.memory(), threading.Event(), [0]

        def watch():
            while not stop.is_set():
                peak[0] = max(peak[0], kit.memory())
                time.sleep(0.005)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            wire.assert_written(self, self.one, b"blob", 133_333_332, 99_999_999)
        finally:
            stop.set()
            watching.join()
        grown = peak[0] - before
        print(f"\nwriting 100 MB: the server's memory grew by {grown / 1e6:.0f} MB at most", flush=True)
        self.assertLess(grown, 250e6)
