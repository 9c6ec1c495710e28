import http.server
import threading

import requests

server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever).start()
answer = requests.get(f"http://127.0.0.1:{server.server_port}/", timeout=10)
server.shutdown()
assert answer.status_code == 200 and "Directory listing" in answer.text
