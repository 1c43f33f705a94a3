# What the tests are built on: a cairn server as a process, signed calls, made-up events, walks over lookups.
# SPDX-License-Identifier: Apache-2.0
import base64
import datetime
import fcntl
import gzip
import hashlib
import hmac
import json
import os
import pathlib
import pty
import re
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
import urllib.parse
import uuid

import requests

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
BINARY = os.environ.get("CAIRN_BINARY") or str(PROJECT / ".build/release/cairn")
MOVABLE_CLOCK = os.environ.get("CAIRN_MOVABLE_CLOCK") or str(PROJECT / ".build/release/cairn-movable-clock")
SHARED = pathlib.Path(os.environ.get("CAIRN_SHARED") or HERE / "../../../shared").resolve()

KEY = "LTAI5tMadeUpWireTest0001"
SECRET = "MadeUpSecretOfTheWireTests01"
REGION = "cn-hangzhou"
ACCOUNT = "1000000000000001"
VERSION = "2020-07-06"


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def iso(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(**span):
    return iso(now() - datetime.timedelta(**span))


def ahead(**span):
    return iso(now() + datetime.timedelta(**span))


def enc(text):
    return urllib.parse.quote(str(text), safe="-_.~")


def query_of(parameters):
    return "&".join(f"{enc(k)}={enc(v)}" for k, v in sorted(parameters.items()))


def flat(parameters):
    """Lists of {Key, Value} become LookupAttribute.1.Key and so on."""
    out = {}
    for name, value in (parameters or {}).items():
        if value is None:
            continue
        if isinstance(value, list):
            for index, (key, text) in enumerate(value, 1):
                out[f"{name}.{index}.Key"] = key
                out[f"{name}.{index}.Value"] = text
        else:
            out[name] = str(value)
    return out


# Signatures


def acs3(method, host, path, query, body, action, key=KEY, secret=SECRET, version=VERSION, date=None, nonce=None, extra=None):
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-version": version,
        "x-acs-date": date or iso(now()),
        "x-acs-signature-nonce": nonce or uuid.uuid4().hex,
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
    }
    headers.update(extra or {})
    names = sorted(headers)
    canonical = "\n".join(
        [method, path, query, "".join(f"{n}:{headers[n].strip()}\n" for n in names), ";".join(names),
         headers["x-acs-content-sha256"]])
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = f"ACS3-HMAC-SHA256 Credential={key},SignedHeaders={';'.join(names)},Signature={signature}"
    return headers


def v1(method, parameters, action, key=KEY, secret=SECRET, version=VERSION, timestamp=None, nonce=None):
    """All parameters of a call signed with version 1.0."""
    everything = dict(
        parameters, Action=action, Version=version, Format="JSON", AccessKeyId=key, SignatureMethod="HMAC-SHA1",
        SignatureVersion="1.0", SignatureNonce=nonce or uuid.uuid4().hex, Timestamp=timestamp or iso(now()))
    to_sign = f"{method}&%2F&{enc(query_of(everything))}"
    digest = hmac.new((secret + "&").encode(), to_sign.encode(), hashlib.sha1).digest()
    everything["Signature"] = base64.b64encode(digest).decode()
    return everything


class Answer:
    def __init__(self, response):
        self.status = response.status_code
        self.headers = response.headers
        self.content = response.content

    @property
    def json(self):
        return json.loads(self.content)

    @property
    def code(self):
        return self.json.get("Code")

    def __repr__(self):
        return f"<{self.status} {self.content[:300]!r}>"


