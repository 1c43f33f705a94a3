# Logstores encrypted under a customer's key: unreadable while it is disabled, readable again after.
# SPDX-License-Identifier: Apache-2.0
import json
import time

import pytest

import logs
from logs import client, put, refused
from support import ACCOUNT, REGION
from test_kms import kms, new_key
from test_ram import ram, user

PROJECT = "keys-project"


def encryption(key, role=None):
    by = {"cmk_key_id": key, "region_id": REGION}
    if role:
        by["arn"] = f"acs:ram::{ACCOUNT}:role/{role}"
    return {"enable": True, "encrypt_type": "default", "user_cmk_info": by}


def count(made, store):
    now = int(time.time())
    return len(made.get_log(PROJECT, store, now - 3600, now + 3600, size=100).get_logs())


@pytest.fixture
def made(server):
    made = client(server)
    if not made.list_project(project_name_pattern=PROJECT).get_total():
        made.create_project(PROJECT, "")
    return made


def test_a_disabled_key_makes_a_logstore_unreadable(server, made):
    key = new_key(server)
    made.create_logstore(PROJECT, "guarded", ttl=30, shard_count=1, encrypt_conf=encryption(key))
    made.create_index(PROJECT, "guarded", logs.index(number="long"))
    assert made.get_logstore(PROJECT, "guarded").encrypt_conf["user_cmk_info"]["cmk_key_id"] == key
    put(made, PROJECT, "guarded", logs.logs(20))
    assert count(made, "guarded") == 20
    kms(server, "DisableKey", {"KeyId": key})
    told = refused(403, "Unauthorized", count, made, "guarded")
    assert "Disabled" in told.get_error_message()
    refused(403, "Unauthorized", put, made, PROJECT, "guarded", logs.logs(1))
    refused(403, "Unauthorized", made.get_begin_cursor, PROJECT, "guarded", 0)
    kms(server, "EnableKey", {"KeyId": key})
    assert count(made, "guarded") == 20
    put(made, PROJECT, "guarded", logs.logs(5))
    assert count(made, "guarded") == 25
    # Also after a start of the service with the key disabled.
    kms(server, "DisableKey", {"KeyId": key})
    server.stop()
    server.start()
    made = client(server)
    refused(403, "Unauthorized", count, made, "guarded")
    kms(server, "EnableKey", {"KeyId": key})
    assert count(made, "guarded") == 25


def test_a_role_gives_no_more_than_it_has(server, made):
    key = new_key(server)
    trust = json.dumps({"Version": "1", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["log.aliyuncs.com"]}}]})
    ram(server, "CreateRole", {"RoleName": "logs-without-keys", "AssumeRolePolicyDocument": trust})
    ram(server, "CreateRole", {"RoleName": "logs-with-keys", "AssumeRolePolicyDocument": trust})
    ram(server, "AttachPolicyToRole", {
        "RoleName": "logs-with-keys", "PolicyType": "System", "PolicyName": "AliyunKMSCryptoUserAccess"})
    refused(401, "Unauthorized", made.create_logstore, PROJECT, "by-role", shard_count=1,
            encrypt_conf=encryption(key, "logs-without-keys"))
    made.create_logstore(PROJECT, "by-role", shard_count=1, encrypt_conf=encryption(key, "logs-with-keys"))
    ann = client(server, *user(server, "ann-of-logs", "AliyunLogFullAccess"))
    # Neither the right to pass the role nor one to the key.
    refused(401, "Unauthorized", ann.create_logstore, PROJECT, "by-ann", shard_count=1,
            encrypt_conf=encryption(key, "logs-with-keys"))
    refused(401, "Unauthorized", ann.create_logstore, PROJECT, "by-ann", shard_count=1, encrypt_conf=encryption(key))
    refused(400, "ParameterInvalid", made.create_logstore, PROJECT, "odd", shard_count=1,
            encrypt_conf={"enable": True, "encrypt_type": "sm4"})


def test_taking_the_key_of_a_trails_logstore_away_weakens_the_trail(server, made):
    key, store = new_key(server), "actiontrail_keyed-trail"
    made.create_logstore(PROJECT, store, ttl=30, shard_count=1, encrypt_conf=encryption(key))
    server.call("CreateTrail", {"Name": "keyed-trail", "SlsProjectArn": f"acs:log:{REGION}:{ACCOUNT}:project/{PROJECT}"})

    def told(name):
        events = server.lookup([("EventName", name), ("SensitiveAction", "true")], limit=20)
        return [e["additionalEventData"].get("Weakening") for e in events if key in json.dumps(e)]

    kms(server, "DisableKey", {"KeyId": key})
    assert [text for text in told("DisableKey") if "keyed-trail" in (text or "")], told("DisableKey")
    kms(server, "EnableKey", {"KeyId": key})
    server.call("DeleteTrail", {"Name": "keyed-trail"})
    # The logstore is its owner's now.
    kms(server, "DisableKey", {"KeyId": key})
    assert len([text for text in told("DisableKey") if text]) == 1
    kms(server, "EnableKey", {"KeyId": key})
