#!/usr/bin/env python3
"""A server for Postern's authentication hook, to build upon: postern serve --auth-hook http://127.0.0.1:8025/"""
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USERS = {"ada": "secret"}  # your own table, directory or panel


class Hook(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = USERS.get(question["user"])
        right = known is not None and question["password"] in (None, known)
        answer = json.dumps({"ok": right}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass  # questions hold passwords


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8025), Hook).serve_forever()
