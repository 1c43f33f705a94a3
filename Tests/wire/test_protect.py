# cairn protect: everything is there and read back, nothing twice, taken up after any failure, locked only with consent.
# SPDX-License-Identifier: Apache-2.0
import datetime
import http.client
import http.server
import json
import re
import stat
import threading

import oss2
import pytest
from alibabacloud_actiontrail20200706 import models as trails
from alibabacloud_actiontrail20200706.client import Client as TrailClient
from alibabacloud_kms20160120 import models as kms
from alibabacloud_kms20160120.client import Client as KeyClient
from alibabacloud_ram20150501 import models as ram
from alibabacloud_ram20150501.client import Client as AccessClient
from alibabacloud_tea_openapi.utils_models import Config

from objects import refused
from support import ACCOUNT, REGION, event

DUTIES = {"system": "CairnSystemAdministrator", "audit": "CairnAuditAdministrator", "security": "CairnSecurityAdministrator"}
SHORT = ("--days", "1", "--allow-short")


def sdk(client, server, key=None, secret=None):
    return client(Config(
        access_key_id=key or server.key, access_key_secret=secret or server.secret, endpoint=server.api_host, protocol="http",
        region_id=REGION, read_timeout=15000, connect_timeout=5000))


def protect(server, trail, *arguments, check=0, env=None):
    """Runs it, and gives what its JSON says."""
    done = server.cairn("protect", trail, "--output", "json", *arguments, check=check, env=env)
    return json.loads(done.stdout)


def states(report):
    return {row["What"]: row["Now"] for row in report["Safeguards"]}


def keys_of(path):
    return {key["UserName"]: key for key in json.loads(path.read_text())["AccessKeys"]}


def retention(server, bucket):
    """State and days of a bucket's policy, as the SDK reads it; None if there is none."""
    try:
        worm = server.bucket(bucket).get_bucket_worm()
    except oss2.exceptions.NoSuchWORMConfiguration:
        return None
    except oss2.exceptions.NoSuchBucket:
        return None
    return worm.state, int(worm.retention_period_days)


