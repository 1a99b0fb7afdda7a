"""Serves a folder on a free port of this machine, as servers are: the first part of a path says how it misbehaves.

Usage: object_server.py FOLDER. Prints the port. `cut` ends every answer after 40,000 bytes, `flat` knows no ranges and
ends the first answer early, `change` shows another state from the second answer on, `away` redirects to another host.
Each answer to a GET is one line `PATH RANGE` in the file FOLDER/requests.
"""

import http.server
import pathlib
import sys

FOLDER = pathlib.Path(sys.argv[1])
GETS = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, body):
        how = self.path.split("/")[1]
        if how == "away":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.2:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        file = FOLDER / self.path.lstrip("/")
        if not file.is_file():
            self.send_error(404)
            return
        data = file.read_bytes()
        asked = self.headers.get("Range")
        count = GETS.get(self.path, 0)
        if body:
            GETS[self.path] = count + 1
            with open(FOLDER / "requests", "a") as log:
                log.write(f"{self.path} {asked or 'whole'}\n")
        start, end = 0, len(data)
        if asked and how != "flat":
            first, last = asked.removeprefix("bytes=").split("-")
            start, end = int(first), min(int(last) + 1 if last else len(data), len(data))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        else:
            self.send_response(200)
        etag = "second" if how == "change" and count > 0 else "first"
        self.send_header("ETag", f'"{etag}"')
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if body:
            early = how in ("cut", "change") or how == "flat" and count == 0
            end = min(end, start + 40_000) if early else end
            self.wfile.write(data[start:end])
            self.wfile.flush()
            if early:
                self.close_connection = True


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
