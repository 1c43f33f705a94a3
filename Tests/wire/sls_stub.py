# A log service of a few lines, for what a real one does seldom: incomplete answers, restarts, strange rows.
# SPDX-License-Identifier: Apache-2.0
import base64
import http.server
import json
import socket
import threading
import urllib.parse

from protobuf import field


def group(logs):
    """A LogGroup of (time, fields) with a topic, a source and a tag."""
    body = b"".join(
        field(1, field(1, time) + b"".join(field(2, field(1, k) + field(2, v)) for k, v in fields.items()))
        for time, fields in logs)
    return body + field(3, "a-topic") + field(4, "a-source") + field(6, field(1, "K") + field(2, "V"))


class SLSStub:
    """Answers GetLogs from `logs`, a list of rows, or from `answers`, one after the other; shards are lists of LogGroups."""

    def __init__(self, port=0):
        self.logs, self.answers, self.asked, self.hosts = [], [], [], []
        self.shards = {0: [], 1: []}
        self.refusal, self.connections = None, []
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                stub.connections.append(self.connection)

            def log_message(self, *arguments):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                url = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(url.query))
                stub.hosts.append(self.headers["Host"])
                assert self.headers["Authorization"], "every request is signed"
                if stub.refusal:
                    status, code, message = stub.refusal
                    return self.reply(json.dumps({"errorCode": code, "errorMessage": message}).encode(), status=status)
                parts = url.path.strip("/").split("/")
                if parts[2:] == ["logs"]:
                    return self.reply(json.dumps(stub.get_logs(json.loads(body))).encode())
                if parts[2:] == ["shards"]:
                    return self.reply(json.dumps([{"shardID": n, "status": "readwrite"} for n in sorted(stub.shards)]).encode())
                groups = stub.shards[int(parts[3])]
                if query["type"] == "cursor":
                    place = len(groups) if query["from"] == "end" else 0
                    return self.reply(json.dumps({"cursor": base64.b64encode(b"%d" % place).decode()}).encode())
                place = int(base64.b64decode(query["cursor"]))
                some = groups[place:place + 3]
                stub.asked.append(query)
                self.reply(b"".join(field(1, g) for g in some), **{
                    "x-log-count": str(len(some)), "x-log-cursor": base64.b64encode(b"%d" % (place + len(some))).decode(),
                    "x-log-bodyrawsize": str(sum(map(len, some)))})

            do_GET = do_POST = answer

            def reply(self, body, status=200, **headers):
                self.send_response(status)
                for name, value in {"x-log-requestid": "5F00000000000000000000AA", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def get_logs(self, ask):
        self.asked.append(ask)
        if self.answers:
            return self.answers.pop(0)
        rows = [r for r in self.logs if ask["from"] <= int(r["__time__"]) < ask["to"]]
        rows.sort(key=lambda r: int(r["__time__"]))
        if ask["reverse"]:
            rows.reverse()
        rows = rows[ask["offset"]:ask["offset"] + ask["line"]]
        return answer(rows)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def answer(rows, complete=True, keys=(), sql=False, limited=0, looked=0):
    return {"meta": {"progress": "Complete" if complete else "Incomplete", "count": len(rows), "hasSQL": sql, "keys": list(keys),
                     "limited": limited, "processedRows": looked}, "data": rows}
