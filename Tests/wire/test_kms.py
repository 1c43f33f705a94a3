# KMS: what each state of a key allows, what a ciphertext is bound to, versions, imports, what no event tells, and a root on a token.
# SPDX-License-Identifier: Apache-2.0
import base64
import contextlib
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import threading
import time
import types
import uuid

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from support import ACCOUNT, REGION, event, wait_for

KMS = "2016-01-20"
DAY = 86400


def kms(server, action, parameters=None, status=200, code=None, form=False):
    answer = server.rpc(action, parameters, version=KMS, form=form)
    assert (answer.status, answer.code if code else None) == (status, code), (action, parameters, answer)
    return answer.json


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text):
    return base64.b64decode(text, validate=True)


def new_key(server, **parameters):
    return kms(server, "CreateKey", parameters)["KeyMetadata"]["KeyId"]


def described(server, id):
    return kms(server, "DescribeKey", {"KeyId": id})["KeyMetadata"]


def encrypt(server, id, text="plaintext", context=None):
    return kms(server, "Encrypt", {"KeyId": id, "Plaintext": text, "EncryptionContext": context})["CiphertextBlob"]


def decrypt(server, blob, context=None, **expected):
    return kms(server, "Decrypt", {"CiphertextBlob": blob, "EncryptionContext": context}, **expected)


def versions(server, id):
    return [v["KeyVersionId"] for v in kms(server, "ListKeyVersions", {"KeyId": id, "PageSize": 100})["KeyVersions"]["KeyVersion"]]


# Key material that a client brings along

OAEP_1 = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
OAEP_256 = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
WRAPPINGS = {"RSAES_PKCS1_V1_5": padding.PKCS1v15(), "RSAES_OAEP_SHA_1": OAEP_1, "RSAES_OAEP_SHA_256": OAEP_256}


def wrapped(server, id, material, algorithm="RSAES_OAEP_SHA_256", expires=0):
    """The parameters of an ImportKeyMaterial."""
    offer = kms(server, "GetParametersForImport", {"KeyId": id, "WrappingAlgorithm": algorithm, "WrappingKeySpec": "RSA_2048"})
    public = serialization.load_der_public_key(unb64(offer["PublicKey"]))
    assert public.key_size == 2048 and offer["KeyId"] == id
    return {"KeyId": id, "ImportToken": offer["ImportToken"], "KeyMaterialExpireUnix": expires,
            "EncryptedKeyMaterial": b64(public.encrypt(material, WRAPPINGS[algorithm]))}


def bring(server, id, material, expires=0, **expected):
    return kms(server, "ImportKeyMaterial", wrapped(server, id, material, expires=expires), **expected)


# What each state allows: kms.md section 5

STATES = ("Enabled", "Disabled", "PendingDeletion", "PendingImport")
D, P, I, S = "Rejected.Disabled", "Rejected.PendingDeletion", "Rejected.PendingImport", "Rejected.StateModifiedFailed"
ALWAYS = (None, None, None, None)
USE = ROTATE = (None, D, P, I)
EDIT = (None, None, P, None)
MOVE = (None, None, S, None)

