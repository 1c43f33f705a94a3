# Delivery to other stores: Ceph's gateway and SeaweedFS by S3 with Object Lock, and a second Cairn's oss port by OSS. Each object
# once, byte for byte, locked where that is asked for, verifiable with the log's key alone, whoever is killed in between.
# SPDX-License-Identifier: Apache-2.0
import datetime
import gzip
import http.server
import ipaddress
import json
import random
import ssl
import subprocess
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import stores
from support import KEY, SECRET, Server, check_once, event, now, objects_of, split_array, wait_for

DAYS = 2


@pytest.fixture(scope="module", params=[stores.Ceph, stores.SeaweedFS], ids=lambda s: s.name)
def store(request, tmp_path_factory):
    try:
        running = request.param(tmp_path_factory.mktemp(request.param.name))
    except stores.NotHere as reason:
        pytest.skip(str(reason))
    yield running
    running.stop()


def delivering_to(make_server, tmp_path, buckets, interval="0.5"):
    """A server whose configuration names remote buckets."""
    lines = ["remote-buckets:"]
    for name, settings in buckets.items():
        secret = tmp_path / f"{name}.secret"
        secret.write_text(settings.pop("secret") + "\n")
        lines += [f"  {name}:", f"    access-key-secret-file: {secret}"]
        lines += [f"    {key}: {value}" for key, value in settings.items()]
    path = tmp_path / "cairn.yaml"
    path.write_text("\n".join(lines) + "\n")
    return make_server(interval=interval, extra=("--config", str(path)))


def remote_trail(server, name, bucket, **parameters):
    """A trail into a remote bucket: there is no embedded one of that name."""
    server.call("CreateTrail", {"Name": name, "OssBucketName": bucket, **parameters})
    server.call("StartLogging", {"Name": name})


def s3(store, bucket, **more):
    return {"kind": "s3", "endpoint": store.url, "region": stores.REGION, "bucket": bucket, "access-key-id": stores.KEY,
            "secret": stores.SECRET, **more}


def versions(client, bucket):
    """Key, version id and content of each delivered version; no key may be hidden by a marker."""
    found = []
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix="AliyunLogs/"):
        assert not page.get("DeleteMarkers"), page["DeleteMarkers"]
        for entry in page.get("Versions", []):
            body = client.get_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])["Body"].read()
            found.append((entry["Key"], entry["VersionId"], body))
    return found


def events_in(objects):
    """The raw events of delivered objects, by key in order."""
    return [raw for key, body in sorted(objects) if key.endswith(".gz") for raw in split_array(gzip.decompress(body))]


def check_objects(objects, sent):
    """Every event that was sent is in one of them, once, as the bytes that were put."""
    keys = [key for key, _ in objects]
    assert len(keys) == len(set(keys)), "a key has two versions"
    return check_once(events_in(objects), sent)


def check_proof(server, trail, folder, read):
    """Stops a trail, waits until its last step is whole, and verifies what was downloaded with the log's key and no service."""
    server.call("StopLogging", {"Name": trail})
    log_key = server.get("/log/key").content.decode().strip()
    rounds = iter(range(1000))

    def verified():
        objects, target = read(), folder / str(next(rounds))
        for key, body in objects:
            path = target / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        report = json.loads(server.cairn("verify", target, "--key", log_key, "--output", "json").stdout)
        # Between the objects of a step and its digest there is a moment; and only a stop that was recorded is the end.
        is_whole = report["findings"] == [] and any(b"StopLogging" in e for e in events_in(objects))
        return is_whole and (objects, report["events"])

    return wait_for(verified, pause=0.3, what="a delivery that verifies")


def trouble(server, name):
    return wait_for(lambda: server.call("GetTrailStatus", {"Name": name}).get("LatestDeliveryError"), what="the trouble to be told")


