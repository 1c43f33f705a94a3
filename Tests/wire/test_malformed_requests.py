# Thousands of malformed requests on all three ports: none kills the server, none is answered with 500, memory stays bounded.
# SPDX-License-Identifier: Apache-2.0
import gzip
import os
import random
import re
import threading
import urllib.parse

import pytest
import zstandard

import support
from support import KEY, VERSION, acs3, enc, event, ndjson, query_of, raw_request, v1
from test_oss_sdk import signed_v1

SEED = int(os.environ.get("CAIRN_FUZZ_SEED") or random.SystemRandom().randrange(1 << 32))
ROUNDS = int(os.environ.get("CAIRN_FUZZ_ROUNDS", "2000"))

METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "P\x00ST", "", "X" * 300, "PRI"]
PATHS = ["/", "//", "/v1/events", "/v1/events/", "/v1/sources/kubernetes", "/log/checkpoint", "/log/", "/log/tile/0/000", "/log/tile/0/x",
         "/log/tile/99/000", "/log/tile/0/x001/x002", "/log/tile/entries/000.p/999", "/log/tile/-1/000", "/log/tile/0/18446744073709551616",
         "/log/../metadata.sqlite", "/healthz", "/metrics", "/console", "/%00", "/%", "/%zz", "/..", "/b/%2e%2e/%2e%2e/etc/passwd", "/bucket/key",
         "/bucket/?acl", "/?bucketInfo", "/bucket?list-type=2", "*", "http://example.com/", "/" + "a" * 9000, "/\xff\xfe", "/中文", "/a b", "/b/?x=%"]
ACTIONS = ["LookupEvents", "CountEvents", "CreateTrail", "UpdateTrail", "DescribeTrails", "GetTrailStatus", "StartLogging", "StopLogging", "DeleteTrail",
           "CreateDeliveryHistoryJob", "GetDeliveryHistoryJob", "ListDeliveryHistoryJobs", "DeleteDeliveryHistoryJob", "DescribeRegions",
           "GetEventProof", "GetConsistencyProof", "CreateIngestToken", "DeleteIngestToken", "ListIngestTokens", "ListQuarantinedRecords",
           "GetDataEventSelector", "GetGlobalEventsStorageRegion", "EnableInsight", "CreateKey", "Nonsense", ""]
NAMES = ["Name", "NameList", "OssBucketName", "OssKeyPrefix", "EventRW", "TrailRegion", "StartTime", "EndTime", "MaxResults", "NextToken",
         "Direction", "LookupAttribute.1.Key", "LookupAttribute.1.Value", "LookupAttribute.0.Key", "LookupAttribute.99999999999999999999.Key",
         "LookupAttribute.2.Key", "LookupAttribute..Key", "LookupAttribute", "JobId", "TrailName", "ClientToken", "PageNumber", "PageSize",
         "GroupBy.1", "GroupBy.2", "EventId", "From", "To", "TokenId", "ExpireInDays", "RegionId", "IsOrganizationTrail", "IncludeShadowTrails", "SlsProjectArn"]
VALUES = ["", "x", "0", "-1", "1", "50", "51", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e9", "NaN", "true", "TRUE",
          "None", "All", "User", "EventName", "EventRW", "Text", "ErrorCode", "ResourceName", "2026-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59Z",
          "2026-01-01T00:00:00+08:00", "-001-01-01T00:00:00Z", "FORWARD", "BACKWARD", "fuzz-trail-one", "fuzz-bucket", "e30=", "{}", "[]", "a" * 5000,
          "\x00", "\x7f", "中文", "😀" * 50, "'; DROP TABLE entries; --", "../../x", "%25", "+", "&=;", "\r\nX: y", "<x>&amp;</x>", "acs:log:a:b:project/c"]
HEADERS = ["Host", "Content-Length", "Transfer-Encoding", "Content-Encoding", "Authorization", "Content-Type", "Expect", "Connection", "Range",
           "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256", "x-acs-security-token", "Date",
           "x-oss-date", "x-oss-copy-source", "Content-MD5", "If-Match", "If-Modified-Since", "x-oss-meta-a", "x-oss-object-acl", "Cookie", "Upgrade"]
