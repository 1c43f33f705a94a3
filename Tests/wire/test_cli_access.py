# The commands for users, policies, keys and the caller's identity: what they print, what they leave, how they end.
# SPDX-License-Identifier: Apache-2.0
import pytest

pytest.skip("waits for `cairn users` and `cairn policies`, which need RAM operations", allow_module_level=True)

import json
import os
import pty
import re
import stat
import subprocess

import pytest

from support import event

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


def test_presets_need_no_service(server):
    nowhere = {"CAIRN_ENDPOINT": "http://127.0.0.1:9"}
    presets = {p["PolicyName"]: p["Document"] for p in show(server, "policies", "presets", env=nowhere)}
    assert set(presets) == {"CairnSystemAdministrator", "CairnAuditAdministrator", "CairnSecurityAdministrator"}
    one = json.loads(server.cairn("policies", "presets", "CairnAuditAdministrator", env=nowhere, check=0).stdout)
    assert one == presets["CairnAuditAdministrator"] and one["Version"] == "1"
    server.cairn("policies", "presets", "other", env=nowhere, check=1)


def test_keys(server):
    id = server.cairn(
        "keys", "create", "--alias", "alias/cli", "--description", "of a test", "--rotation-days", "90", "--protected",
        check=0).stdout.decode().strip()
    key = show(server, "keys", "describe", "alias/cli")
    assert key["KeyId"] == id and key["RotationInterval"] == "7776000s" and key["DeletionProtection"] == "Enabled"
    listed = next(k for k in show(server, "keys", "list") if k["KeyId"] == id)
    assert listed["Aliases"] == ["alias/cli"]
    assert id.encode() in server.cairn("keys", "list", check=0).stdout
    server.cairn("keys", "schedule-deletion", "alias/cli", check=1)
    server.cairn("keys", "protection", "alias/cli", "--off", check=0)
    server.cairn("keys", "rotation", "alias/cli", "--days", "3", check=2)
    assert b"every 30 days" in server.cairn("keys", "rotation", "alias/cli", "--days", "30", check=0).stdout
    assert b"off" in server.cairn("keys", "rotation", id, "--off", check=0).stdout
    server.cairn("keys", "disable", id, check=0)
    assert show(server, "keys", "describe", id)["KeyState"] == "Disabled"
    server.cairn("keys", "enable", id, check=0)
    server.cairn("keys", "schedule-deletion", id, "--days", "6", check=2)
    done = server.cairn("keys", "schedule-deletion", id, "--days", "7", check=0)
    assert b"cancel-deletion" in done.stdout
    assert show(server, "keys", "describe", id)["KeyState"] == "PendingDeletion"
    server.cairn("keys", "enable", id, check=1)
    server.cairn("keys", "cancel-deletion", id, check=0)
    assert show(server, "keys", "describe", id)["KeyState"] == "Enabled"
    server.cairn("keys", "describe", "alias/none", check=1)


def test_bad_input_is_usage(server):
    """What the service calls bad input ends with 2, what is not there with 1."""
    server.cairn("trail", "create", "X", "--bucket", "nowhere", check=2)
    server.cairn("trail", "status", "no-such-trail", check=1)
    server.cairn("bucket", "list", "no-such-bucket", check=1)
    server.cairn("bucket", "create", "Not_A_Bucket", check=2)


def test_the_root_of_trust_changes_and_nothing_is_lost(make_server, tmp_path):
    """A new file, a passphrase, and a file again; each opens everything, and nothing else does."""
    server = make_server()
    data = ["--data", str(server.data)]
    server.record([event(n) for n in range(10)])
    ids = set(server.ids())
    done = server.cairn("keys", "root", "show", *data, check=1)
    assert b"stop it first" in done.stderr
    assert server.stop() == 0
    before = (server.data / "root.key").read_bytes()
    shown = show(server, "keys", "root", "show", *data)
    assert shown["Kind"] == "file" and "history" in shown["ServiceKeys"]
    done = server.cairn("keys", "root", "rotate", *data, check=0)
    after = (server.data / "root.key").read_bytes()
    assert after != before and after.strip() not in done.stdout + done.stderr
    assert stat.S_IMODE((server.data / "root.key").stat().st_mode) == 0o600

    one, two = "a passphrase of four words", "another passphrase of words"
    server.cairn("keys", "root", "switch", "--to", "passphrase", *data, check=2)
    server.cairn("keys", "root", "switch", "--to", "passphrase", *data, env={"CAIRN_NEW_ROOT_PASSPHRASE": "short"}, check=2)
    assert (server.data / "root.key").read_bytes() == after
    done = server.cairn(
        "keys", "root", "switch", "--to", "passphrase", *data, env={"CAIRN_NEW_ROOT_PASSPHRASE": one}, check=0)
    assert one.encode() not in done.stdout + done.stderr
    assert not (server.data / "root.key").exists()
    server.cairn("keys", "root", "show", *data, check=2)
    server.cairn("keys", "root", "show", *data, env={"CAIRN_ROOT_PASSPHRASE": two}, check=3)
    (tmp_path / "passphrase").write_text(one + "\n")
    env = {"CAIRN_ROOT_PASSPHRASE_FILE": str(tmp_path / "passphrase")}
    assert show(server, "keys", "root", "show", *data, env=env)["Kind"] == "passphrase"
    server.cairn("keys", "root", "rotate", *data, env={**env, "CAIRN_NEW_ROOT_PASSPHRASE": two}, check=0)
    server.cairn("keys", "root", "show", *data, env=env, check=3)
    server.cairn("keys", "root", "switch", "--to", "token", *data, env={"CAIRN_ROOT_PASSPHRASE": two}, check=2)
    server.cairn("keys", "root", "switch", "--to", "file", *data, env={"CAIRN_ROOT_PASSPHRASE": two}, check=0)
    server.start()
    assert ids <= set(server.ids())


def test_a_passphrase_is_typed_unseen(make_server):
    server = make_server()
    assert server.stop() == 0
    typed = "typed by a person unseen"
    code, screen = on_a_terminal(
        server, [b"new passphrase: ", b"new passphrase again: "], [typed, typed], "keys", "root", "switch", "--to", "passphrase",
        "--data", str(server.data))
    assert code == 0 and typed.encode() not in screen, screen
    code, screen = on_a_terminal(
        server, [b"passphrase: ", b"new passphrase: ", b"new passphrase again: "], [typed, "one that is long", "not the same"],
        "keys", "root", "rotate", "--data", str(server.data))
    assert code == 2 and b"not the same" in screen
    code, screen = on_a_terminal(
        server, [b"passphrase: "], [typed], "keys", "root", "switch", "--to", "file", "--data", str(server.data))
    assert code == 0 and typed.encode() not in screen, screen
    server.start()


def on_a_terminal(server, prompts, answers, *arguments):
    """Runs cairn on a terminal of its own, answers its questions in turn, and gives exit code and screen."""
    ours, theirs = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CAIRN_")}
    process = subprocess.Popen(
        [server.binary, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True)
    os.close(theirs)
    screen, seen = b"", 0
    left = list(zip(prompts, answers))
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
            os.write(ours, left.pop(0)[1].encode() + b"\n")
    os.close(ours)
    assert not left, screen
    return process.wait(60), screen
