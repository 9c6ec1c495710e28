"""Fetches one file of a project from a package index, where there is no pip to do it.

Arguments: the project, the file to write, the sha256 that the file must have, then the addresses of indexes to try in turn. The
caller verifies the file again; here the hash only tells which of a release's files is meant.
"""

import html
import json
import re
import shutil
import sys
import urllib.parse
import urllib.request

project, target, sha256 = sys.argv[1:4]
problem = "no index is configured"
for index in sys.argv[4:]:
    address = f"{index.rstrip('/')}/{project}/"
    try:
        request = urllib.request.Request(
            address,
            headers={"Accept": "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            address, kind, text = answer.url, answer.headers.get_content_type(), answer.read().decode()
        if kind.endswith("json"):
            links = [each["url"] for each in json.loads(text)["files"] if each["hashes"].get("sha256") == sha256]
        else:
            links = [html.unescape(each) for each in re.findall(r'href\s*=\s*["\']([^"\']+)', text)]
            links = [each for each in links if each.endswith(f"#sha256={sha256}")]
        if not links:
            problem = f"{address} does not have the file"
            continue
        with urllib.request.urlopen(urllib.parse.urljoin(address, links[0].partition("#")[0]), timeout=60) as answer:
            with open(target, "wb") as file:
                shutil.copyfileobj(answer, file)
        sys.exit(0)
    except (OSError, ValueError, KeyError) as error:
        problem = f"{address}: {error}"
sys.exit(problem)