HEADER_VALUES = VALUES + [
    "chunked", "gzip", "zstd", "gzip, chunked", "Bearer ", "Bearer x", "Bearer " + "y" * 3000, "OSS a:b", "OSS :", f"OSS {KEY}:AAAA", "OSS4-HMAC-SHA256 ",
    "OSS4-HMAC-SHA256 Credential=a/b/c/d/e,Signature=0", f"ACS3-HMAC-SHA256 Credential={KEY},SignedHeaders=host,Signature=00", "ACS3-HMAC-SHA256",
    "Basic Og==", "100-continue", "close", "keep-alive, Upgrade", "bytes=0-", "bytes=-0", "bytes=99999999999999999999-", "h2c", "application/json",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=", "5", "0", "-5", "99999999999999999999", "0x10", "5, 5", "bucket.localhost"]


class Fuzz:
    def __init__(self, seed):
        self.choose = random.Random(seed)

    def noise(self, limit=200):
        return self.choose.randbytes(self.choose.randrange(limit))

    def mutate(self, data):
        data = bytearray(data)
        for _ in range(self.choose.randrange(1, 6)):
            if not data:
                break
            at = self.choose.randrange(len(data))
            kind = self.choose.randrange(5)
            if kind == 0:
                data[at] ^= 1 << self.choose.randrange(8)
            elif kind == 1:
                del data[at:at + self.choose.randrange(1, 20)]
            elif kind == 2:
                data[at:at] = self.noise(12)
            elif kind == 3:
                data[at:at] = data[at:at + self.choose.randrange(1, 60)]
            else:
                data[at] = self.choose.choice(b"\x00\xff{}[]\",:\\\n\r 09-")
        return bytes(data)

    def body(self):
        good = ndjson([event(i, fuzz="é\\😀") for i in range(self.choose.randrange(1, 4))])
        kind = self.choose.randrange(9)
        return [
            lambda: b"", lambda: self.noise(2000), lambda: good, lambda: self.mutate(good), lambda: self.mutate(gzip.compress(good)),
            lambda: self.mutate(zstandard.compress(good)), lambda: b"[" * self.choose.randrange(5000),
            lambda: self.mutate(b'{"Records":[' + good.strip().replace(b"\n", b",") + b"]}"),
            lambda: query_of({self.choose.choice(NAMES): self.choose.choice(VALUES) for _ in range(5)}).encode()][kind]()

    def parameters(self):
        return {self.choose.choice(NAMES): self.choose.choice(VALUES) for _ in range(self.choose.randrange(6))}

    def raw(self, host):
        """A request out of odd parts, and sometimes broken again as a whole."""
        method, path = self.choose.choice(METHODS), self.choose.choice(PATHS)
        if self.choose.random() < 0.5:
            query = "&".join(f"{self.choose.choice([enc(n), n])}={self.choose.choice([enc(v), v])}" for n, v in self.parameters().items())
            path += "?" + query
        body = self.body()
        lines = [f"{method} {path} HTTP/{self.choose.choice(['1.1', '1.1', '1.1', '1.0', '2.0', '9'])}", f"Host: {host}"]
        for _ in range(self.choose.randrange(5)):
            lines.append(f"{self.choose.choice(HEADERS)}: {self.choose.choice(HEADER_VALUES)}")
        if self.choose.random() < 0.7:
            lines.append(f"Content-Length: {len(body)}")
        data = "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body
        return self.mutate(data) if self.choose.random() < 0.3 else data

    def signed(self, server):
        """A call that is authentic and makes no sense: it gets past the gateway."""
        action, parameters = self.choose.choice(ACTIONS[:21]), self.parameters()
        if self.choose.random() < 0.5:
            # Of a trail that exists, so that the call gets further than its name.
            parameters.update({"Name": "fuzz-trail-one", "TrailName": "fuzz-trail-one"})
            action = "UpdateTrail" if action == "DeleteTrail" else action
        if self.choose.random() < 0.5:
            query = query_of(v1("POST", parameters, action))
            return f"POST /?{query} HTTP/1.1\r\nHost: {server.api_host}\r\nContent-Length: 0\r\n\r\n".encode()
        query = query_of(parameters)
        headers = acs3("POST", server.api_host, "/", query, b"", action)
        lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        return f"POST /?{query} HTTP/1.1\r\n{lines}Content-Length: 0\r\n\r\n".encode()

    def signed_oss(self, server):
        """Authentic OSS requests with odd resources, headers and bodies."""
        resource = self.choose.choice(["/", "/fuzz-bucket/", "/fuzz-bucket/key", "/fuzz-bucket/a/b c", "/no-bucket-here/", "/Bad_Name/", "/fuzz-bucket/" + "k" * 1100])
        method = self.choose.choice(["GET", "PUT", "HEAD", "DELETE", "POST"])
        query = "&".join(f"{enc(self.choose.choice(['prefix', 'delimiter', 'marker', 'max-keys', 'list-type', 'encoding-type', 'start-after', 'continuation-token']))}"
                         f"={enc(self.choose.choice(VALUES + ['2', 'url', '/']))}" for _ in range(self.choose.randrange(4)))
        body = self.body() if method in ("PUT", "POST") else b""
        headers = {"Content-Type": self.choose.choice(["", "text/plain"])}
        if self.choose.random() < 0.6:
            headers[self.choose.choice(["Range", "If-Match", "If-None-Match", "If-Modified-Since", "Content-MD5", "Content-Encoding", "x-oss-acl",
                                        "x-oss-meta-x", "x-oss-range-behavior", "x-oss-forbid-overwrite", "x-oss-storage-class"])] = self.choose.choice(
                [v for v in HEADER_VALUES if v.isascii() and v.isprintable()])
        headers = signed_v1(method, resource, headers)
        path = urllib.parse.quote(resource) + ("?" + query if query else "")
        lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items() if v)
        return f"{method} {path} HTTP/1.1\r\nHost: {server.oss_host}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def put(self, server, token):
        body = self.body()
        coding = self.choose.choice(["", "", "Content-Encoding: gzip\r\n", "Content-Encoding: zstd\r\n"])
        path = self.choose.choice(["/v1/events", "/v1/events?format=cloudtrail", "/v1/sources/kubernetes", "/v1/events?format=" + self.choose.choice(["auto", "cloudevents", "x", "%"])])
        return (f"POST {path} HTTP/1.1\r\nHost: {server.api_host}\r\nAuthorization: Bearer {token}\r\n{coding}"
                f"Content-Length: {len(body)}\r\n\r\n").encode() + body


