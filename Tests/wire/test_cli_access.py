# The commands for users, policies and the caller's identity: what they print, what they leave, how they end.
# SPDX-License-Identifier: Apache-2.0
import json
import re
import stat

import pytest

POLICY = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"actiontrail:Describe*","Resource":"*"}]}'


def key_of(path, user):
    key = next(k for k in json.loads(path.read_text())["AccessKeys"] if k["UserName"] == user)
    return {"CAIRN_ACCESS_KEY_ID": key["AccessKeyId"], "CAIRN_ACCESS_KEY_SECRET": key["AccessKeySecret"]}


def show(server, *arguments, env=None):
    return json.loads(server.cairn(*arguments, "--output", "json", check=0, env=env).stdout)


@pytest.fixture
def user(request, server):
    name = re.sub(r"[^a-z0-9]+", ".", request.node.name)[:60]
    server.cairn("users", "create", name, "--comments", "made by a test", check=0)
    yield name
    if server.is_running:
        server.cairn("users", "delete", name, "--everything")


def test_whoami(server, user, tmp_path):
    assert show(server, "whoami")["IdentityType"] == "Account"
    assert server.key.encode() in server.cairn("whoami", check=0).stdout
    server.cairn("users", "keys", "create", user, "--to", tmp_path / "k.json", check=0)
    env = key_of(tmp_path / "k.json", user)
    identity = show(server, "whoami", env=env)
    assert identity["IdentityType"] == "RAMUser" and identity["Arn"].endswith("user/" + user)
    assert identity["AccessKeyId"] == env["CAIRN_ACCESS_KEY_ID"]
    server.cairn("whoami", env={**env, "CAIRN_ACCESS_KEY_SECRET": "wrong"}, check=3)


def test_users(server, user):
    listed = {u["UserName"]: u for u in show(server, "users", "list")}
    assert listed[user]["Comments"] == "made by a test" and listed[user]["Policies"] == []
    assert user.encode() in server.cairn("users", "list", check=0).stdout
    server.cairn("users", "create", user, check=1)
    server.cairn("users", "create", "not a name", check=2)
    server.cairn("users", "delete", "no-such-user", check=1)
    server.cairn("users", "attach", user, "AliyunActionTrailReadOnlyAccess", check=0)
    server.cairn("users", "attach", user, "no-such-policy", check=1)
    listed = {u["UserName"]: u for u in show(server, "users", "list")}
    assert listed[user]["Policies"] == ["AliyunActionTrailReadOnlyAccess"]
    done = server.cairn("users", "delete", user, check=1)
    assert b"DeleteConflict" in done.stderr
    server.cairn("users", "delete", user, "--everything", check=0)
    assert user not in {u["UserName"] for u in show(server, "users", "list")}


def test_access_keys(server, user, tmp_path):
    path = tmp_path / "keys.json"
    done = server.cairn("users", "keys", "create", user, "--to", path, check=0)
    env = key_of(path, user)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert env["CAIRN_ACCESS_KEY_SECRET"].encode() not in done.stdout + done.stderr
    id = env["CAIRN_ACCESS_KEY_ID"]
    assert id.encode() in server.cairn("users", "keys", user, check=0).stdout
    server.cairn("whoami", env=env, check=0)
    server.cairn("users", "keys", "disable", user, id, check=0)
    assert show(server, "users", "keys", "list", user)[0]["Status"] == "Inactive"
    server.cairn("whoami", env=env, check=3)
    server.cairn("users", "keys", "enable", user, id, check=0)
    server.cairn("whoami", env=env, check=0)
    server.cairn("users", "keys", "create", user, "--to", path, check=0)
    assert len(json.loads(path.read_text())["AccessKeys"]) == 2
    done = server.cairn("users", "keys", "create", user, "--to", path, check=1)
    assert b"LimitExceeded" in done.stderr
    path.chmod(0o640)
    server.cairn("users", "keys", "create", user, "--to", path, check=2)
    server.cairn("users", "keys", "delete", user, id, check=0)
    server.cairn("whoami", env=env, check=3)


def test_policies(server, user, tmp_path):
    document = tmp_path / "policy.json"
    document.write_text(POLICY)
    server.cairn("policies", "create", "see-trails", document, "--description", "sees trails", check=0)
    server.cairn("policies", "create", "see-trails", "-", input=POLICY.encode(), check=1)
    server.cairn("policies", "create", "broken", "-", input=b'{"Version":"1"}', check=2)
    listed = {p["PolicyName"]: p for p in show(server, "policies", "list")}
    assert listed["see-trails"]["PolicyType"] == "Custom" and "AliyunActionTrailFullAccess" in listed
    assert set(p["PolicyType"] for p in show(server, "policies", "list", "--type", "System")) == {"System"}
    server.cairn("users", "attach", user, "see-trails", check=0)
    shown = show(server, "policies", "show", "see-trails")
    assert shown["Document"] == json.loads(POLICY) and shown["AttachedTo"]["Users"] == [user]
    assert b"actiontrail:Describe*" in server.cairn("policies", "show", "see-trails", check=0).stdout
    server.cairn("policies", "show", "no-such-policy", check=1)

    server.cairn("users", "keys", "create", user, "--to", tmp_path / "k.json", check=0)
    env = key_of(tmp_path / "k.json", user)
    server.cairn("trail", "list", env=env, check=0)
    done = server.cairn("lookup", env=env, check=3)
    assert re.search(r"who .+\n.*what +actiontrail:LookupEvents on acs:.+\n.*why +no statement allows it", done.stderr.decode())

    allowed = show(server, "policies", "who-can", "actiontrail:DescribeTrails")["Allowed"]
    assert {"Type": "user", "Name": user} in allowed
    assert {"Type": "user", "Name": user} not in show(server, "policies", "who-can", "actiontrail:StopLogging")["Allowed"]
    server.cairn("policies", "who-can", "nonsense", check=2)

    server.cairn("policies", "delete", "see-trails", check=1)
    server.cairn("users", "detach", user, "see-trails", check=0)
    server.cairn("policies", "delete", "see-trails", check=0)
    server.cairn("trail", "list", env=env, check=3)


def test_an_explicit_denial_names_its_statement(server, user, tmp_path):
    document = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},' \
               '{"Sid":"NoLookups","Effect":"Deny","Action":"actiontrail:LookupEvents","Resource":"*"}]}'
    server.cairn("policies", "create", "no-lookups", "-", input=document.encode(), check=0)
    server.cairn("users", "attach", user, "no-lookups", check=0)
    server.cairn("users", "keys", "create", user, "--to", tmp_path / "k.json", check=0)
    done = server.cairn("lookup", env=key_of(tmp_path / "k.json", user), check=3)
    assert re.search(r"why +denied by .*no-lookups.*", done.stderr.decode()), done.stderr


def test_bad_input_is_usage(server):
    """What the service calls bad input ends with 2, what is not there with 1."""
    server.cairn("trail", "create", "X", "--bucket", "nowhere", check=2)
    server.cairn("trail", "status", "no-such-trail", check=1)
    server.cairn("bucket", "list", "no-such-bucket", check=1)
    server.cairn("bucket", "create", "Not_A_Bucket", check=2)
