"""A small HTTP API for the examples/petstore.yaml paths, with nothing but the standard library: `pets_server.py PORT`."""
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

pets: dict[int, dict] = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body, kind: str = "application/json", **headers) -> None:
        data = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Real", "yes")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        if parts == ["pets"]:
            limit = int(parse_qs(url.query).get("limit", ["100"])[0])
            self.answer(200, list(pets.values())[:limit])
        elif parts[0] == "pets" and len(parts) == 2:
            pet = pets.get(int(parts[1])) if parts[1].isdigit() else None
            self.answer(200, pet) if pet else self.answer(404, {"code": 404, "message": f"no pet {parts[1]}"})
        elif parts == ["whoami"]:
            self.answer(200, {"authorization": self.headers.get("Authorization"), "host": self.headers.get("Host")})
        elif parts == ["moved"]:
            self.answer(302, None, Location=f"http://{self.headers.get('Host')}/pets")
        elif parts == ["slow"]:
            time.sleep(30)
            self.answer(200, {})
        elif parts == ["stream"]:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for n in range(3):
                self.wfile.write(b"6\r\nline %d\r\n" % n)
                self.wfile.flush()
                time.sleep(0.3)
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.answer(404, "nothing here", "text/plain")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if not body.get("name"):
            return self.answer(400, {"code": 400, "message": "name is missing"})
        pet = {"id": 100 + len(pets), **body, "seen_key": self.headers.get("Authorization")}
        pets[pet["id"]] = pet
        self.answer(201, pet)

    def do_DELETE(self) -> None:
        id = self.path.rsplit("/", 1)[1]
        found = pets.pop(int(id), None) if id.isdigit() else None
        self.answer(204, None) if found else self.answer(404, {"code": 404, "message": f"no pet {id}"})

    def log_message(self, *_) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
