# The commands for keys and the root of trust: what they print, what they leave, how they end.
# SPDX-License-Identifier: Apache-2.0
import json
import stat

from support import event


def show(server, *arguments, env=None):
    return json.loads(server.cairn(*arguments, "--output", "json", check=0, env=env).stdout)


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
    # The service starts with it too.
    plain = server.environment()
    server.environment = lambda: {**plain, "CAIRN_ROOT": "passphrase", "CAIRN_ROOT_PASSPHRASE": two}
    server.start()
    assert ids <= set(server.ids())
    assert server.stop() == 0
    server.environment = lambda: plain
    server.cairn("keys", "root", "switch", "--to", "token", *data, env={"CAIRN_ROOT_PASSPHRASE": two}, check=2)
    server.cairn("keys", "root", "switch", "--to", "file", *data, env={"CAIRN_ROOT_PASSPHRASE": two}, check=0)
    server.start()
    assert ids <= set(server.ids())


def test_a_passphrase_is_typed_unseen(make_server):
    server = make_server()
    assert server.stop() == 0
    typed = b"typed by a person unseen"
    new, again, present = b"new passphrase: ", b"new passphrase again: ", b"passphrase: "
    code, screen = server.on_a_terminal(
        [(new, typed), (again, typed)], "keys", "root", "switch", "--to", "passphrase", "--data", server.data)
    assert code == 0 and typed not in screen, screen
    code, screen = server.on_a_terminal(
        [(present, typed), (new, b"one that is long"), (again, b"not the same")], "keys", "root", "rotate", "--data", server.data)
    assert code == 2 and b"not the same" in screen
    code, screen = server.on_a_terminal([(present, typed)], "keys", "root", "switch", "--to", "file", "--data", server.data)
    assert code == 0 and typed not in screen, screen
    server.start()