@pytest.mark.parametrize("port", ["api", "oss", "sls", "signed", "signed_oss", "put"])
def test_nothing_kills_the_server_and_nothing_is_a_500(server, port):
    print(f"seed {SEED}")
    token = server.call("CreateIngestToken", {"Name": "fuzz"})["IngestToken"]
    host = getattr(server, port + "_host", server.oss_host if port == "signed_oss" else server.api_host)
    server.make_bucket("fuzz-bucket")
    server.rpc("CreateTrail", {"Name": "fuzz-trail-one", "OssBucketName": "fuzz-bucket"})
    bad, statuses, lock = [], {}, threading.Lock()
    before = server.memory("VmHWM")

    def work(worker):
        fuzz = Fuzz(f"{SEED}-{port}-{worker}")
        for number in range(ROUNDS // 4):
            data = {"signed": lambda: fuzz.signed(server), "signed_oss": lambda: fuzz.signed_oss(server), "put": lambda: fuzz.put(server, token)}.get(port, lambda: fuzz.raw(host))()
            answer = raw_request(host, data, wait=10)
            status = re.match(rb"HTTP/1\.1 (\d+)", answer)
            status = int(status.group(1)) if status else 0
            with lock:
                statuses[status] = statuses.get(status, 0) + 1
                if status == 500 or not server.is_running:
                    bad.append((worker, number, data[:600], answer[:400]))
                    if len(bad) > 5 or not server.is_running:
                        return

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(port, dict(sorted(statuses.items())))
    assert not bad, f"seed {SEED}: {bad[:3]}"
    assert server.is_running and server.get("/healthz").status == 200
    assert server.memory("VmHWM") - before < 300
    assert sum(statuses.values()) >= ROUNDS // 4 * 4
    if port in ("signed", "signed_oss", "put"):
        assert statuses.get(0, 0) == 0, "a request that was well formed got no answer"
        assert statuses.get(200, 0) > 20


def test_no_secret_or_path_of_the_machine_in_any_refusal(server):
    for path in ("/log/..%2f..%2froot.key", "/log/../root.key", "/log/tile/0/../../../root.key", "/%2e%2e/root.key", "/root.key", "/objects/", "/bucket/../root.key"):
        for host in (server.api_host, server.oss_host, server.sls_host):
            answer = raw_request(host, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert not answer.startswith(b"HTTP/1.1 200") and str(server.data).encode() not in answer, (path, answer)


def test_too_many_and_too_long_headers(server):
    for host in (server.api_host, server.oss_host, server.sls_host):
        for block in (b"".join(b"x-h%d: v\r\n" % i for i in range(5000)), b"x-long: " + b"y" * 200_000 + b"\r\n"):
            answer = raw_request(host, b"GET / HTTP/1.1\r\nHost: x\r\n" + block + b"\r\n")
            assert not answer or re.match(rb"HTTP/1\.1 (4\d\d|501) ", answer), answer[:200]
    many = "&".join(f"p{i}=v" for i in range(5000))
    answer = server.get(f"/?Action=DescribeTrails&Version={VERSION}&{many}")
    assert 400 <= answer.status < 500, answer
    assert server.get("/healthz").status == 200


def test_pipelined_requests_are_answered_in_order(server):
    one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = raw_request(server.api_host, one * 20 + b"GET /log/key HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", half_close=False)
    assert answer.count(b"HTTP/1.1 200") == 21, answer[-300:]


def test_head_has_no_body(server):
    for path in ("/healthz", "/log/checkpoint", "/log/nothing", "/?Action=DescribeTrails&Version=" + VERSION):
        answer = raw_request(server.api_host, f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode(), half_close=False)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 ") and body == b"", (path, answer)


def test_the_sls_port_refuses_in_its_own_words(server):
    answer = support.Answer(server.session.get(server.sls + "/logstores/x?type=log", timeout=10))
    assert answer.status == 400 and answer.json["errorCode"] == "MissAccessKeyId" and answer.headers["x-log-requestid"]