class Between:
    """A proxy before both ports that counts the writes and can break one of them off, before or after it was done."""

    def __init__(self, server):
        self.server = server
        self.writes = []
        self.breaks = None
        self.ports = [self.listen(server.api_host), self.listen(server.oss_host)]
        self.env = dict(zip(("CAIRN_ENDPOINT", "CAIRN_OSS_ENDPOINT"), (f"http://127.0.0.1:{p.server_port}" for p in self.ports)))

    def reset(self, breaks=None):
        """`breaks`: number of a write and whether it gets through before its answer is lost."""
        self.writes, self.breaks = [], breaks

    def listen(self, target):
        between = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def handle_one(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                action = self.headers.get("x-acs-action")
                is_write = not action.startswith(("Get", "List", "Describe")) if action else self.command != "GET"
                is_broken = False
                if is_write:
                    between.writes.append(action or f"{self.command} {self.path}")
                    is_broken = between.breaks is not None and len(between.writes) == between.breaks[0]
                if is_broken and not between.breaks[1]:
                    return self.connection.close()
                connection = http.client.HTTPConnection(target, timeout=60)
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() != "connection":
                        connection.putheader(name, value)
                connection.endheaders(body)
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                if is_broken:
                    return self.connection.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_one

        port = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        port.daemon_threads = True
        threading.Thread(target=port.serve_forever, daemon=True).start()
        return port

    def close(self):
        for port in self.ports:
            port.shutdown()
            port.server_close()


@pytest.fixture
def between(server):
    between = Between(server)
    yield between
    between.close()


@pytest.fixture(scope="module")
def protected(module_server, tmp_path_factory):
    """A trail that was protected on a fresh server, the report of it and the administrators' keys."""
    path = tmp_path_factory.mktemp("keys") / "administrators.json"
    done = module_server.cairn(
        "protect", "main-trail", "--yes", "--access-keys", path, "--output", "json", check=0)
    keys = keys_of(path)
    assert len(keys) == 3
    for key in keys.values():
        assert key["AccessKeySecret"].encode() not in done.stdout + done.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return json.loads(done.stdout), keys, path


@pytest.fixture
def trail(request, server):
    """A name of this test; five trails are the limit, so the trail goes at the end."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[5:32].strip("-")
    yield name
    if server.is_running:
        server.rpc("DeleteTrail", {"Name": name})


# Everything is there


def test_everything_is_read_back(server, protected):
    report, keys, _ = protected
    assert report["Protected"] is True and report["Left"] == [] and report["DryRun"] is False
    assert all(row["InPlace"] and row["Evidence"] and row["Now"] for row in report["Safeguards"])
    assert report["Bucket"] == "cairn-main-trail" and report["RetentionDays"] == 184

    client = sdk(KeyClient, server)
    key = client.describe_key(kms.DescribeKeyRequest(key_id="alias/cairn-main-trail")).body.key_metadata
    assert key.key_id == report["KeyId"]
    assert (key.key_state, key.automatic_rotation, key.deletion_protection) == ("Enabled", "Enabled", "Enabled")
    assert key.rotation_interval == "31536000s" and key.origin == "Aliyun_KMS"

    bucket = server.bucket("cairn-main-trail")
    assert bucket.get_bucket_acl().acl == "private"
    rule = bucket.get_bucket_encryption()
    assert (rule.sse_algorithm, rule.kms_master_keyid) == ("KMS", key.key_id)
    assert retention(server, "cairn-main-trail") == ("Locked", 184)

    client = sdk(TrailClient, server)
    found = client.describe_trails(trails.DescribeTrailsRequest(name_list="main-trail")).body.trail_list
    assert [(t.event_rw, t.trail_region, t.oss_bucket_name) for t in found] == [("All", "All", "cairn-main-trail")]
    assert client.get_trail_status(trails.GetTrailStatusRequest(name="main-trail")).body.is_logging is True

    client = sdk(AccessClient, server)
    assert client.get_role(ram.GetRoleRequest(role_name="AliyunServiceRoleForActionTrail")).body.role.role_name
    for duty, policy in DUTIES.items():
        user = f"main-trail-{duty}-admin"
        attached = client.list_policies_for_user(ram.ListPoliciesForUserRequest(user_name=user)).body.policies.policy
        assert [(p.policy_type, p.policy_name) for p in attached] == [("Custom", policy)]
        held = client.list_access_keys(ram.ListAccessKeysRequest(user_name=user)).body.access_keys.access_key
        assert [k.access_key_id for k in held] == [keys[user]["AccessKeyId"]]


def test_a_second_run_changes_nothing(server, protected, between):
    report, _, path = protected
    content = path.read_bytes()
    again = protect(server, "main-trail", "--access-keys", path, env=between.env)
    assert between.writes == []
    assert again["Changes"] == 0 and again["Protected"] is True
    assert states(again) == states(report)
    assert all(row["Before"] == row["Now"] for row in again["Safeguards"])
    assert path.read_bytes() == content
    text = server.cairn("protect", "main-trail", check=0).stdout.decode()
    assert "nothing was changed" in text and "HOW IT IS KNOWN" in text


def test_delivered_objects_stay(server, protected):
    """What root itself cannot do to a protected bucket."""
    server.record([event(n) for n in range(20)])
    server.settle("main-trail")
    bucket = server.bucket("cairn-main-trail")
    keys = [o.key for o in oss2.ObjectIteratorV2(bucket)]
    assert keys
    before = bucket.get_object(keys[0]).read()
    head = bucket.head_object(keys[0])
    assert head.headers["x-oss-server-side-encryption"] == "KMS"
    assert head.headers["x-oss-server-side-encryption-key-id"] == protected[0]["KeyId"]
    for attempt in (
            lambda: bucket.delete_object(keys[0]), lambda: bucket.put_object(keys[0], b"other"),
            lambda: bucket.batch_delete_objects(keys), lambda: bucket.copy_object(bucket.bucket_name, keys[-1], keys[0])):
        refused(409, "FileImmutable", attempt)
    with pytest.raises(oss2.exceptions.ServerError):
        bucket.abort_bucket_worm()
    with pytest.raises(oss2.exceptions.ServerError):
        bucket.delete_bucket()
    assert bucket.get_object(keys[0]).read() == before and retention(server, bucket.bucket_name) == ("Locked", 184)
    answer = server.rpc(
        "ScheduleKeyDeletion", {"KeyId": protected[0]["KeyId"], "PendingWindowInDays": 7}, version="2016-01-20")
    assert answer.status in (400, 403, 409), answer


# The three duties


def test_duties_are_separated(server, protected):
    """What each administrator can and cannot do, with its own access key."""
    report, keys, _ = protected
    server.record([event(1)])
    server.settle("main-trail")
    objects = [o.key for o in oss2.ObjectIteratorV2(server.bucket("cairn-main-trail"))]

    def may(duty, action, parameters=None, version="2020-07-06"):
        key = keys[f"main-trail-{duty}-admin"]
        answer = server.rpc(action, parameters, version=version, key=key["AccessKeyId"], secret=key["AccessKeySecret"])
        if answer.status == 403:
            assert answer.json["AccessDeniedDetail"]["AuthAction"], answer
            return False
        # Allowed is whatever gets past the policies, also to an error of another kind.
        return True

    def may_read(duty, bucket="cairn-main-trail", name=None):
        key = keys[f"main-trail-{duty}-admin"]
        client = oss2.Bucket(oss2.Auth(key["AccessKeyId"], key["AccessKeySecret"]), server.oss, bucket, is_path_style=True)
        try:
            client.get_object(name or objects[0]).read()
            return True
        except oss2.exceptions.AccessDenied:
            return False

    trail = {"Name": "main-trail"}
    grant = {"PolicyType": "Custom", "UserName": "main-trail-security-admin", "PolicyName": "CairnAuditAdministrator"}
    reading = {"PolicyType": "System", "UserName": "main-trail-security-admin", "PolicyName": "AdministratorAccess"}
    access = {"version": "2015-05-01"}
    assert may("system", "DescribeTrails") and may("system", "GetTrailStatus", trail) and may("system", "StartLogging", trail)
    assert not may("system", "LookupEvents")
    assert not may("system", "StopLogging", trail) and not may("system", "DeleteTrail", trail)
    assert not may("system", "CreateUser", {"UserName": "more"}, **access)
    assert not may("system", "ScheduleKeyDeletion", {"KeyId": report["KeyId"], "PendingWindowInDays": 7}, version="2016-01-20")
    assert not may_read("system")

    assert may("audit", "LookupEvents") and may("audit", "DescribeTrails")
    assert not may("audit", "StopLogging", trail) and not may("audit", "DeleteTrail", trail)
    assert not may("audit", "UpdateTrail", {**trail, "EventRW": "Read"})
    assert not may("audit", "CreateUser", {"UserName": "more"}, **access)
    assert may_read("audit")

    assert may("security", "ListUsers", **access) and may("security", "ListKeys", version="2016-01-20")
    assert not may("security", "LookupEvents")
    assert not may("security", "StopLogging", trail) and not may("security", "DeleteTrail", trail)
    assert not may("security", "AttachPolicyToUser", grant, **access)
    # It may grant, itself too, but no grant takes it beyond its duty.
    may("security", "AttachPolicyToUser", reading, **access)
    assert not may("security", "LookupEvents") and not may_read("security")
    assert not may("security", "StopLogging", trail)
    server.rpc("DetachPolicyFromUser", reading, **access)
    assert not may("security", "Decrypt", {"CiphertextBlob": "AAAA"}, version="2016-01-20")
    assert not may_read("security")

    assert server.call("GetTrailStatus", trail)["IsLogging"] is True


def test_auditor_reads_its_bucket_only(server, protected, tmp_path):
    path = tmp_path / "auditor.json"
    server.cairn("users", "create", "outside-auditor", check=0)
    server.cairn("users", "attach", "outside-auditor", "CairnAuditor-main-trail", check=0)
    server.cairn("users", "keys", "create", "outside-auditor", "--to", path, check=0)
    key = keys_of(path)["outside-auditor"]
    env = {"CAIRN_ACCESS_KEY_ID": key["AccessKeyId"], "CAIRN_ACCESS_KEY_SECRET": key["AccessKeySecret"]}
    server.record([event(1)])
    server.settle("main-trail")
    server.make_bucket("somebody-elses").put_object("secret", b"other")

    listed = server.cairn("bucket", "list", "cairn-main-trail", env=env, check=0)
    assert b"AliyunLogs" in listed.stdout
    server.cairn("bucket", "download", "cairn-main-trail", "--to", tmp_path / "archive", env=env, check=0)
    server.cairn("bucket", "list", "somebody-elses", env=env, check=3)
    server.cairn("bucket", "download", "somebody-elses", "--to", tmp_path / "other", env=env, check=3)
    done = server.cairn("lookup", env=env, check=3)
    assert b"actiontrail:LookupEvents" in done.stderr and b"who" in done.stderr, done
    server.cairn("trail", "stop", "main-trail", env=env, check=3)
    server.cairn("users", "list", env=env, check=3)
    server.cairn("users", "delete", "outside-auditor", "--everything", check=0)


# Without changing anything


def test_a_dry_run_changes_nothing(server, between, trail, tmp_path):
    report = protect(server, trail, "--dry-run", "--access-keys", tmp_path / "keys.json", env=between.env)
    assert between.writes == [] and report["Changes"] == 0 and report["Protected"] is False and report["DryRun"] is True
    assert retention(server, "cairn-" + trail) is None
    assert server.call("DescribeTrails", {"NameList": trail})["TrailList"] == []
    assert not (tmp_path / "keys.json").exists()
    assert {"key", "bucket", "trail", "logging", "retention lock"} <= set(report["Left"])
    text = server.cairn("protect", trail, "--dry-run", check=0).stdout.decode()
    assert "WOULD BE" in text and "nothing was changed" in text


def test_wrong_ways_to_ask(server, trail, tmp_path):
    server.cairn("protect", trail, "--days", "183", check=2)
    server.cairn("protect", trail, "--days", "0", "--allow-short", check=2)
    server.cairn("protect", trail, "--access-keys", tmp_path / "k", "--no-administrators", check=2)
    server.cairn("protect", trail, "--audit-admin", "one", "--system-admin", "one", check=2)
    server.cairn("protect", trail, "--access-keys", tmp_path / "no" / "folder", check=2)
    loose = tmp_path / "loose.json"
    loose.write_text('{"AccessKeys":[]}')
    loose.chmod(0o644)
    server.cairn("protect", trail, "--access-keys", loose, check=2)
    server.cairn("protect", trail, "--key", "alias/no-such-key", check=1)
    server.cairn("protect", trail, env={"CAIRN_ENDPOINT": "http://127.0.0.1:9"}, check=3)
    server.cairn("protect", trail, env={"CAIRN_ACCESS_KEY_SECRET": "wrong"}, check=3)
    assert retention(server, "cairn-" + trail) is None


# Consent


def test_without_consent_nothing_is_locked(server, trail):
    done = server.cairn("protect", trail, *SHORT, "--output", "json", input=b"cairn-" + trail.encode() + b"\n", check=1)
    report = json.loads(done.stdout)
    assert report["Left"] == ["retention lock"] and report["Protected"] is False
    assert b"nobody, root included" in done.stderr and b"--yes" in done.stderr
    tomorrow = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).strftime("%Y-%m-%d")
    assert tomorrow.encode() in done.stderr, done.stderr
    assert retention(server, "cairn-" + trail) == ("InProgress", 1)
    protect(server, trail, *SHORT, "--yes")
    assert retention(server, "cairn-" + trail) == ("Locked", 1)


QUESTION = b"Type the name of the bucket"


def test_only_the_typed_name_is_consent(server, trail):
    bucket = "cairn-" + trail
    for typed in (b"yes", b"", b"cairn-other"):
        code, screen = server.on_a_terminal([(QUESTION, typed)], "protect", trail, *SHORT, "--no-administrators")
        assert code == 1 and b"left to do" in screen
        assert retention(server, bucket) == ("InProgress", 1)
    code, screen = server.on_a_terminal([(QUESTION, bucket.encode())], "protect", trail, *SHORT, "--no-administrators")
    assert code == 0, screen
    assert retention(server, bucket) == ("Locked", 1)


# What was there before


def test_what_is_there_is_kept_or_widened(server, trail):
    bucket = "cairn-" + trail
    server.trail(trail, bucket, start=False, EventRW="Write", TrailRegion=REGION)
    worm = server.bucket(bucket)
    worm.complete_bucket_worm(worm.init_bucket_worm(3).worm_id)
    report = protect(server, trail, *SHORT, "--yes", "--no-administrators")
    assert retention(server, bucket) == ("Locked", 3), "a longer policy stays"
    found = server.call("DescribeTrails", {"NameList": trail})["TrailList"][0]
    assert (found["EventRW"], found["TrailRegion"], found["Status"]) == ("All", "All", "Enable")
    before = {row["What"]: row["Before"] for row in report["Safeguards"]}
    assert "Write" in before["trail"] and before["bucket"] != "none"
    server.cairn("protect", trail, "--days", "5", "--allow-short", "--no-administrators", check=1)
    assert retention(server, bucket) == ("Locked", 3), "not extended without consent"
    protect(server, trail, "--days", "5", "--allow-short", "--yes", "--no-administrators")
    assert retention(server, bucket) == ("Locked", 5)
    # A trail elsewhere is not moved, and a key of one's own is taken.
    server.cairn("protect", trail, *SHORT, "--bucket", "another-bucket", "--yes", "--no-administrators", check=1)
    assert retention(server, "another-bucket") is None


def test_a_key_of_ones_own(server, trail):
    id = server.cairn("keys", "create", "--alias", "alias/mine-" + trail, check=0).stdout.decode().strip()
    server.cairn("keys", "disable", id, check=0)
    report = protect(server, trail, *SHORT, "--key", "alias/mine-" + trail, "--no-administrators", "--yes")
    assert report["KeyId"] == id
    key = sdk(KeyClient, server).describe_key(kms.DescribeKeyRequest(key_id="alias/cairn-" + trail)).body.key_metadata
    assert (key.key_id, key.key_state, key.automatic_rotation, key.deletion_protection) == (id, "Enabled", "Enabled", "Enabled")
    # Later runs find it by the alias.
    assert protect(server, trail, *SHORT, "--no-administrators")["KeyId"] == id


def test_a_public_bucket_is_refused(server, trail, between):
    bucket = "cairn-" + trail
    server.make_bucket(bucket)
    server.cairn("bucket", "acl", bucket, "public-read", check=0)
    done = server.cairn("protect", trail, *SHORT, "--yes", "--no-administrators", env=between.env, check=1)
    assert b"public-read" in done.stderr and b"cairn bucket acl" in done.stderr
    assert between.writes == [], "refused before anything is made"
    assert retention(server, bucket) is None
    server.cairn("bucket", "acl", bucket, "private", check=0)
    policy = {"Version": "1", "Statement": [
        {"Effect": "Allow", "Principal": ["2000000000000002"], "Action": ["oss:GetObject"],
         "Resource": [f"acs:oss:*:{ACCOUNT}:{bucket}/*"]}]}
    server.bucket(bucket).put_bucket_policy(json.dumps(policy))
    done = server.cairn("protect", trail, *SHORT, "--yes", "--no-administrators", check=1)
    assert b"2000000000000002" in done.stderr and retention(server, bucket) is None
    policy["Statement"][0].update(Effect="Deny", Principal=["*"], Action=["oss:PutObjectAcl"])
    server.bucket(bucket).put_bucket_policy(json.dumps(policy))
    protect(server, trail, *SHORT, "--yes", "--no-administrators")
    assert retention(server, bucket) == ("Locked", 1)


def test_an_administrator_with_other_powers_is_refused(server, trail):
    protect(server, trail, *SHORT, check=1)
    user = trail + "-audit-admin"
    server.cairn("users", "attach", user, "AliyunOSSFullAccess", check=0)
    done = server.cairn("protect", trail, *SHORT, check=1)
    assert b"AliyunOSSFullAccess" in done.stderr and b"not separated" in done.stderr
    server.cairn("users", "detach", user, "AliyunOSSFullAccess", check=0)
    # A changed policy is put back as a new version.
    changed = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    sdk(AccessClient, server).create_policy_version(ram.CreatePolicyVersionRequest(
        policy_name="CairnSystemAdministrator", policy_document=changed, set_as_default=True))
    report = protect(server, trail, *SHORT, "--yes")
    assert report["Protected"] is True
    row = next(row for row in report["Safeguards"] if row["What"] == "policy CairnSystemAdministrator")
    assert row["Changed"] and "something else" in row["Before"]


# Failures


@pytest.mark.timeout(900)
@pytest.mark.parametrize("gets_through", [False, True], ids=["lost-request", "lost-answer"])
def test_taken_up_after_any_failure(server, protected, between, gets_through, tmp_path):
    """Each write of a run is broken off in turn, and the next run makes it whole, without a second of anything."""
    # One whole run tells how many writes there are; the role and the presets are there by now.
    name = "whole-" + ("answer" if gets_through else "request")
    between.reset()
    protect(server, name, *SHORT, "--yes", "--access-keys", tmp_path / "whole.json", env=between.env)
    server.call("DeleteTrail", {"Name": name})
    writes = list(between.writes)
    assert len(writes) >= 15, writes
    for number in range(1, len(writes) + 1):
        name = f"cut-{'answer' if gets_through else 'request'}-{number}"
        path = tmp_path / f"{number}.json"
        between.reset(breaks=(number, gets_through))
        broken = server.cairn(
            "protect", name, *SHORT, "--yes", "--access-keys", path, "--output", "json", env=between.env, check=3)
        assert b"same command again" in broken.stderr, broken
        assert json.loads(broken.stdout)["Protected"] is False
        between.reset()
        report = protect(server, name, *SHORT, "--yes", "--access-keys", path, env=between.env)
        assert report["Protected"] is True, (number, writes[number - 1], report)
        between.reset()
        again = protect(server, name, *SHORT, "--access-keys", path, env=between.env)
        assert again["Changes"] == 0 and between.writes == []
        assert len(keys_of(path)) == 3
        mine = [k for k in json.loads(server.cairn("keys", "list", "--output", "json", check=0).stdout)
                if f" {name} " in k["Description"]]
        assert [k["KeyId"] for k in mine] == [report["KeyId"]], (number, writes[number - 1])
        server.call("DeleteTrail", {"Name": name})


def test_refusals_name_what_decided(server, trail, protected):
    """Somebody who may not is told who, what and why, and nothing is half done."""
    key = protected[1]["main-trail-audit-admin"]
    env = {"CAIRN_ACCESS_KEY_ID": key["AccessKeyId"], "CAIRN_ACCESS_KEY_SECRET": key["AccessKeySecret"]}
    done = server.cairn("protect", trail, *SHORT, "--yes", env=env, check=3)
    text = done.stderr.decode()
    assert re.search(r"not allowed: \S+\n +who .+\n +what +\S+:\S+ on acs:\S+\n +why .+", text), text
    assert retention(server, "cairn-" + trail) is None