class Server:
    """One `cairn serve` on ports of its own; kept apart from every other by its data folder."""

    def __init__(self, folder, binary=BINARY, interval="0.5", region=REGION, key=KEY, secret=SECRET, account=None, extra=(), variables=None):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.binary = binary
        self.region, self.key, self.secret, self.account = region, key, secret, account or ACCOUNT
        self.arguments = ["--delivery-interval", interval, "--region", region, "--account", self.account, *extra]
        self.variables = variables or {}
        self.log_path = self.folder / "stderr.log"
        self.process = None
        self.starts = 0
        self.local = threading.local()

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith("CAIRN_")}
        env.update(CAIRN_ROOT_ACCESS_KEY_ID=self.key, CAIRN_ROOT_ACCESS_KEY_SECRET=self.secret)
        env.update(self.variables)
        return env

    def command(self):
        ports = [part for name in ("api", "oss", "sls") for part in (f"--{name}", "127.0.0.1:0")]
        return [self.binary, "serve", "--data", str(self.data), *ports, *self.arguments]

    def launch(self):
        """Begins a start and waits for nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=log, env=self.environment())
        log.close()
        self.starts += 1

    def start(self, wait=60):
        self.launch()
        line = []
        reader = threading.Thread(target=lambda: line.append(self.process.stdout.readline().decode()), daemon=True)
        reader.start()
        reader.join(wait)
        assert line and line[0].startswith("cairn ready"), f"no ready line but {line!r}; log:\n{self.log()[-3000:]}"
        self.ready = line[0].strip()
        urls = dict(part.split("=", 1) for part in self.ready.split()[2:])
        self.api, self.oss, self.sls, self.console = urls["api"], urls["oss"], urls["sls"], urls["console"]
        self.api_host, self.oss_host, self.sls_host = (url.split("//")[1] for url in (self.api, self.oss, self.sls))
        self.local = threading.local()
        return self

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def stop(self, wait=60):
        """SIGTERM; gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(wait)
        self.process.stdout.close()
        return code

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        self.process.stdout.close()

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def memory(self, field="VmRSS"):
        """In mebibytes."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", text).group(1)) / 1024

    @property
    def session(self):
        if not hasattr(self.local, "session"):
            self.local.session = requests.Session()
            self.local.session.trust_env = False
        return self.local.session

    # Calls

    def rpc(self, action, parameters=None, signature="v3", method="POST", form=False, key=None, secret=None,
            version=VERSION, host=None, timeout=60, **options):
        key, secret = key or self.key, secret or self.secret
        parameters = flat(parameters)
        host = host or self.api_host
        if signature == "v1":
            signed = v1(method, parameters, action, key, secret, version, **options)
            if form:
                response = self.session.request(
                    method, self.api + "/", data=query_of(signed).encode(), timeout=timeout,
                    headers={"Content-Type": "application/x-www-form-urlencoded"})
            else:
                response = self.session.request(method, self.api + "/?" + query_of(signed), timeout=timeout)
            return Answer(response)
        body = query_of(parameters).encode() if form else b""
        query = "" if form else query_of(parameters)
        extra = {"content-type": "application/x-www-form-urlencoded"} if form else {}
        headers = acs3(method, host, "/", query, body, action, key, secret, version, extra=extra, **options)
        return Answer(self.session.request(method, self.api + "/?" + query, data=body, headers=headers, timeout=timeout))

    def call(self, action, parameters=None, **options):
        """An answer that has to be good."""
        answer = self.rpc(action, parameters, **options)
        assert answer.status == 200, (action, parameters, answer)
        assert answer.json["RequestId"], answer
        return answer.json

    def put(self, body, token=None, path="/v1/events", query="", headers=None, signed_body=None, timeout=120, **options):
        if isinstance(body, (dict, list)):
            body = ndjson(body) if isinstance(body, list) else json.dumps(body).encode()
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = "Bearer " + token
        else:
            headers.update(acs3(
                "POST", self.api_host, path, query, body if signed_body is None else signed_body, "PutEvents",
                options.pop("key", self.key), options.pop("secret", self.secret), **options))
        url = self.api + path + ("?" + query if query else "")
        return Answer(self.session.post(url, data=body, headers=headers, timeout=timeout))

    def record(self, events):
        """Puts events that all have to be accepted."""
        answer = self.put(events)
        assert answer.status == 200 and answer.json["Rejected"] == [], answer
        return answer.json

    def lookup(self, attributes=None, start=None, end=None, page=50, direction="BACKWARD", limit=None, between=None, **options):
        """Every event of a lookup, page by page."""
        events, token, pages = [], None, 0
        start, end = start or ago(days=30), end or ahead(days=1)
        while True:
            body = self.call("LookupEvents", {
                "StartTime": start, "EndTime": end, "MaxResults": page, "Direction": direction, "NextToken": token,
                "LookupAttribute": list(attributes or [])}, **options)
            events += body["Events"]
            token = body.get("NextToken")
            pages += 1
            assert len(body["Events"]) <= page
            if between:
                between(pages)
            if not token or (limit and len(events) >= limit):
                return events
            assert pages < 5000

    def ids(self, attributes=None, **options):
        return [event["eventId"] for event in self.lookup(attributes, **options)]

    def get(self, path, **options):
        return Answer(self.session.get(self.api + path, timeout=30, **options))

    def client_environment(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CAIRN_")}
        environment.update(
            CAIRN_ENDPOINT=self.api, CAIRN_OSS_ENDPOINT=self.oss, CAIRN_ACCESS_KEY_ID=self.key,
            CAIRN_ACCESS_KEY_SECRET=self.secret)
        return environment

    def on_a_terminal(self, questions, *arguments, columns=None):
        """Runs a client command on a terminal of its own, types each answer when its question is on the screen, and gives exit
        code and screen. Every question has to come."""
        ours, theirs = pty.openpty()
        if columns:
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [self.binary, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, env=self.client_environment(),
            close_fds=True)
        os.close(theirs)
        screen, seen, left = b"", 0, list(questions)
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:
                break
            if not part:
                break
            screen += part
            if left and left[0][0] in screen[seen:]:
                seen = len(screen)
                os.write(ours, left.pop(0)[1] + b"\n")
        os.close(ours)
        assert not left, screen
        return process.wait(60), screen

    def cairn(self, *arguments, input=None, check=None, env=None, timeout=120):
        """Runs a client command against this server."""
        environment = dict(self.client_environment(), **(env or {}))
        done = subprocess.run(
            [self.binary, *map(str, arguments)], input=input, capture_output=True, env=environment, timeout=timeout)
        if check is not None:
            assert done.returncode == check, (arguments, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return done

    def bucket(self, name):
        import oss2
        bucket = oss2.Bucket(oss2.Auth(self.key, self.secret), self.oss, name, is_path_style=True)
        return bucket

    def make_bucket(self, name):
        bucket = self.bucket(name)
        bucket.create_bucket()
        return bucket

    def trail(self, name, bucket, start=True, **parameters):
        self.make_bucket(bucket)
        self.call("CreateTrail", {"Name": name, "OssBucketName": bucket, **parameters})
        if start:
            self.call("StartLogging", {"Name": name})

    def settle(self, name, wait=60, waiting="WaitingEventCount"):
        """Waits until a trail has delivered everything that was recorded before this call; `WaitingLogCount` asks for its logstore."""
        before = int(self.get("/log/checkpoint").content.split(b"\n")[1])
        deadline = time.time() + wait
        while True:
            # Waiting counts from the cursor to the log's end, which may have moved on since.
            size = int(self.get("/log/checkpoint").content.split(b"\n")[1])
            status = self.call("GetTrailStatus", {"Name": name})
            if waiting in status and size - status[waiting] >= before:
                return status
            assert time.time() < deadline, status
            time.sleep(0.2)


def ndjson(events):
    return b"".join(json.dumps(e, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for e in events)


def event(number=0, **changes):
    """A made-up event in ActionTrail's own shape."""
    base = {
        "eventId": str(uuid.uuid4()).upper(),
        "eventVersion": "1",
        "eventCategory": "Management",
        "eventName": "StartInstance",
        "eventRW": "Write",
        "eventType": "ApiCall",
        "eventSource": "ecs.cn-hangzhou.aliyuncs.com",
        "eventTime": iso(now() - datetime.timedelta(seconds=2)),
        "acsRegion": REGION,
        "isGlobal": False,
        "serviceName": "Ecs",
        "apiVersion": "2014-05-26",
        "requestId": f"REQ-{number}",
        "sourceIpAddress": "192.0.2.10",
        "userAgent": "made-up/1.0",
        "requestParameters": {"InstanceId": f"i-madeup{number:06d}"},
        "referencedResources": {"ACS::ECS::Instance": [f"i-madeup{number:06d}"]},
        "resourceType": "ACS::ECS::Instance",
        "resourceName": f"i-madeup{number:06d}",
        "recipientAccountId": ACCOUNT,
        "userIdentity": {
            "type": "ram-user", "principalId": "200000000000000001", "accountId": ACCOUNT,
            "accessKeyId": "LTAI5tMadeUpKeyOfMina", "userName": "mina"},
    }
    base.update(changes)
    return {k: v for k, v in base.items() if v is not None}


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def split_array(content):
    """The raw bytes of each element of a JSON array of objects."""
    text = content.decode()
    assert text[0] == "[" and text.rstrip()[-1] == "]"
    parts, depth, start, in_string, escaped = [], 0, None, False, False
    for index, char in enumerate(text):
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
            continue
        if char == '"':
            in_string = True
        elif char in "{[":
            depth += 1
            if depth == 2 and char == "{":
                start = index
        elif char in "}]":
            depth -= 1
            if depth == 1 and start is not None:
                parts.append(text[start:index + 1].encode())
                start = None
    return parts


