"""The servers of the test bed: `main.py DIRECTORY world|machine`.

What they are and where they listen is in DIRECTORY/bed.json. Says `ready` once all of them listen; runs until it is
killed. Every connection and request is written to the log `hits`, every name that is asked for to `queries`, before
the answer goes out: what a client has seen is in the log.
"""

import asyncio
import pathlib
import sys

from logs import Log
from servers import dns, plain, web
from settings import Settings


async def main() -> None:
    directory, role = pathlib.Path(sys.argv[1]), sys.argv[2]
    settings = Settings(directory)
    hits = Log(settings.facts["hits"])
    if role == "machine":
        await web.serve_own(settings, hits)
    else:
        from servers import authority, index, registry, repository

        authority.make(settings)
        pages = {
            "index": index.Index(),
            "registry": registry.Registry(),
            "git": repository.Repository(directory / "git"),
        }
        await dns.serve(settings, Log(settings.facts["queries"]), hits)
        await web.serve(settings, hits, pages)
        await plain.serve(settings, hits)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
