import io

from loguru import logger

sink = io.StringIO()
logger.remove()
logger.add(sink, format="{level} {message}")
logger.warning("careful")
assert sink.getvalue() == "WARNING careful\n"