def ids(raw_events):
    return [json.loads(e)["eventId"] for e in raw_events]


def check_once(raw, sent):
    """Every event that was sent is there, once, as the bytes that were put."""
    by_id = {json.loads(e)["eventId"]: e for e in raw}
    assert len(by_id) == len(raw), "an event was delivered twice"
    for e in sent:
        assert by_id[e["eventId"]] == compact(e), e["eventId"]
    return by_id


def objects_of(bucket, prefix=""):
    import oss2
    return {o.key: bucket.get_object(o.key).read() for o in oss2.ObjectIteratorV2(bucket, prefix=prefix)}


def delivered(bucket, prefix=""):
    """Raw bytes of the delivered events, in the order of keys."""
    events = []
    for key, content in sorted(objects_of(bucket, prefix).items()):
        if key.endswith(".gz"):
            events += split_array(gzip.decompress(content))
    return events


def raw_request(host, data, wait=10, read=65536, half_close=True):
    """Sends bytes over a socket of its own and gives what comes back."""
    name, port = host.rsplit(":", 1)
    received = b""
    try:
        with socket.create_connection((name, int(port)), timeout=wait) as connection:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            while len(received) < read:
                part = connection.recv(65536)
                if not part:
                    break
                received += part
    except OSError:
        pass
    return received


def wait_for(condition, wait=30, pause=0.1, what="it"):
    deadline = time.time() + wait
    while True:
        value = condition()
        if value:
            return value
        assert time.time() < deadline, f"waited {wait} s for {what}"
        time.sleep(pause)


def job_done(server, job, wait=30):
    wait_for(lambda: server.call("GetDeliveryHistoryJob", {"JobId": job})["JobStatus"] == 2, wait=wait, what="the job")