RECIPIENT = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RECIPIENT_DER = b64(RECIPIENT.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
EXPORT = {"PublicKeyBlob": RECIPIENT_DER, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
DIGEST = b64(bytes(range(32)))
SIGN = {"Algorithm": "RSA_PSS_SHA_256", "Digest": DIGEST}
OPEN = {"Algorithm": "RSAES_OAEP_SHA_256"}


def of(**more):
    return lambda k: {"KeyId": k.id, **more}


def version_of(**more):
    return lambda k: {"KeyId": k.id, "KeyVersionId": k.version, **more}


def many(k, **more):
    return {"RegionId": REGION, "ResourceType": "key", "ResourceId.1": k.id, **more}


# Action, kind of key, what each state answers, parameters. Kinds: aes; rsa to sign; rsa-open to encrypt; ext with material of ours.
# In PendingImport an ext key stands in for every kind: the state is looked at before what the key is for. A kind with a `!` is changed.
OPERATIONS = [
    ("CreateKey", "aes", ALWAYS, lambda k: {}),
    ("ListKeys", "aes", ALWAYS, lambda k: {"Filters": json.dumps([{"Key": "KeyState", "Values": [k.state]}])}),
    ("DescribeKey", "aes", ALWAYS, of()),
    ("ListAliases", "aes", ALWAYS, lambda k: {}),
    ("ListAliasesByKeyId", "aes", ALWAYS, of()),
    ("ListResourceTags", "aes", ALWAYS, of()),
    ("DescribeKeyVersion", "aes", ALWAYS, version_of()),
    ("ListKeyVersions", "aes", ALWAYS, of()),
    ("DeleteAlias", "aes!", ALWAYS, lambda k: {"AliasName": k.alias}),
    ("Encrypt", "aes", USE, of(Plaintext="plaintext")),
    ("Decrypt", "aes", USE, lambda k: {"CiphertextBlob": k.blob}),
    ("GenerateDataKey", "aes", USE, of()),
    ("GenerateDataKeyWithoutPlaintext", "aes", USE, of()),
    ("ReEncrypt from", "aes", USE, lambda k: {"CiphertextBlob": k.blob, "DestinationKeyId": k.other.id}),
    ("ReEncrypt to", "aes", USE, lambda k: {"CiphertextBlob": k.other.blob, "DestinationKeyId": k.id}),
    ("ReEncrypt from public", "rsa-open", USE, lambda k: {
        "CiphertextBlob": k.sealed, "SourceKeyId": k.id, "SourceKeyVersionId": k.version,
        "SourceEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "DestinationKeyId": k.other.id}),
    ("GenerateAndExportDataKey", "aes", USE, of(**EXPORT)),
    ("ExportDataKey", "aes", USE, lambda k: {"CiphertextBlob": k.data_key, **EXPORT}),
    ("AsymmetricSign", "rsa", USE, version_of(**SIGN)),
    ("AsymmetricVerify", "rsa", USE, lambda k: version_of(**SIGN, Value=k.signature)(k)),
    ("AsymmetricEncrypt", "rsa-open", USE, version_of(**OPEN, Plaintext=b64(b"secret"))),
    ("AsymmetricDecrypt", "rsa-open", USE, lambda k: version_of(**OPEN, CiphertextBlob=k.sealed)(k)),
    ("GetPublicKey", "rsa", USE, version_of()),
    ("EnableKey", "aes!", (None, None, S, S), of()),
    ("DisableKey", "aes!", (None, None, S, S), of()),
    ("ScheduleKeyDeletion", "aes!", MOVE, of(PendingWindowInDays=7)),
    ("CancelKeyDeletion", "aes!", (S, S, None, S), of()),
    ("UpdateKeyDescription", "aes", EDIT, of(Description="another")),
    ("TagResource", "aes", EDIT, of(Tags='[{"TagKey":"a","TagValue":"b"}]')),
    ("UntagResource", "aes", EDIT, of(TagKeys='["nobody"]')),
    ("TagResources", "aes", EDIT, lambda k: many(k, **{"Tag.1.Key": "c", "Tag.1.Value": "d"})),
    ("UntagResources", "aes", EDIT, lambda k: many(k, **{"TagKey.1": "nobody"})),
    # A version less than seven days old is why an enabled key refuses: its state lets it come that far.
    ("CreateKeyVersion", "rsa", ("Rejected.LimitExceeded", D, P, I), of()),
    ("UpdateRotationPolicy", "aes", ROTATE, of(EnableAutomaticRotation="false")),
    ("CreateAlias", "aes!", MOVE, lambda k: {"KeyId": k.id, "AliasName": k.alias + "-second"}),
    ("UpdateAlias to it", "aes!", EDIT, lambda k: {"KeyId": k.id, "AliasName": k.other.alias}),
    ("UpdateAlias from it", "aes!", ALWAYS, lambda k: {"KeyId": k.other.id, "AliasName": k.alias}),
    ("SetDeletionProtection", "aes!", EDIT, of(EnableDeletionProtection="true")),
    ("SetKeyPolicy", "aes", EDIT, lambda k: {"KeyId": k.id, "PolicyName": "default", "Policy": k.policy}),
    ("GetParametersForImport", "ext", ALWAYS, of(WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")),
    ("ImportKeyMaterial", "ext!", MOVE, lambda k: wrapped(k.server, k.id, k.material)),
    ("DeleteKeyMaterial", "ext!", ALWAYS, of()),
]

# Where an operation that goes through leaves the key; the others leave it where it is.
BECOMES = {
    "EnableKey": dict.fromkeys(STATES, "Enabled"),
    "DisableKey": dict.fromkeys(STATES, "Disabled"),
    "ScheduleKeyDeletion": dict.fromkeys(STATES, "PendingDeletion"),
    "CancelKeyDeletion": dict.fromkeys(STATES, "Enabled"),
    "ImportKeyMaterial": {"PendingImport": "Enabled"},
    "DeleteKeyMaterial": {"Enabled": "PendingImport", "Disabled": "PendingImport"},
}


class Key:
    """A key that was used while it could be, and was then brought into a state."""

    def __init__(self, server, kind, state, other=None):
        self.server, self.state, self.other = server, state, other
        self.material = secrets.token_bytes(32)
        spec = {"rsa": dict(KeySpec="RSA_2048"), "rsa-open": dict(KeySpec="RSA_2048", KeyUsage="ENCRYPT/DECRYPT")}.get(kind, {})
        is_ours = kind == "ext" or state == "PendingImport"
        self.id = new_key(server, **(dict(Origin="EXTERNAL") if is_ours else spec))
        if is_ours:
            bring(server, self.id, self.material)
        self.version = versions(server, self.id)[0]
        self.alias = "alias/state-" + uuid.uuid4().hex
        kms(server, "CreateAlias", {"KeyId": self.id, "AliasName": self.alias})
        self.policy = kms(server, "GetKeyPolicy", {"KeyId": self.id, "PolicyName": "default"})["Policy"]
        self.blob = self.data_key = self.sealed = self.signature = b64(b"of no key")
        if is_ours or not spec:
            self.blob = encrypt(server, self.id)
            self.data_key = kms(server, "GenerateDataKey", {"KeyId": self.id})["CiphertextBlob"]
        elif kind == "rsa":
            self.signature = kms(server, "AsymmetricSign", {"KeyId": self.id, "KeyVersionId": self.version, **SIGN})["Value"]
        else:
            self.sealed = kms(server, "AsymmetricEncrypt", {
                "KeyId": self.id, "KeyVersionId": self.version, **OPEN, "Plaintext": b64(b"secret")})["CiphertextBlob"]
        how = {"Disabled": ("DisableKey", {}), "PendingDeletion": ("ScheduleKeyDeletion", {"PendingWindowInDays": 30}),
               "PendingImport": ("DeleteKeyMaterial", {})}
        if state in how:
            kms(server, how[state][0], {"KeyId": self.id, **how[state][1]})
        assert described(server, self.id)["KeyState"] == state


@pytest.fixture(scope="module")
def keys(module_server):
    """Keys by kind and state; one that a test changes is made for it alone."""
    made = {}

    def key(kind, state):
        other = made.setdefault("other", None) or Key(module_server, "aes", "Enabled")
        made["other"] = other
        if kind.endswith("!"):
            return Key(module_server, kind[:-1], state, other)
        if (kind, state) not in made:
            made[kind, state] = Key(module_server, kind, state, other)
        return made[kind, state]
    return key


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation[0].replace(" ", "-"))
def test_the_state_of_a_key_decides(server, keys, operation, state):
    name, kind, answers, parameters = operation
    action, code = name.split()[0], answers[STATES.index(state)]
    key = keys(kind, state)
    answer = server.rpc(action, parameters(key), version=KMS)
    if code is None:
        assert answer.status == 200, answer
    else:
        assert (answer.code, answer.json["RequestId"] != "") == (code, True), answer
    if code in (D, P, I, S):
        assert answer.status == 409 and answer.json["Message"] == f"The request was rejected because the key state is {state}.", answer
    became = BECOMES.get(action, {}).get(state, state) if code is None else state
    assert described(server, key.id)["KeyState"] == became
    if became == "Enabled" and action != "CreateKey" and kind.startswith(("aes", "ext")):
        assert decrypt(server, key.blob)["Plaintext"] == "plaintext"


def test_states_that_have_no_row(server):
    waiting = new_key(server, Origin="EXTERNAL")
    assert described(server, waiting)["KeyState"] == "PendingImport" and described(server, waiting)["PrimaryKeyVersion"] == ""
    assert versions(server, waiting) == []
    kms(server, "Encrypt", {"KeyId": waiting, "Plaintext": "x"}, 409, I)
    kms(server, "ScheduleKeyDeletion", {"KeyId": waiting, "PendingWindowInDays": 366})
    assert described(server, waiting)["DeleteDate"].endswith("Z")
    kms(server, "CancelKeyDeletion", {"KeyId": waiting})
    assert described(server, waiting)["KeyState"] == "PendingImport" and described(server, waiting)["DeleteDate"] == ""
    # Whatever it was before, a key whose deletion is called off is enabled.
    disabled = new_key(server)
    kms(server, "DisableKey", {"KeyId": disabled})
    kms(server, "ScheduleKeyDeletion", {"KeyId": disabled, "PendingWindowInDays": 7})
    kms(server, "CancelKeyDeletion", {"KeyId": disabled})
    assert described(server, disabled)["KeyState"] == "Enabled"
    for days in (6, 367, "x", ""):
        answer = server.rpc("ScheduleKeyDeletion", {"KeyId": disabled, "PendingWindowInDays": days}, version=KMS)
        assert (answer.status, answer.code) == (400, "InvalidParameter" if days else "MissingParameter"), (days, answer)
    nobody = {"KeyId": str(uuid.uuid4())}
    for action in ("DescribeKey", "EnableKey", "DisableKey", "CancelKeyDeletion", "GenerateDataKey", "ListKeyVersions", "DeleteKeyMaterial"):
        kms(server, action, nobody, 404, "Forbidden.KeyNotFound")
    kms(server, "DescribeKeyVersion", {"KeyId": disabled, "KeyVersionId": str(uuid.uuid4())}, 404, "Forbidden.KeyVersionNotFound")
    # Parameters are looked at before the key, the key before its state.
    kms(server, "Encrypt", {"KeyId": waiting}, 400, "MissingParameter")
    kms(server, "Encrypt", {**nobody, "Plaintext": "x", "EncryptionContext": "[]"}, 400, "InvalidParameter")
    for action in ("GetParametersForImport", "DeleteKeyMaterial"):
        kms(server, action, {"KeyId": disabled, "WrappingAlgorithm": "RSAES_OAEP_SHA_1", "WrappingKeySpec": "RSA_2048"}, 400, "Unsupported.Origin")


def test_a_key_that_was_just_used_refuses_at_once(server):
    """Callers use it without a pause; from the answer of DisableKey on, none gets through."""
    key = new_key(server)
    blob, seen, stopping = encrypt(server, key), [], threading.Event()

    def work(action, parameters):
        while not stopping.is_set():
            begun, code = time.monotonic(), server.rpc(action, parameters, version=KMS).code
            seen.append((begun, time.monotonic(), code))
    calls = [("Decrypt", {"CiphertextBlob": blob}), ("Encrypt", {"KeyId": key, "Plaintext": "x"}), ("GenerateDataKey", {"KeyId": key}),
             ("ReEncrypt", {"CiphertextBlob": blob, "DestinationKeyId": key})]
    threads = [threading.Thread(target=work, args=call) for call in calls]
    for thread in threads:
        thread.start()
    periods = []
    for _ in range(5):
        time.sleep(0.1)
        kms(server, "DisableKey", {"KeyId": key})
        disabled = time.monotonic()
        time.sleep(0.1)
        periods.append((disabled, time.monotonic()))
        kms(server, "EnableKey", {"KeyId": key})
    stopping.set()
    for thread in threads:
        thread.join(30)
    refused = [code for begun, ended, code in seen for since, until in periods if since <= begun and ended <= until]
    assert len(refused) > 5 and set(refused) == {D}
    assert {code for _, _, code in seen} == {None, D}
    assert decrypt(server, blob)["Plaintext"] == "plaintext"


# What a ciphertext is bound to


def test_the_context_is_bound_to_the_ciphertext(server):
    key = new_key(server)
    blob = encrypt(server, key, context='{"app":"pay","zürich":"\\u00fc","a b":"\\"\\\\"}')
    same = ['{"zürich":"ü","app":"pay","a b":"\\"\\\\"}', ' { "a b" : "\\u0022\\u005c" , "app":"pay", "z\\u00fcrich":"ü" } ']
    for context in same:
        opened = decrypt(server, blob, context)
        assert (opened["Plaintext"], opened["KeyId"], opened["KeyVersionId"]) == ("plaintext", key, versions(server, key)[0])
    for context in (None, "{}", '{"app":"pay"}', same[0].replace("pay", "Pay"), same[0].replace("app", "App"),
                    same[0].replace("}", ',"more":""}'), '{"app":"zürich","pay":"ü","a b":"\\"\\\\"}'):
        assert "CiphertextBlob" in decrypt(server, blob, context, status=400, code="InvalidParameter")["Message"]
    bare = encrypt(server, key)
    for context in (None, "", "{}", " {} "):
        assert decrypt(server, bare, context)["Plaintext"] == "plaintext"
    decrypt(server, bare, '{"app":"pay"}', status=400, code="InvalidParameter")
    for context in ("[]", '"text"', '{"a":1}', '{"a":null}', '{"a":["b"]}', '{"a":{"b":"c"}}', "{", "null", '{"a":"' + "b" * 8185 + '"}'):
        kms(server, "Encrypt", {"KeyId": key, "Plaintext": "x", "EncryptionContext": context}, 400, "InvalidParameter", form=True)
        kms(server, "Decrypt", {"CiphertextBlob": blob, "EncryptionContext": context}, 400, "InvalidParameter", form=True)
    longest = {"KeyId": key, "Plaintext": "x", "EncryptionContext": '{"a":"' + "b" * 8184 + '"}'}
    blob = kms(server, "Encrypt", longest, form=True)["CiphertextBlob"]
    assert kms(server, "Decrypt", {"CiphertextBlob": blob, "EncryptionContext": longest["EncryptionContext"]}, form=True)["Plaintext"] == "x"


def test_a_changed_ciphertext_opens_nothing(server):
    key = new_key(server)
    blob = unb64(encrypt(server, key, "some text of thirty-two letters!", '{"a":"b"}'))
    assert len(blob) == 36 + 12 + 32 + 16 and blob[:36].decode() == versions(server, key)[0]
    for offset in range(36, len(blob)):
        changed = bytearray(blob)
        changed[offset] ^= 1 << (offset % 8)
        decrypt(server, b64(changed), '{"a":"b"}', status=400, code="InvalidParameter")
    for offset in range(36):
        changed = bytearray(blob)
        changed[offset] ^= 1
        answer = server.rpc("Decrypt", {"CiphertextBlob": b64(changed), "EncryptionContext": '{"a":"b"}'}, version=KMS)
        assert (answer.status, answer.code) in ((400, "InvalidParameter"), (404, "Forbidden.KeyNotFound")), (offset, answer)
    for cut in (1, 35, 36, 48, 63, len(blob) - 1):
        decrypt(server, b64(blob[:cut]), '{"a":"b"}', status=400, code="InvalidParameter")
    for wrong in (blob + b"\0", blob[:36].upper() + blob[36:], blob[:36] + bytes(20_000), b"\xff" * 100):
        kms(server, "Decrypt", {"CiphertextBlob": b64(wrong), "EncryptionContext": '{"a":"b"}'}, 400, "InvalidParameter", form=True)
    for text in ("!", "AAAA=", b64(blob)[:-1]):
        decrypt(server, text, status=400, code="InvalidParameter")
    kms(server, "Decrypt", {}, 400, "MissingParameter")
    unknown = str(uuid.uuid4()).encode()
    decrypt(server, b64(unknown + blob[36:]), '{"a":"b"}', status=404, code="Forbidden.KeyNotFound")
    assert decrypt(server, b64(blob), '{"a":"b"}')["Plaintext"] == "some text of thirty-two letters!"


def test_keys_of_one_material_do_not_open_each_other(server):
    material = secrets.token_bytes(32)
    one, other = new_key(server, Origin="EXTERNAL"), new_key(server, Origin="EXTERNAL")
    for key in (one, other):
        bring(server, key, material)
    blob = unb64(encrypt(server, one))
    assert decrypt(server, b64(blob))["KeyId"] == one
    decrypt(server, b64(versions(server, other)[0].encode() + blob[36:]), status=400, code="InvalidParameter")


def test_plaintext_is_any_text(server):
    key = new_key(server)
    for text in ("plaintext", "a", "aGVsbG8=", "aGVsbG8", " spaces\tand\nlines ", "größe 密钥 🔑", "=", '{"a":"b"}', "x" * 6144, "ü" * 3072,
                 b64(bytes(6144))):
        blob = kms(server, "Encrypt", {"KeyId": key, "Plaintext": text}, form=True)["CiphertextBlob"]
        assert kms(server, "Decrypt", {"CiphertextBlob": blob}, form=True)["Plaintext"] == text
    for text in ("x-" * 3072 + "x", "ü" * 3072 + "x", b64(bytes(6145))):
        kms(server, "Encrypt", {"KeyId": key, "Plaintext": text}, 400, "InvalidParameter", form=True)
    assert encrypt(server, key) != encrypt(server, key)


def test_data_keys_have_the_size_that_was_asked_for(server):
    key = new_key(server)
    for asked, size in (({}, 32), ({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1}, 1),
                        ({"NumberOfBytes": 1024}, 1024), ({"NumberOfBytes": 17, "KeySpec": "AES_256"}, 17)):
        made = kms(server, "GenerateDataKey", {"KeyId": key, "EncryptionContext": '{"a":"b"}', **asked})
        assert len(unb64(made["Plaintext"])) == size and made["KeyId"] == key and made["KeyVersionId"] == versions(server, key)[0]
        assert decrypt(server, made["CiphertextBlob"], '{"a":"b"}')["Plaintext"] == made["Plaintext"]
        decrypt(server, made["CiphertextBlob"], status=400, code="InvalidParameter")
        unseen = kms(server, "GenerateDataKeyWithoutPlaintext", {"KeyId": key, **asked})
        assert "Plaintext" not in unseen and len(unb64(decrypt(server, unseen["CiphertextBlob"])["Plaintext"])) == size
    made = [kms(server, "GenerateDataKey", {"KeyId": key}) for _ in range(20)]
    assert len({m["Plaintext"] for m in made}) == 20 and {len(m["CiphertextBlob"]) for m in made} == {144}
    for asked in ({"NumberOfBytes": 0}, {"NumberOfBytes": 1025}, {"NumberOfBytes": -1}, {"NumberOfBytes": "x"}, {"KeySpec": "AES_512"}):
        kms(server, "GenerateDataKey", {"KeyId": key, **asked}, 400, "InvalidParameter")
        kms(server, "GenerateDataKeyWithoutPlaintext", {"KeyId": key, **asked}, 400, "InvalidParameter")
    rsa_key = new_key(server, KeySpec="RSA_2048", KeyUsage="ENCRYPT/DECRYPT")
    kms(server, "GenerateDataKey", {"KeyId": rsa_key}, 400, "UnsupportedOperation")


def test_data_keys_for_somebody_else(server):
    key = new_key(server)
    made = kms(server, "GenerateAndExportDataKey", {"KeyId": key, **EXPORT, "NumberOfBytes": 24, "EncryptionContext": '{"a":"b"}'})
    assert "Plaintext" not in made
    received = RECIPIENT.decrypt(unb64(made["ExportedDataKey"]), OAEP_256)
    assert len(received) == 24 and b64(received) == decrypt(server, made["CiphertextBlob"], '{"a":"b"}')["Plaintext"]
    again = {"CiphertextBlob": made["CiphertextBlob"], **EXPORT, "WrappingAlgorithm": "RSAES_OAEP_SHA_1"}
    exported = kms(server, "ExportDataKey", {**again, "EncryptionContext": '{"a":"b"}'})
    assert RECIPIENT.decrypt(unb64(exported["ExportedDataKey"]), OAEP_1) == received
    kms(server, "ExportDataKey", again, 400, "InvalidParameter")
    for wrong in ({"PublicKeyBlob": b64(b"x")}, {"WrappingAlgorithm": "RSAES_PKCS1_V1_5"}, {"WrappingKeySpec": "EC_SM2"}):
        kms(server, "GenerateAndExportDataKey", {"KeyId": key, **EXPORT, **wrong}, 400, "InvalidParameter")


def test_reencryption_between_keys_and_contexts(server):
    one, other = new_key(server), new_key(server)
    blob = encrypt(server, one, context='{"a":"1"}')
    moved = kms(server, "ReEncrypt", {
        "CiphertextBlob": blob, "DestinationKeyId": other, "SourceEncryptionContext": '{"a":"1"}', "DestinationEncryptionContext": '{"b":"2"}'})
    assert moved["KeyId"] == one and "Plaintext" not in moved
    opened = decrypt(server, moved["CiphertextBlob"], '{"b":"2"}')
    assert (opened["KeyId"], opened["Plaintext"]) == (other, "plaintext")
    decrypt(server, moved["CiphertextBlob"], '{"a":"1"}', status=400, code="InvalidParameter")
    # Within one key it changes the context alone.
    bare = kms(server, "ReEncrypt", {"CiphertextBlob": blob, "DestinationKeyId": one, "SourceEncryptionContext": '{"a":"1"}'})
    assert decrypt(server, bare["CiphertextBlob"])["Plaintext"] == "plaintext"
    for wrong in ({}, {"SourceEncryptionContext": '{"b":"2"}'}, {"EncryptionContext": '{"a":"1"}'}):
        kms(server, "ReEncrypt", {"CiphertextBlob": blob, "DestinationKeyId": other, **wrong}, 400, "InvalidParameter")
    right = {"CiphertextBlob": blob, "SourceEncryptionContext": '{"a":"1"}'}
    kms(server, "ReEncrypt", {**right, "DestinationKeyId": str(uuid.uuid4())}, 404, "Forbidden.KeyNotFound")
    kms(server, "ReEncrypt", right, 400, "MissingParameter")
    # What somebody sealed with a public key.
    pair = new_key(server, KeySpec="RSA_2048", KeyUsage="ENCRYPT/DECRYPT")
    version = versions(server, pair)[0]
    pem = kms(server, "GetPublicKey", {"KeyId": pair, "KeyVersionId": version})["PublicKey"]
    public = serialization.load_pem_public_key(pem.encode())
    source = {"SourceKeyId": pair, "SourceKeyVersionId": version, "SourceEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "DestinationKeyId": one}
    moved = kms(server, "ReEncrypt", {"CiphertextBlob": b64(public.encrypt(b"from outside", OAEP_256)), **source})
    assert moved["KeyId"] == pair and unb64(decrypt(server, moved["CiphertextBlob"])["Plaintext"]) == b"from outside"
    kms(server, "ReEncrypt", {"CiphertextBlob": b64(public.encrypt(b"from outside", OAEP_1)), **source}, 400, "InvalidParameter")


def test_a_dry_run_tells_and_does_nothing(server):
    key = new_key(server)
    for action, parameters in (("Encrypt", {"KeyId": key, "Plaintext": "x"}), ("GenerateDataKey", {"KeyId": key}),
                               ("Decrypt", {"CiphertextBlob": encrypt(server, key)})):
        answer = kms(server, action, {**parameters, "DryRun": "true"}, 400, "DryRunOperationError")
        assert not {"CiphertextBlob", "Plaintext"} & set(answer)
        kms(server, action, {**parameters, "DryRun": "False"})
    kms(server, "DisableKey", {"KeyId": key})
    kms(server, "GenerateDataKey", {"KeyId": key, "DryRun": "True"}, 400, "ValidationError")


# Aliases

BY_ALIAS = [
    ("DescribeKey", "aes", {}),
    ("Encrypt", "aes", {"Plaintext": "x"}),
    ("GenerateDataKey", "aes", {}),
    ("GenerateDataKeyWithoutPlaintext", "aes", {}),
    ("GenerateAndExportDataKey", "aes", EXPORT),
    ("DescribeKeyVersion", "aes", {"KeyVersionId": True}),
    ("ListKeyVersions", "aes", {}),
    ("CreateKeyVersion", "rsa", "Rejected.LimitExceeded"),
    ("AsymmetricSign", "rsa", {"KeyVersionId": True, **SIGN}),
    ("AsymmetricEncrypt", "rsa-open", {"KeyVersionId": True, **OPEN, "Plaintext": b64(b"x")}),
    ("GetPublicKey", "rsa", {"KeyVersionId": True}),
]
NOT_BY_ALIAS = [
    ("EnableKey", {}), ("DisableKey", {}), ("ScheduleKeyDeletion", {"PendingWindowInDays": 7}), ("CancelKeyDeletion", {}),
    ("UpdateKeyDescription", {"Description": "x"}), ("SetDeletionProtection", {"EnableDeletionProtection": "true"}),
    ("UpdateRotationPolicy", {"EnableAutomaticRotation": "false"}), ("TagResource", {"Tags": '[{"TagKey":"a","TagValue":"b"}]'}),
    ("UntagResource", {"TagKeys": '["a"]'}), ("ListResourceTags", {}), ("ListAliasesByKeyId", {}),
    ("CreateAlias", {"AliasName": "alias/of-an-alias"}), ("GetKeyPolicy", {"PolicyName": "default"}),
    ("GetParametersForImport", {"WrappingAlgorithm": "RSAES_OAEP_SHA_1", "WrappingKeySpec": "RSA_2048"}), ("DeleteKeyMaterial", {}),
]


@pytest.mark.parametrize("action, kind, more", BY_ALIAS, ids=[c[0] for c in BY_ALIAS])
def test_an_alias_takes_the_place_of_an_id(server, keys, action, kind, more):
    key = keys(kind, "Enabled")
    for name in (key.alias, f"acs:kms:{REGION}:{ACCOUNT}:{key.alias}", f"acs:kms:{REGION}:{ACCOUNT}:key/{key.id}"):
        if more == "Rejected.LimitExceeded":
            answer = server.rpc(action, {"KeyId": name}, version=KMS)
            assert answer.code == more, answer
            continue
        answer = kms(server, action, {"KeyId": name, **{n: key.version if v is True else v for n, v in more.items()}})
        assert key.id in json.dumps(answer) and key.alias not in json.dumps(answer)


@pytest.mark.parametrize("action, more", NOT_BY_ALIAS, ids=[c[0] for c in NOT_BY_ALIAS])
def test_an_alias_is_refused_where_a_key_changes(server, keys, action, more):
    key = keys("aes", "Enabled")
    kms(server, action, {"KeyId": key.alias, **more}, 400, "Unsupported.Alias")
    assert described(server, key.id)["KeyState"] == "Enabled"


def test_an_alias_is_refused_as_a_destination(server, keys):
    key = keys("aes", "Enabled")
    kms(server, "ReEncrypt", {"CiphertextBlob": key.blob, "DestinationKeyId": key.alias}, 400, "Unsupported.Alias")


def test_aliases(server):
    one, other = new_key(server), new_key(server)
    name = {"AliasName": "alias/team/audit_1-x"}
    kms(server, "CreateAlias", {**name, "KeyId": one})
    kms(server, "CreateAlias", {"AliasName": "alias/second", "KeyId": one})
    kms(server, "CreateAlias", {**name, "KeyId": other}, 400, "AliasAlreadyExists")
    listed = kms(server, "ListAliasesByKeyId", {"KeyId": one})
    assert [a["AliasName"] for a in listed["Aliases"]["Alias"]] == ["alias/second", "alias/team/audit_1-x"] and listed["TotalCount"] == 2
    assert listed["Aliases"]["Alias"][1] == {
        "AliasName": name["AliasName"], "AliasArn": f"acs:kms:{REGION}:{ACCOUNT}:{name['AliasName']}", "KeyId": one}
    page = kms(server, "ListAliases", {"PageNumber": 2, "PageSize": 1})
    assert (page["PageNumber"], page["PageSize"], len(page["Aliases"]["Alias"])) == (2, 1, 1) and page["TotalCount"] >= 2
    blob = encrypt(server, name["AliasName"])
    kms(server, "UpdateAlias", {**name, "KeyId": other})
    assert described(server, name["AliasName"])["KeyId"] == other
    # A ciphertext names its key, not the alias.
    assert decrypt(server, blob)["KeyId"] == one and decrypt(server, encrypt(server, name["AliasName"]))["KeyId"] == other
    kms(server, "DeleteAlias", name)
    for action, more in (("DescribeKey", {"KeyId": name["AliasName"]}), ("UpdateAlias", {**name, "KeyId": one}), ("DeleteAlias", name),
                         ("Encrypt", {"KeyId": name["AliasName"], "Plaintext": "x"})):
        kms(server, action, more, 404, "Forbidden.AliasNotFound")
    assert described(server, other)["KeyState"] == "Enabled"
    for wrong in ("audit", "alias/", "alias/acs", "alias/acs/oss", "alias/a b", "alias/ü", "alias/" + "a" * 256):
        kms(server, "CreateAlias", {"AliasName": wrong, "KeyId": one}, 400, "InvalidParameter")
    kms(server, "CreateAlias", {"AliasName": "alias/" + "a" * 255, "KeyId": one})
    kms(server, "CreateAlias", {"KeyId": one}, 400, "MissingParameter")
    kms(server, "CreateAlias", {"AliasName": "alias/nobody", "KeyId": str(uuid.uuid4())}, 404, "Forbidden.KeyNotFound")
    elsewhere = f"acs:kms:cn-shanghai:{ACCOUNT}:"
    kms(server, "DescribeKey", {"KeyId": elsewhere + "alias/second"}, 404, "Forbidden.AliasNotFound")
    kms(server, "DescribeKey", {"KeyId": elsewhere + "key/" + one}, 404, "Forbidden.KeyNotFound")


# Versions and time

def keys_of(server):
    return contextlib.closing(sqlite3.connect(server.data / "metadata.sqlite"))


def let_pass(server, changes):
    """As if time had passed: moves moments in the records of a stopped service's keys back; by id, {field: seconds ago}."""
    assert not server.is_running
    with keys_of(server) as database, database:
        for id, fields in changes.items():
            path = "keys/records/" + id
            record = json.loads(database.execute("SELECT value FROM entries WHERE key = ?", (path,)).fetchone()[0])
            record.update({field: int(time.time()) - ago for field, ago in fields.items()})
            database.execute("UPDATE entries SET value = ? WHERE key = ?", (json.dumps(record).encode(), path))


def test_rotation_settings(server):
    key = new_key(server, EnableAutomaticRotation="True", RotationInterval="365d")
    shown = described(server, key)
    assert (shown["AutomaticRotation"], shown["RotationInterval"]) == ("Enabled", "31536000s")
    moment = time.mktime(time.strptime(shown["LastRotationDate"], "%Y-%m-%dT%H:%M:%SZ"))
    assert time.mktime(time.strptime(shown["NextRotationDate"], "%Y-%m-%dT%H:%M:%SZ")) - moment == 365 * DAY
    for interval, seconds in (("7d", 7 * DAY), ("730d", 730 * DAY), ("168h", 7 * DAY), ("10080m", 7 * DAY), ("604800s", 7 * DAY)):
        kms(server, "UpdateRotationPolicy", {"KeyId": key, "EnableAutomaticRotation": "true", "RotationInterval": interval})
        assert described(server, key)["RotationInterval"] == f"{seconds}s"
    for interval in ("6d", "731d", "7", "d", "-7d", "1w", "604799s", "9999999999999999999d", "7.5d"):
        kms(server, "UpdateRotationPolicy", {"KeyId": key, "EnableAutomaticRotation": "true", "RotationInterval": interval}, 400, "InvalidParameter")
        kms(server, "CreateKey", {"EnableAutomaticRotation": "true", "RotationInterval": interval}, 400, "InvalidParameter")
    kms(server, "UpdateRotationPolicy", {"KeyId": key}, 400, "MissingParameter")
    kms(server, "DisableKey", {"KeyId": key})
    assert described(server, key)["AutomaticRotation"] == "Suspended"
    kms(server, "EnableKey", {"KeyId": key})
    assert described(server, key)["AutomaticRotation"] == "Enabled"
    kms(server, "UpdateRotationPolicy", {"KeyId": key, "EnableAutomaticRotation": "false", "RotationInterval": "nonsense"})
    shown = described(server, key)
    assert shown["AutomaticRotation"] == "Disabled" and not {"RotationInterval", "NextRotationDate"} & set(shown)
    assert len(versions(server, key)) == 1
    on = {"EnableAutomaticRotation": "true", "RotationInterval": "30d"}
    for kind in ({"Origin": "EXTERNAL"}, {"KeySpec": "RSA_2048"}, {"KeySpec": "EC_P256"}):
        assert server.rpc("CreateKey", {**kind, **on}, version=KMS).status == 400
    kms(server, "UpdateRotationPolicy", {"KeyId": new_key(server, KeySpec="EC_P256"), **on}, 400, "UnsupportedOperation")
    kms(server, "CreateKeyVersion", {"KeyId": key}, 400, "UnsupportedOperation")


def test_rotation_needs_an_interval(server):
    kms(server, "CreateKey", {"EnableAutomaticRotation": "true"}, 400, "MissingParameter")
    kms(server, "UpdateRotationPolicy", {"KeyId": new_key(server), "EnableAutomaticRotation": "true"}, 400, "MissingParameter")


def test_keys_rotate_when_it_is_time_and_old_data_opens(make_server):
    server = make_server()
    due, early, disabled = (new_key(server, EnableAutomaticRotation="true", RotationInterval="30d") for _ in range(3))
    off, pair, young = new_key(server), new_key(server, KeySpec="EC_P256"), new_key(server, KeySpec="EC_P256")
    symmetric = (due, early, disabled, off)
    old = {key: (encrypt(server, key, context='{"n":"1"}'), versions(server, key)[0]) for key in symmetric}
    signed = {"KeyId": pair, "KeyVersionId": versions(server, pair)[0], "Algorithm": "ECDSA_SHA_256", "Digest": DIGEST}
    signature = kms(server, "AsymmetricSign", signed)["Value"]
    kms(server, "DisableKey", {"KeyId": disabled})
    assert server.stop() == 0
    let_pass(server, {
        due: {"lastRotatedAt": 31 * DAY}, early: {"lastRotatedAt": 29 * DAY}, disabled: {"lastRotatedAt": 31 * DAY},
        off: {"lastRotatedAt": 100 * DAY}, pair: {"lastRotatedAt": 7 * DAY + 60}, young: {"lastRotatedAt": 7 * DAY - 600}})
    server.start()
    wait_for(lambda: len(versions(server, due)) == 2, what="the rotation")
    new, first = versions(server, due)
    assert first == old[due][1] and described(server, due)["PrimaryKeyVersion"] == new
    moment = time.mktime(time.strptime(described(server, due)["LastRotationDate"], "%Y-%m-%dT%H:%M:%SZ"))
    assert abs(moment - time.mktime(time.gmtime())) < 60
    assert kms(server, "DescribeKeyVersion", {"KeyId": due, "KeyVersionId": first})["KeyVersion"]["KeyVersionId"] == first
    assert [len(versions(server, key)) for key in (early, disabled, off)] == [1, 1, 1]
    # A shorter interval that has passed already rotates at once.
    kms(server, "UpdateRotationPolicy", {"KeyId": off, "EnableAutomaticRotation": "true", "RotationInterval": "90d"})
    assert len(versions(server, off)) == 2
    for key in (due, early, off):
        opened = decrypt(server, old[key][0], '{"n":"1"}')
        assert (opened["Plaintext"], opened["KeyId"], opened["KeyVersionId"]) == ("plaintext", key, old[key][1])
        sealed = kms(server, "Encrypt", {"KeyId": key, "Plaintext": "x"})
        assert sealed["KeyVersionId"] == versions(server, key)[0] and decrypt(server, sealed["CiphertextBlob"])["Plaintext"] == "x"
    # The old one's bytes under the new one's name are nothing.
    swapped = new.encode() + unb64(old[due][0])[36:]
    decrypt(server, b64(swapped), '{"n":"1"}', status=400, code="InvalidParameter")
    moved = kms(server, "ReEncrypt", {"CiphertextBlob": old[due][0], "SourceEncryptionContext": '{"n":"1"}', "DestinationKeyId": due})
    assert decrypt(server, moved["CiphertextBlob"])["KeyVersionId"] == new
    # An asymmetric key is given a version, seven days after the last.
    made = kms(server, "CreateKeyVersion", {"KeyId": pair})["KeyVersion"]
    assert made["KeyVersionId"] == versions(server, pair)[0] != signed["KeyVersionId"]
    assert kms(server, "AsymmetricVerify", {**signed, "Value": signature})["Value"] is True
    assert kms(server, "AsymmetricVerify", {**signed, "KeyVersionId": made["KeyVersionId"], "Value": signature})["Value"] is False
    assert server.rpc("CreateKeyVersion", {"KeyId": young}, version=KMS).code == "Rejected.LimitExceeded"
    # What was due while the key was disabled is made up for.
    kms(server, "EnableKey", {"KeyId": disabled})
    server.kill()
    server.start()
    wait_for(lambda: len(versions(server, disabled)) == 2, what="the rotation that was put off")
    for key in symmetric:
        assert decrypt(server, old[key][0], '{"n":"1"}')["KeyVersionId"] == old[key][1]


def test_a_key_whose_window_is_over_is_gone_for_good(make_server):
    server = make_server()
    gone, kept = new_key(server), new_key(server)
    blobs = {key: encrypt(server, key) for key in (gone, kept)}
    kms(server, "CreateAlias", {"AliasName": "alias/gone", "KeyId": gone})
    for key in (gone, kept):
        kms(server, "ScheduleKeyDeletion", {"KeyId": key, "PendingWindowInDays": 7})
    assert server.stop() == 0
    with keys_of(server) as database:
        sealed = [json.loads(value)["sealed"].encode() for value, in database.execute(
            "SELECT value FROM entries WHERE key LIKE ?", (f"keys/versions/{gone}/%",))]
    assert len(sealed) == 1 and sealed[0] in (server.data / "metadata.sqlite").read_bytes()
    let_pass(server, {gone: {"deleteAt": 1}, kept: {"deleteAt": -60}})
    server.start()
    wait_for(lambda: server.rpc("DescribeKey", {"KeyId": gone}, version=KMS).status == 404, what="the deletion")
    for _ in range(2):
        kms(server, "CancelKeyDeletion", {"KeyId": gone}, 404, "Forbidden.KeyNotFound")
        decrypt(server, blobs[gone], status=404, code="Forbidden.KeyNotFound")
        kms(server, "DescribeKey", {"KeyId": "alias/gone"}, 404, "Forbidden.AliasNotFound")
        assert [k["KeyId"] for k in kms(server, "ListKeys")["Keys"]["Key"]] == [kept]
        assert server.stop() == 0
        # Not even its sealed form is left.
        for file in server.data.glob("metadata.sqlite*"):
            assert sealed[0] not in file.read_bytes() and f"keys/records/{gone}".encode() not in file.read_bytes()
        server.start()
    kms(server, "CancelKeyDeletion", {"KeyId": kept})
    assert decrypt(server, blobs[kept])["Plaintext"] == "plaintext"


def test_deletion_protection(server):
    key = new_key(server)
    assert described(server, key)["DeletionProtection"] == "Disabled"
    arn = f"acs:kms:{REGION}:{ACCOUNT}:key/{key}"
    for naming in ({"ProtectedResourceArn": arn}, {"KeyId": key}):
        kms(server, "SetDeletionProtection", {
            **naming, "EnableDeletionProtection": "True", "DeletionProtectionDescription": "trails hang on it"})
        shown = described(server, key)
        assert (shown["DeletionProtection"], shown["DeletionProtectionDescription"]) == ("Enabled", "trails hang on it")
        kms(server, "ScheduleKeyDeletion", {"KeyId": key, "PendingWindowInDays": 7}, 409, "Forbidden.DeletionProtectionEnabled")
        assert described(server, key)["KeyState"] == "Enabled"
        # It keeps the key from deletion, and from nothing else.
        kms(server, "DisableKey", {"KeyId": key})
        kms(server, "ScheduleKeyDeletion", {"KeyId": key, "PendingWindowInDays": 7}, 409, "Forbidden.DeletionProtectionEnabled")
        kms(server, "EnableKey", {"KeyId": key})
        kms(server, "SetDeletionProtection", {**naming, "EnableDeletionProtection": "false"})
        assert described(server, key)["DeletionProtectionDescription"] == ""
    kms(server, "SetDeletionProtection", {"KeyId": key}, 400, "MissingParameter")
    kms(server, "SetDeletionProtection", {"EnableDeletionProtection": "true"}, 400, "MissingParameter")
    kms(server, "ScheduleKeyDeletion", {"KeyId": key, "PendingWindowInDays": 7})


# Imported material


@pytest.mark.parametrize("algorithm", WRAPPINGS)
def test_material_of_ones_own(server, algorithm):
    key, stranger = new_key(server, Origin="EXTERNAL"), new_key(server, Origin="EXTERNAL")
    material = secrets.token_bytes(32)
    right = wrapped(server, key, material, algorithm)
    kms(server, "ImportKeyMaterial", {**right, "KeyId": stranger}, 400, "InvalidImportToken")
    kms(server, "ImportKeyMaterial", {**right, "ImportToken": b64(secrets.token_bytes(32))}, 400, "InvalidImportToken")
    kms(server, "ImportKeyMaterial", {**right, "ImportToken": "!"}, 400, "InvalidImportToken")
    kms(server, "ImportKeyMaterial", {**right, "EncryptedKeyMaterial": b64(bytes(256))}, 400, "InvalidKeyMaterial")
    kms(server, "ImportKeyMaterial", {**right, "EncryptedKeyMaterial": wrapped(server, key, material, algorithm)["EncryptedKeyMaterial"]},
        400, "InvalidKeyMaterial")
    for missing in ("EncryptedKeyMaterial", "ImportToken", "KeyMaterialExpireUnix"):
        kms(server, "ImportKeyMaterial", {n: v for n, v in right.items() if n != missing}, 400, "MissingParameter")
    for size in (16, 31, 33):
        kms(server, "ImportKeyMaterial", wrapped(server, key, secrets.token_bytes(size), algorithm), 400, "InvalidKeyMaterial")
    assert described(server, key)["KeyState"] == "PendingImport"
    kms(server, "ImportKeyMaterial", right)
    shown = described(server, key)
    assert (shown["KeyState"], shown["Origin"], shown["MaterialExpireTime"]) == ("Enabled", "EXTERNAL", "")
    assert shown["PrimaryKeyVersion"] == versions(server, key)[0]
    blob = encrypt(server, key)
    kms(server, "DeleteKeyMaterial", {"KeyId": key})
    decrypt(server, blob, status=409, code=I)
    bring(server, key, secrets.token_bytes(32), status=400, code="InvalidKeyMaterial")
    bring(server, key, material)
    assert decrypt(server, blob)["Plaintext"] == "plaintext" and len(versions(server, key)) == 1
    bring(server, stranger, material)


def test_a_token_is_bound_to_its_algorithm(server):
    key, material = new_key(server, Origin="EXTERNAL"), secrets.token_bytes(32)
    offer = kms(server, "GetParametersForImport", {"KeyId": key, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"})
    public = serialization.load_der_public_key(unb64(offer["PublicKey"]))
    for way in (OAEP_1, padding.PKCS1v15()):
        kms(server, "ImportKeyMaterial", {
            "KeyId": key, "ImportToken": offer["ImportToken"], "KeyMaterialExpireUnix": 0,
            "EncryptedKeyMaterial": b64(public.encrypt(material, way))}, 400, "InvalidKeyMaterial")
    for wrong in ({"WrappingKeySpec": "EC_SM2"}, {"WrappingKeySpec": "RSA_4096"}, {"WrappingAlgorithm": "SM2PKE"}, {"WrappingAlgorithm": "RAW"}):
        kms(server, "GetParametersForImport", {
            "KeyId": key, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048", **wrong}, 400, "InvalidParameter")


def test_imported_material_expires(make_server):
    server = make_server()
    key, material = new_key(server, Origin="EXTERNAL"), secrets.token_bytes(32)
    bring(server, key, material, expires=int(time.time()) - 1, status=400, code="InvalidParameter")
    bring(server, key, material, expires=int(time.time()) + 3600)
    until = int(time.time()) + 3
    # Again, with another end; the key goes on meanwhile.
    bring(server, key, material, expires=until)
    assert described(server, key)["MaterialExpireTime"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
    blob, uses = encrypt(server, key), []
    while time.time() < until + 0.5:
        before, answer, after = time.time(), server.rpc("Decrypt", {"CiphertextBlob": blob}, version=KMS), time.time()
        uses.append(answer.code)
        assert answer.code is None or after >= until, answer
        assert answer.code == I or before < until, answer
    assert uses[0] is None and uses[-1] == I
    kms(server, "Encrypt", {"KeyId": key, "Plaintext": "x"}, 409, I)
    # Without its material from the next look at what is due on, a start at the latest.
    server.kill()
    server.start()
    wait_for(lambda: described(server, key)["KeyState"] == "PendingImport", what="the end of the material")
    with keys_of(server) as database:
        stored, = database.execute("SELECT value FROM entries WHERE key LIKE ?", (f"keys/versions/{key}/%",)).fetchone()
    assert "sealed" not in json.loads(stored)
    bring(server, key, material)
    assert decrypt(server, blob)["Plaintext"] == "plaintext" and described(server, key)["MaterialExpireTime"] == ""


def test_expired_material_shows_at_once(server):
    for _ in range(2):
        key = new_key(server, Origin="EXTERNAL")
        bring(server, key, secrets.token_bytes(32), expires=int(time.time()) + 2)
        wait_for(lambda: server.rpc("GenerateDataKey", {"KeyId": key}, version=KMS).code == I, what="the end of the material")
        assert described(server, key)["KeyState"] == "PendingImport"


# What nobody may find


def forms(secret):
    return {secret, b64(secret).encode(), secret.hex().encode(), secret.hex().upper().encode()}


def test_neither_events_nor_logs_nor_files_tell_a_key(make_server):
    server = make_server()
    key, ours, material = new_key(server), new_key(server, Origin="EXTERNAL"), secrets.token_bytes(32)
    offer = wrapped(server, ours, material)
    kms(server, "ImportKeyMaterial", offer)
    text = "plaintext-" + secrets.token_hex(16)
    blob = encrypt(server, key, text)
    decrypt(server, blob)
    kms(server, "Encrypt", {"KeyId": key, "Plaintext": text}, form=True)
    kms(server, "ReEncrypt", {"CiphertextBlob": blob, "DestinationKeyId": ours})
    made = kms(server, "GenerateDataKey", {"KeyId": ours, "NumberOfBytes": 40})
    decrypt(server, made["CiphertextBlob"])
    exported = kms(server, "GenerateAndExportDataKey", {"KeyId": key, **EXPORT})
    received = RECIPIENT.decrypt(unb64(exported["ExportedDataKey"]), OAEP_256)
    # Calls that fail tell no more.
    kms(server, "DisableKey", {"KeyId": key})
    kms(server, "Encrypt", {"KeyId": key, "Plaintext": text}, 409, D)
    server.rpc("Encrypt", {"KeyId": "nobody", "Plaintext": text, "EncryptionContext": "["}, version=KMS)
    server.rpc("EncryptOrSo", {"KeyId": key, "Plaintext": text}, version=KMS)
    kms(server, "EnableKey", {"KeyId": key})
    pair = new_key(server, KeySpec="RSA_2048", KeyUsage="ENCRYPT/DECRYPT")
    asymmetric = {"KeyId": pair, "KeyVersionId": versions(server, pair)[0], **OPEN}
    small = secrets.token_bytes(24)
    sealed = kms(server, "AsymmetricEncrypt", {**asymmetric, "Plaintext": b64(small)})["CiphertextBlob"]
    assert unb64(kms(server, "AsymmetricDecrypt", {**asymmetric, "CiphertextBlob": sealed})["Plaintext"]) == small
    hidden = set.union(forms(material), forms(unb64(made["Plaintext"])), forms(received), forms(small), {text.encode(), b64(text.encode()).encode()})
    wire = {offer["EncryptedKeyMaterial"].encode(), offer["ImportToken"].encode(), exported["ExportedDataKey"].encode()}

    wait_for(lambda: server.lookup([("EventName", "AsymmetricDecrypt")]), what="the last call")
    events = json.dumps(server.lookup(limit=5000))
    names = {e["eventName"] for e in server.lookup(limit=5000)}
    assert {"CreateKey", "Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateAndExportDataKey", "GetParametersForImport",
            "ImportKeyMaterial", "DisableKey", "AsymmetricEncrypt", "AsymmetricDecrypt"} <= names and key in events
    told = events.encode() + server.log().encode() + server.get("/metrics").content
    for secret in hidden | wire:
        assert secret not in told, secret
    assert server.stop() == 0
    files = [file for file in server.data.rglob("*") if file.is_file()]
    assert len(files) > 5
    root = unb64((server.data / "root.key").read_text().strip())
    for file in files:
        content = file.read_bytes()
        for secret in hidden | wire | (forms(root) if file.name != "root.key" else set()):
            assert secret not in content, (file, secret)


def test_kill_9_keeps_keys_and_states(make_server):
    server = make_server()
    material = secrets.token_bytes(32)
    made = {name: new_key(server, Description=name, Tags='[{"TagKey":"team","TagValue":"audit"}]') for name in (
        "enabled", "disabled", "pending", "cancelled", "protected")}
    made["rotating"] = new_key(server, EnableAutomaticRotation="true", RotationInterval="30d")
    for name in ("imported", "erased", "waiting"):
        made[name] = new_key(server, Origin="EXTERNAL")
    for name in ("imported", "erased"):
        bring(server, made[name], material, expires=int(time.time()) + DAY)
    made["pair"] = new_key(server, KeySpec="EC_P256")
    signed = {"KeyId": made["pair"], "KeyVersionId": versions(server, made["pair"])[0], "Algorithm": "ECDSA_SHA_256", "Digest": DIGEST}
    signature = kms(server, "AsymmetricSign", signed)["Value"]
    blobs = {name: encrypt(server, id, name, '{"n":"1"}') for name, id in made.items() if name not in ("waiting", "pair")}
    offer = wrapped(server, made["waiting"], material)
    for name in ("enabled", "pending"):
        kms(server, "CreateAlias", {"AliasName": "alias/" + name, "KeyId": made[name]})
    kms(server, "SetDeletionProtection", {"KeyId": made["protected"], "EnableDeletionProtection": "true", "DeletionProtectionDescription": "why"})
    for name in ("pending", "cancelled"):
        kms(server, "ScheduleKeyDeletion", {"KeyId": made[name], "PendingWindowInDays": 30})
    kms(server, "CancelKeyDeletion", {"KeyId": made["cancelled"]})
    kms(server, "DeleteKeyMaterial", {"KeyId": made["erased"]})

    def picture():
        seen = {name: described(server, id) for name, id in made.items()}
        seen["tags"] = {name: kms(server, "ListResourceTags", {"KeyId": id})["Tags"] for name, id in made.items()}
        seen["versions"] = {name: kms(server, "ListKeyVersions", {"KeyId": id})["KeyVersions"] for name, id in made.items()}
        seen["aliases"] = kms(server, "ListAliases")["Aliases"]
        return seen
    # The last answer before the end counts too.
    for last, state in (("DisableKey", "Disabled"), ("EnableKey", "Enabled"), ("DisableKey", "Disabled")):
        before = picture()
        kms(server, last, {"KeyId": made["disabled"]})
        server.kill()
        server.start()
        before["disabled"]["KeyState"] = state
        assert picture() == before
    refused = {"disabled": D, "pending": P, "erased": I}
    for name, blob in blobs.items():
        if name in refused:
            decrypt(server, blob, '{"n":"1"}', status=409, code=refused[name])
        else:
            assert decrypt(server, blob, '{"n":"1"}')["Plaintext"] == name
    assert kms(server, "AsymmetricVerify", {**signed, "Value": signature})["Value"] is True
    kms(server, "ImportKeyMaterial", offer)
    for action, name in (("EnableKey", "disabled"), ("CancelKeyDeletion", "pending")):
        kms(server, action, {"KeyId": made[name]})
        assert decrypt(server, blobs[name], '{"n":"1"}')["Plaintext"] == name
    bring(server, made["erased"], material)
    assert decrypt(server, blobs["erased"], '{"n":"1"}')["Plaintext"] == "erased"
    kms(server, "ScheduleKeyDeletion", {"KeyId": made["protected"], "PendingWindowInDays": 7}, 409, "Forbidden.DeletionProtectionEnabled")


# The root of trust on a token

MODULE = next((path for path in (
    "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so") if os.path.exists(path)), None)
needs_token = pytest.mark.skipif(
    not (MODULE and shutil.which("softhsm2-util") and shutil.which("pkcs11-tool")), reason="SoftHSM 2 or pkcs11-tool is not installed")
PIN, WRONG_PIN = "4711-0815", "1234-5678"


@pytest.fixture
def tokens(tmp_path):
    """Two tokens, `audit` with the keys kek and next, and `other` with a kek of its own; gives settings of the service by names."""
    (tmp_path / "tokens").mkdir()
    configuration = tmp_path / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n")
    env = {**os.environ, "SOFTHSM2_CONF": str(configuration)}
    for label, names in (("audit", ("kek", "next")), ("other", ("kek",))):
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "87654321", "--pin", PIN],
                       env=env, check=True, capture_output=True)
        for number, name in enumerate(names, 1):
            subprocess.run(["pkcs11-tool", "--module", MODULE, "--token-label", label, "--login", "--pin", PIN, "--keygen", "--key-type", "AES:32",
                            "--label", name, "--id", f"{number:02d}", "--sensitive"], env=env, check=True, capture_output=True)

    def settings(token="audit", key="kek", pin=PIN):
        return {"SOFTHSM2_CONF": str(configuration), "CAIRN_ROOT": "token", "CAIRN_ROOT_MODULE": MODULE, "CAIRN_ROOT_TOKEN": token,
                "CAIRN_ROOT_KEY": key, "CAIRN_ROOT_PIN": pin}
    return types.SimpleNamespace(settings=settings, folder=tmp_path / "tokens")


def start_refused(server, variables, code, text):
    """A start that ends at once, with a reason and without the PIN."""
    env = {**server.environment(), **variables}
    done = subprocess.run(server.command(), capture_output=True, env=env, timeout=60)
    assert done.returncode == code and done.stdout == b"" and text in done.stderr, done
    for pin in (PIN, WRONG_PIN):
        assert pin.encode() not in done.stderr
    assert b"atal error" not in done.stderr


@needs_token
def test_a_root_on_a_token(make_server, tokens):
    server = make_server(variables=tokens.settings())
    server.record([event(n) for n in range(10)])
    ids, key = set(server.ids()), new_key(server)
    blob = encrypt(server, key)
    assert not (server.data / "root.key").exists()
    server.kill()
    server.start()
    assert ids <= set(server.ids()) and decrypt(server, blob)["Plaintext"] == "plaintext"
    assert server.stop() == 0
    start_refused(server, tokens.settings(pin=WRONG_PIN), 3, b"the PIN is wrong")
    start_refused(server, tokens.settings(pin="1"), 3, b"PIN")
    start_refused(server, tokens.settings(key="none"), 3, b"no AES key with the label `none`")
    start_refused(server, tokens.settings(token="none"), 3, b"no token with the label `none`")
    start_refused(server, {**tokens.settings(), "CAIRN_ROOT_MODULE": "/nowhere/module.so"}, 3, b"`/nowhere/module.so` cannot be loaded")
    # Another key opens nothing, though its name is the same.
    for other in (tokens.settings(token="other"), tokens.settings(key="next")):
        start_refused(server, other, 3, b"does not open the keys")
    start_refused(server, {"CAIRN_ROOT": "file"}, 3, b"under the root of trust `token`")
    for missing in ("CAIRN_ROOT_MODULE", "CAIRN_ROOT_TOKEN", "CAIRN_ROOT_KEY", "CAIRN_ROOT_PIN"):
        start_refused(server, {**tokens.settings(), missing: ""}, 3, missing.encode())
    (server.folder / "pin").write_text(PIN + "\n")
    server.variables = {**tokens.settings(pin=""), "CAIRN_ROOT_PIN_FILE": str(server.folder / "pin")}
    server.start()
    assert decrypt(server, blob)["Plaintext"] == "plaintext" and PIN not in server.log()
    for file in (file for file in server.data.rglob("*") if file.is_file()):
        assert PIN.encode() not in file.read_bytes(), file


@needs_token
def test_the_root_moves_to_a_token_and_back(make_server, tokens):
    server = make_server()
    server.record([event(n) for n in range(10)])
    key, ours, material = new_key(server), new_key(server, Origin="EXTERNAL"), secrets.token_bytes(32)
    blob, ids, offer = encrypt(server, key, context='{"n":"1"}'), set(server.ids()), wrapped(server, ours, material)
    assert server.stop() == 0
    data = ["--data", str(server.data)]

    def switch(*arguments, variables, check=0):
        done = server.cairn("keys", "root", "switch", *arguments, *data, env=variables, check=check)
        for pin in (PIN, WRONG_PIN):
            assert pin.encode() not in done.stdout + done.stderr
        return done

    def to_token(name, token="audit"):
        return ["--to", "token", "--new-module", MODULE, "--new-token", token, "--new-key", name]

    def opens_everything(variables):
        server.variables = variables
        server.start()
        assert ids <= set(server.ids()) and decrypt(server, blob, '{"n":"1"}')["Plaintext"] == "plaintext"
        assert server.stop() == 0
    library = {"SOFTHSM2_CONF": tokens.settings()["SOFTHSM2_CONF"]}
    before = (server.data / "root.key").read_bytes()
    assert b"the PIN is wrong" in switch(*to_token("kek"), variables={**library, "CAIRN_NEW_ROOT_PIN": WRONG_PIN}, check=3).stderr
    assert b"no AES key" in switch(*to_token("none"), variables={**library, "CAIRN_NEW_ROOT_PIN": PIN}, check=3).stderr
    assert (server.data / "root.key").read_bytes() == before
    switch(*to_token("kek"), variables={**library, "CAIRN_NEW_ROOT_PIN": PIN})
    assert not (server.data / "root.key").exists()
    opens_everything(tokens.settings())
    start_refused(server, {"CAIRN_ROOT": "file"}, 3, b"under the root of trust `token`")
    shown = json.loads(server.cairn("keys", "root", "show", "--output", "json", *data, env=tokens.settings(), check=0).stdout)
    assert shown["Kind"] == "token" and "history" in shown["ServiceKeys"]
    # To the next key on it; the command that renews a root in place says how.
    assert b"--new-key" in server.cairn("keys", "root", "rotate", *data, env=tokens.settings(), check=2).stderr
    switch(*to_token("next"), variables={**tokens.settings(), "CAIRN_NEW_ROOT_PIN": PIN})
    start_refused(server, tokens.settings(), 3, b"does not open the keys")
    opens_everything(tokens.settings(key="next"))
    switch("--to", "file", variables={**tokens.settings(key="next"), "CAIRN_ROOT_PIN": WRONG_PIN}, check=3)
    switch("--to", "file", variables=tokens.settings(key="next"))
    start_refused(server, tokens.settings(key="next"), 3, b"under the root of trust `file`")
    assert (server.data / "root.key").read_bytes() != before
    opens_everything({})
    # Import parameters were rewrapped along the way.
    server.start()
    kms(server, "ImportKeyMaterial", offer)
    assert decrypt(server, encrypt(server, ours))["KeyId"] == ours


@pytest.fixture
def token_away(make_server, tokens):
    """A service whose token has gone: with a ciphertext of a key that was used since the start, and one of a key that was not."""
    server = make_server(variables=tokens.settings())
    used, unused = (encrypt(server, new_key(server)) for _ in range(2))
    assert server.stop() == 0
    server.start()
    assert decrypt(server, used)["Plaintext"] == "plaintext"
    away = tokens.folder.with_name("away")
    tokens.folder.rename(away)
    return types.SimpleNamespace(server=server, used=used, unused=unused, bring_back=lambda: away.rename(tokens.folder))


@needs_token
def test_without_its_token_the_service_goes_on_with_what_is_open(token_away):
    server = token_away.server
    assert decrypt(server, token_away.used)["Plaintext"] == "plaintext"
    said = decrypt(server, token_away.unused, status=503, code="ServiceUnavailableTemporary")["Message"]
    assert "token" in said and PIN not in said
    server.record([event(n) for n in range(10)])
    assert len(server.ids([("ServiceName", "Ecs")])) == 10
    token_away.bring_back()
    assert server.stop() == 0
    server.start()
    assert decrypt(server, token_away.unused)["Plaintext"] == "plaintext"


@needs_token
def test_a_token_that_comes_back_is_used_again(token_away):
    decrypt(token_away.server, token_away.unused, status=503, code="ServiceUnavailableTemporary")
    token_away.bring_back()
    wait_for(lambda: token_away.server.rpc("Decrypt", {"CiphertextBlob": token_away.unused}, version=KMS).status == 200, wait=5, what="the token")


@needs_token
def test_a_wrong_pin_is_refused_for_another_key_of_the_same_token(make_server, tokens):
    server = make_server(variables=tokens.settings())
    assert server.stop() == 0
    server.cairn("keys", "root", "switch", "--to", "token", "--new-module", MODULE, "--new-token", "audit", "--new-key", "next",
                 "--data", server.data, env={**tokens.settings(), "CAIRN_NEW_ROOT_PIN": WRONG_PIN}, check=3)