def test_a_locked_bucket_gets_each_object_once_and_keeps_it(store, make_server, tmp_path):
    client, bucket = store.client(), f"locked-{random.getrandbits(40):x}"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    server = delivering_to(make_server, tmp_path, {
        "audit-archive": s3(store, bucket, **{"retention-mode": "COMPLIANCE", "retention-days": DAYS})})
    # An embedded bucket of the same name stays empty: the remote one is meant.
    server.trail("archive-trail", "audit-archive")
    sent = [event(i, eventId=f"locked-{i}", eventName="名字") for i in range(40)]
    for start in (0, 20):
        server.record(sent[start:start + 20])
        time.sleep(0.8)
    status = server.settle("archive-trail")
    assert "LatestDeliveryError" not in status, status
    assert status["OssBucketStatus"] is True
    target = status["DeliveryTarget"]
    assert target["Retention"] == f"COMPLIANCE, {DAYS} days, set on each object", target
    assert bucket in target["Location"] and stores.SECRET not in str(target), target
    assert not objects_of(server.bucket("audit-archive"))
    objects, proved = check_proof(
        server, "archive-trail", tmp_path / "downloaded", lambda: [(key, body) for key, _, body in versions(client, bucket)])
    assert proved == len(check_objects(objects, sent))
    for key, version, _ in versions(client, bucket):
        retention = client.get_object_retention(Bucket=bucket, Key=key, VersionId=version)["Retention"]
        left = retention["RetainUntilDate"] - now()
        assert retention["Mode"] == "COMPLIANCE", key
        assert datetime.timedelta(days=DAYS) - left < datetime.timedelta(minutes=5) and left <= datetime.timedelta(days=DAYS), left
        for options in ({}, {"BypassGovernanceRetention": True}):
            with pytest.raises(client.exceptions.ClientError) as refusal:
                client.delete_object(Bucket=bucket, Key=key, VersionId=version, **options)
            assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403, refusal.value
    log = server.log()
    assert "what a trail delivers" in log and f"COMPLIANCE, {DAYS} days" in log
    assert stores.SECRET not in log
    # At each start it is tried whether the store refuses to overwrite. Where it does not, a version is left behind, no more.
    refuses = "a store does not refuse to overwrite" not in log
    server.call("StartLogging", {"Name": "archive-trail"})
    server.kill()
    server.start()
    server.record([event(1, eventId="after-restart")])
    server.settle("archive-trail")
    probes = [v for p in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix="cairn-") for v in p["Versions"]]
    assert len(probes) == (1 if refuses else 3), probes
    assert "LatestDeliveryError" not in server.call("GetTrailStatus", {"Name": "archive-trail"})


def test_kill_9_in_between_leaves_each_object_once(store, make_server, tmp_path):
    client, bucket = store.client(), f"killed-{random.getrandbits(40):x}"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    server = delivering_to(make_server, tmp_path, {
        "audit-archive": s3(store, bucket, **{"retention-mode": "COMPLIANCE", "retention-days": DAYS})}, interval="0.1")
    remote_trail(server, "killed-trail", "audit-archive")
    choose, sent = random.Random(7), []
    for round_number in range(8):
        for batch in range(4):
            events = [event(i, eventId=f"killed-{round_number}-{batch}-{i}", acsRegion=f"region-{i % 3}") for i in range(12)]
            server.record(events)
            sent += events
            time.sleep(choose.uniform(0, 0.12))
        server.kill()
        server.start()
    server.settle("killed-trail")
    objects, _ = check_proof(
        server, "killed-trail", tmp_path / "downloaded", lambda: [(key, body) for key, _, body in versions(client, bucket)])
    check_objects(objects, sent)


def test_trouble_with_a_store_is_told_touches_no_other_trail_and_ends_by_itself(store, make_server, tmp_path):
    client, tag = store.client(), f"{random.getrandbits(40):x}"
    plain, missing = f"plain-{tag}", f"missing-{tag}"
    client.create_bucket(Bucket=plain)
    server = delivering_to(make_server, tmp_path, {
        "unlocked-archive": s3(store, plain, **{"retention-mode": "COMPLIANCE", "retention-days": DAYS}),
        "missing-archive": s3(store, missing), "wrong-key": {**s3(store, plain), "secret": "not-the-secret"},
        "unreachable": {**s3(store, plain), "endpoint": f"http://127.0.0.1:{stores.free_port()}"}})
    names = {"unlocked-trail": "unlocked-archive", "missing-trail": "missing-archive", "wrong-trail": "wrong-key",
             "nobody-trail": "unreachable"}
    for name, bucket in names.items():
        remote_trail(server, name, bucket)
    server.trail("healthy-trail", "healthy-bucket")
    sent = [event(i, eventId=f"trouble-{i}") for i in range(10)]
    server.record(sent)
    server.settle("healthy-trail")
    check_objects(objects_of(server.bucket("healthy-bucket")).items(), sent)
    assert "no Object Lock" in trouble(server, "unlocked-trail")
    assert "NoSuchBucket" in trouble(server, "missing-trail") and "make the bucket" in trouble(server, "missing-trail")
    wrong = trouble(server, "wrong-trail")
    assert "SignatureDoesNotMatch" in wrong and "not-the-secret" not in wrong, wrong
    assert "no whole answer in 4 attempts" in trouble(server, "nobody-trail")
    assert not versions(client, plain)
    client.create_bucket(Bucket=missing)
    status = server.settle("missing-trail", wait=90)
    assert "LatestDeliveryError" not in status, status
    check_objects([(key, body) for key, _, body in versions(client, missing)], sent)
    log = server.log()
    assert "not protected in every way" in log and "objects can be deleted" in log
    assert stores.SECRET not in log and "not-the-secret" not in log and "Signature=" not in log


