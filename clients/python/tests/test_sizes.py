"""Files and answers at their limits, and one byte beyond."""

import hashlib
import http.client
import json
import os

from . import kit, wire

import botocore.exceptions

MEGABYTE = 1_000_000


class Sizes(kit.TestCase):
    def setUp(self):
        self.one = self.session(client=kit.data_client(read_timeout=300))

    def test_botocore_is_not_sent_what_it_cannot_read(self):
        """It refuses an event of more than 24 MiB, which ends the call without a word that helps."""
        self.one.code("n = open('fits', 'wb').write(b'\\xff' * 18_000_000)\nn = open('not', 'wb').write(b'\\xff' * 19_000_000)")
        self.assertEqual(self.one.read("fits"), b"\xff" * 18_000_000)
        with self.assertRaises(self.one.client.exceptions.ValidationException) as caught:
            self.one.call("readFiles", paths=["not"])
        self.assertEqual(
            caught.exception.response["Error"]["Message"],
            "Response payload too large. Reduce the number or size of files in a single call.",
        )
        # Together, too.
        with self.refused("ValidationException", 400, "Response payload too large"):
            self.one.call("readFiles", paths=["fits", "fits"])

    def test_what_is_too_large_in_a_stream_is_told_in_the_stream(self):
        """Its headers have gone out before the size is known."""
        code = "from IPython.display import Image, display\nimport os\nn = [display(Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + os.urandom(3_500_000), format='png')) for _ in range(6)]"
        response = self.one.respond("executeCode", {"code": code})
        with self.assertRaises(botocore.exceptions.EventStreamError) as caught:
            result = list(response["stream"])
            self.skipTest(f"SKIPPED: the output is bounded before it gets there: {str(result)[:300]}")
        self.assertEqual(caught.exception.response["Error"]["Code"], "validationException")
        self.assertIn("Response payload too large", caught.exception.response["Error"]["Message"])

    def written(self, kind, characters, size):
        wire.assert_written(self, self.one, kind, characters, size)

    def refused_as_too_large(self, kind, characters):
        status, data = wire.write_large(self.one, kind, characters)
        told = json.loads(data)
        self.assertEqual(status, 400, told)
        self.assertEqual(told["fieldList"][0]["name"], "arguments.content[0]." + kind.decode())
        self.assertIn("100000000", told["message"])

    def test_a_hundred_megabytes_are_written_and_one_byte_more_is_not(self):
        self.written(b"text", 100 * MEGABYTE, 100 * MEGABYTE)
        self.refused_as_too_large(b"text", 100 * MEGABYTE + 1)

    def test_a_hundred_megabytes_in_base_64(self):
        self.written(b"blob", 133_333_332, 99_999_999)
        self.refused_as_too_large(b"blob", 133_333_336)

    def test_a_body_beyond_all_measure_is_refused_before_it_is_read(self):
        path, _, headers = kit.invocation(self.one, "writeFiles", {})
        connection = http.client.HTTPConnection(kit.HOST, timeout=60)
        self.addCleanup(connection.close)
        connection.putrequest("POST", path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("content-length", str(10**12))
        connection.endheaders()
        response = connection.getresponse()
        self.assertEqual(response.status, 400)
        self.assertIn("larger than", json.loads(response.read())["message"])

    def test_boto3_writes_a_large_file(self):
        data = os.urandom(20 * MEGABYTE)
        self.assertEqual(kit.texts(self.one.write("b.bin", data)), ["Successfully wrote all 1 files"])
        self.assertEqual(self.one.command("sha256sum < b.bin").split()[0], hashlib.sha256(data).hexdigest())