def test_another_cairn_is_an_oss_store(make_server, tmp_path):
    archive = make_server(tmp_path / "archive")
    bucket = archive.make_bucket("real-archive")
    server = delivering_to(make_server, tmp_path, {
        "audit-archive": {"kind": "oss", "endpoint": archive.oss, "region": "cn-hangzhou", "bucket": "real-archive",
                          "access-key-id": KEY, "secret": SECRET}}, interval="0.1")
    remote_trail(server, "archive-trail", "audit-archive", OssKeyPrefix="copies/here")
    choose, sent = random.Random(11), []
    for round_number in range(6):
        events = [event(i, eventId=f"cairn-{round_number}-{i}", acsRegion=f"region-{i % 3}") for i in range(30)]
        server.record(events)
        sent += events
        time.sleep(choose.uniform(0, 0.3))
        server.kill()
        server.start()
    server.settle("archive-trail")
    objects, proved = check_proof(
        server, "archive-trail", tmp_path / "downloaded", lambda: objects_of(bucket, "copies/here/AliyunLogs/").items())
    assert proved == len(check_objects(objects, sent))
    # In the bucket itself too, by the log of the one that delivered.
    log_key = server.get("/log/key").content.decode().strip()
    archive.cairn("verify", "--bucket", "real-archive", "--key", log_key, check=0)
    assert "LatestDeliveryError" not in server.call("GetTrailStatus", {"Name": "archive-trail"})
    assert SECRET not in server.log()


class EmptyStore(http.server.BaseHTTPRequestHandler):
    """A store without buckets."""

    def do_GET(self):
        body = b"<Error><Code>NoSuchBucket</Code><Message>Nothing here.</Message></Error>"
        self.send_response(404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_PUT = do_GET

    def log_message(self, *_):
        pass


def own_authority(folder):
    """A certificate for 127.0.0.1 that nobody else trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made up")])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now() - datetime.timedelta(hours=1))
        .not_valid_after(now() + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256()))
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "ca.pem", folder / "key.pem"


def test_a_store_is_believed_only_with_a_certificate_of_a_trusted_authority(make_server, tmp_path):
    authority, key = own_authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyStore) as listener:
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        common = {"kind": "s3", "endpoint": f"https://127.0.0.1:{listener.server_port}", "region": "us-east-1", "access-key-id": "AK"}
        server = delivering_to(make_server, tmp_path, {
            "trusted": {**common, "secret": "made-up", "ca-file": authority}, "unknown": {**common, "secret": "made-up"}})
        for name in ("trusted", "unknown"):
            remote_trail(server, f"{name}-trail", name)
        assert "NoSuchBucket" in trouble(server, "trusted-trail")
        assert "CERTIFICATE_VERIFY_FAILED" in trouble(server, "unknown-trail")
        listener.shutdown()


def test_a_secret_that_cannot_be_read_is_told_at_the_start(make_server, tmp_path):
    path = tmp_path / "cairn.yaml"
    path.write_text("remote-buckets: { audit-archive: { kind: s3, endpoint: 'http://127.0.0.1:9', region: us-east-1, "
                    "access-key-id: AK, access-key-secret-file: /nowhere/secret } }\n")
    server = Server(tmp_path / "cairn", extra=("--config", str(path)))
    server.folder.mkdir(parents=True)
    done = subprocess.run(server.command(), capture_output=True, env=server.environment(), timeout=60)
    assert done.returncode != 0 and b"/nowhere/secret" in done.stderr and b"audit-archive" in done.stderr, done.stderr[-2000:]
