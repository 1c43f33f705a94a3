# RAM and STS: what users may do for themselves, sign-in and its devices, tags, lists in pages, roles of trails, secrets that no event tells.
# SPDX-License-Identifier: Apache-2.0
import base64
import hashlib
import hmac
import json
import struct
import time

import oss2
import pytest

from support import ACCOUNT, KEY, wait_for

RAM, STS, KMS = "2015-05-01", "2015-04-01", "2016-01-20"


def ram(server, action, parameters=None, who=None, status=200, code=None):
    key, secret = who or (None, None)
    answer = server.rpc(action, parameters, version=RAM, key=key, secret=secret)
    assert (answer.status, answer.code if code else None) == (status, code), (action, parameters, answer)
    return answer.json


def user(server, name, *policies):
    ram(server, "CreateUser", {"UserName": name})
    for policy in policies:
        ram(server, "AttachPolicyToUser", {"UserName": name, "PolicyType": "System", "PolicyName": policy})
    made = ram(server, "CreateAccessKey", {"UserName": name})["AccessKey"]
    return made["AccessKeyId"], made["AccessKeySecret"]


def statement(effect, *actions, **more):
    return json.dumps({"Version": "1", "Statement": [{"Effect": effect, "Action": list(actions), "Resource": "*", **more}]})


def custom(server, name, to, effect, *actions, **more):
    ram(server, "CreatePolicy", {"PolicyName": name, "PolicyDocument": statement(effect, *actions, **more)})
    ram(server, "AttachPolicyToUser", {"UserName": to, "PolicyType": "Custom", "PolicyName": name})


def one_time(seed, step):
    mac = hmac.digest(base64.b32decode(seed + "=" * (-len(seed) % 8)), struct.pack(">q", step), hashlib.sha1)
    offset = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[offset:offset + 4])[0] & 0x7fffffff) % 10**6:06d}"


def test_users_care_for_themselves_as_far_as_the_account_lets_them(server):
    ann, ben = user(server, "ann"), user(server, "ben")
    refused = dict(status=403, code="NoPermission")
    ram(server, "CreateAccessKey", who=ann, **refused)
    ram(server, "SetSecurityPreference", {"AllowUserToManageAccessKeys": "true"})
    assert len(ram(server, "ListAccessKeys", who=ann)["AccessKeys"]["AccessKey"]) == 1
    second = ram(server, "CreateAccessKey", {"UserName": "ANN"}, who=ann)["AccessKey"]["AccessKeyId"]
    ram(server, "UpdateAccessKey", {"UserAccessKeyId": second, "Status": "Inactive"}, who=ann)
    ram(server, "DeleteAccessKey", {"UserAccessKeyId": second}, who=ann)
    for action in ("CreateAccessKey", "ListAccessKeys"):
        ram(server, action, {"UserName": "ben"}, who=ann, **refused)
    # A Deny outweighs what the account lets users do.
    custom(server, "no-keys", "ben", "Deny", "ram:*AccessKey*")
    ram(server, "CreateAccessKey", who=ben, **refused)
    preference = ram(server, "GetSecurityPreference")["SecurityPreference"]
    assert preference["AccessKeyPreference"] == {"AllowUserToManageAccessKeys": True}
    assert preference["LoginProfilePreference"]["LoginSessionDuration"] == 6
    ram(server, "GetSecurityPreference", who=ann, **refused)
    ram(server, "SetSecurityPreference", {"AllowUserToManageAccessKeys": "false"})
    ram(server, "CreateAccessKey", who=ann, **refused)


def test_passwords(server):
    ann = user(server, "pw.ann")
    name = {"UserName": "pw.ann"}
    ram(server, "CreateLoginProfile", {**name, "Password": "weak"}, status=400, code="InvalidParameter.Password.TooWeak")
    ram(server, "GetLoginProfile", name, status=404, code="EntityNotExist.User.LoginProfile")
    made = ram(server, "CreateLoginProfile", {**name, "Password": "Tr0ub4dor&3x", "PasswordResetRequired": "true"})["LoginProfile"]
    assert made["PasswordResetRequired"] is True and made["MFABindRequired"] is False
    ram(server, "CreateLoginProfile", {**name, "Password": "Tr0ub4dor&3x"}, status=409, code="EntityAlreadyExists.User.LoginProfile")
    change = {"OldPassword": "Tr0ub4dor&3x", "NewPassword": "An0ther&one"}
    ram(server, "ChangePassword", {**change, "OldPassword": "x"}, who=ann, status=400, code="InvalidParameter.OldPassword.Incorrect")
    ram(server, "ChangePassword", change, who=ann)
    assert ram(server, "GetLoginProfile", name)["LoginProfile"]["PasswordResetRequired"] is False
    ram(server, "ChangePassword", {"OldPassword": "An0ther&one", "NewPassword": "Tr0ub4dor&3x"}, who=ann,
        status=400, code="InvalidParameter.NewPassword.ReusePrevention")
    ram(server, "ChangePassword", change, status=403, code="NoPermission")  # root has none
    ram(server, "UpdateLoginProfile", {**name, "MFABindRequired": "true"})
    ram(server, "SetSecurityPreference", {"AllowUserToChangePassword": "false"})
    ram(server, "ChangePassword", change, who=ann, status=403, code="NoPermission")
    ram(server, "SetSecurityPreference", {"AllowUserToChangePassword": "true"})
    policy = ram(server, "SetPasswordPolicy", {"MinimumPasswordLength": 12, "RequireSymbols": "false", "MaxLoginAttemps": 3})["PasswordPolicy"]
    assert (policy["MinimumPasswordLength"], policy["RequireSymbols"], policy["MaxLoginAttemps"]) == (12, False, 3)
    assert ram(server, "GetPasswordPolicy")["PasswordPolicy"] == policy
    ram(server, "SetPasswordPolicy", {"MinimumPasswordLength": 7}, status=400, code="InvalidParameter.MinimumPasswordLength.Range")
    ram(server, "DeleteLoginProfile", name)
    ram(server, "DeleteUser", name, status=409, code="DeleteConflict.User.AccessKey")


def test_devices_with_codes(server):
    ann = user(server, "mfa.ann")
    refused = dict(status=403, code="NoPermission")
    ram(server, "CreateVirtualMFADevice", {"VirtualMFADeviceName": "somebody"}, who=ann, status=403, code="NoPermission")
    ram(server, "SetSecurityPreference", {"AllowUserToManageMFADevices": "true"})
    made = ram(server, "CreateVirtualMFADevice", {"VirtualMFADeviceName": "phone-1"})["VirtualMFADevice"]
    assert made["SerialNumber"] == f"acs:ram::{ACCOUNT}:mfa/phone-1"
    png = base64.b64decode(made["QRCodePNG"])
    assert png.startswith(b"\x89PNG\r\n\x1a\n") and png.endswith(b"IEND\xaeB`\x82") and len(png) > 200
    seed = made["Base32StringSeed"]

    def bind(first, second, **expected):
        step = int(time.time()) // 30
        return ram(server, "BindMFADevice", {
            "UserName": "mfa.ann", "SerialNumber": made["SerialNumber"], "AuthenticationCode1": one_time(seed, step + first),
            "AuthenticationCode2": one_time(seed, step + second)}, who=ann, **expected)
    bind(0, 0, status=403, code="CheckAuthenticationCodeFail")
    bind(-1, 0)
    bind(-1, 0, status=409, code="EntityAlreadyExists.User.MFADevice")
    assert ram(server, "GetUserMFAInfo", {"UserName": "mfa.ann"}, who=ann)["MFADevice"] == {"SerialNumber": made["SerialNumber"], "Type": "VMFA"}
    devices = ram(server, "ListVirtualMFADevices")["VirtualMFADevices"]["VirtualMFADevice"]
    assert [d["User"]["UserName"] for d in devices if d["SerialNumber"] == made["SerialNumber"]] == ["mfa.ann"]
    serial = {"SerialNumber": made["SerialNumber"]}
    ram(server, "DeleteVirtualMFADevice", serial, status=409, code="DeleteConflict.VirtualMFADevice.User")
    # Whoever holds a stolen key does not begin with taking the device away.
    ram(server, "UnbindMFADevice", {"UserName": "mfa.ann"}, who=ann, **refused)
    assert ram(server, "UnbindMFADevice", {"UserName": "mfa.ann"})["MFADevice"] == serial
    ram(server, "DeleteVirtualMFADevice", serial)
    ram(server, "DeleteVirtualMFADevice", serial, status=404, code="EntityNotExist.VirtualMFADevice")


def test_lists_come_in_pages(server):
    names = sorted(f"page-{n:02d}" for n in range(7))
    for name in names:
        ram(server, "CreateGroup", {"GroupName": name})
    seen, marker = [], None
    for _ in range(5):
        answer = ram(server, "ListGroups", {"MaxItems": 3, **({"Marker": marker} if marker else {})})
        seen += [g["GroupName"] for g in answer["Groups"]["Group"]]
        if not answer["IsTruncated"]:
            assert "Marker" not in answer
            break
        marker = answer["Marker"]
        # What comes or goes in between moves nothing.
        ram(server, "DeleteGroup", {"GroupName": seen[0]}, status=200) if len(seen) == 3 else None
    assert [n for n in seen if n.startswith("page-")] == names
    ram(server, "ListGroups", {"MaxItems": 0}, status=400, code="InvalidParameter.MaxItems.Range")
    ram(server, "ListGroups", {"MaxItems": "x"}, status=400, code="InvalidParameter.MaxItems.Format")
    system = ram(server, "ListPolicies", {"PolicyType": "System", "MaxItems": 1000})["Policies"]["Policy"]
    assert {"AliyunActionTrailFullAccess", "AdministratorAccess", "AliyunOSSReadOnlyAccess"} <= {p["PolicyName"] for p in system}


def test_aliases_and_tags(server):
    ram(server, "SetAccountAlias", {"AccountAlias": "Example-Corp"})
    assert ram(server, "GetAccountAlias")["AccountAlias"] == "example-corp"
    ram(server, "SetAccountAlias", {"AccountAlias": "-x-"}, status=400, code="InvalidParameter.AccountAlias.Format")
    ram(server, "ClearAccountAlias")
    assert ram(server, "GetAccountAlias")["AccountAlias"] == ""
    trust = json.dumps({"Version": "1", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": [f"acs:ram::{ACCOUNT}:root"]}}]})
    for name in ("tag-a", "tag-b"):
        ram(server, "CreateRole", {"RoleName": name, "AssumeRolePolicyDocument": trust})
    tags = json.dumps([{"Key": "team", "Value": "audit"}, {"Key": "env", "Value": "prod"}])
    both = {"ResourceType": "role", "ResourceNames": json.dumps(["tag-a", "tag-b"])}
    ram(server, "TagResources", {**both, "Tag": tags})
    ram(server, "TagResources", {**both, "ResourceNames": '["tag-a","nobody"]', "Tag": '[{"Key":"x","Value":"y"}]'}, status=404, code="EntityNotExist.Role")
    ram(server, "UntagResources", {**both, "ResourceNames": '["tag-b"]', "TagKeys": '["env"]'})
    found = ram(server, "ListTagResources", {"ResourceType": "role"})["TagResources"]
    assert [(t["ResourceName"], t["TagKey"], t["TagValue"]) for t in found] == [
        ("tag-a", "env", "prod"), ("tag-a", "team", "audit"), ("tag-b", "team", "audit")]
    listed = ram(server, "ListRoles", {"Tag": '[{"Key":"env"}]'})["Roles"]["Role"]
    assert [r["RoleName"] for r in listed] == ["tag-a"] and "AssumeRolePolicyDocument" not in listed[0]
    # One name that the caller may not touch, and nothing is.
    cat = user(server, "tag.cat")
    custom(server, "tag-a-only", "tag.cat", "Allow", "ram:TagResources", Resource=f"acs:ram:*:{ACCOUNT}:role/tag-a")
    ram(server, "TagResources", {**both, "Tag": '[{"Key":"x","Value":"y"}]'}, who=cat, status=403, code="NoPermission")
    ram(server, "TagResources", {**both, "ResourceNames": '["TAG-A"]', "Tag": '[{"Key":"x","Value":"y"}]'}, who=cat)


def test_a_trail_takes_the_right_to_its_role(make_server):
    server = make_server()
    server.make_bucket("role-bucket")
    trail = {"Name": "role-trail", "OssBucketName": "role-bucket"}
    linked = {"RoleName": "AliyunServiceRoleForActionTrail"}

    def create(who, extra=None, status=200, code=None):
        answer = server.rpc("CreateTrail", {**trail, **(extra or {})}, key=who[0], secret=who[1])
        assert (answer.status, answer.code if code else None) == (status, code), answer
    bare = user(server, "bare")
    custom(server, "trails", "bare", "Allow", "actiontrail:*", "oss:*")
    create(bare, status=403, code="NoPermission")
    ram(server, "GetRole", linked, status=404, code="EntityNotExist.Role")
    full = user(server, "full", "AliyunActionTrailFullAccess")
    create(full)
    made = ram(server, "GetRole", linked)["Role"]
    assert made["IsServiceLinkedRole"] is True and "actiontrail.aliyuncs.com" in made["AssumeRolePolicyDocument"]
    ram(server, "DeleteServiceLinkedRole", linked, status=409, code="DeleteConflict.Role.Trail")
    server.call("DeleteTrail", {"Name": "role-trail"})
    # The role is there: nobody has to make it.
    create(bare)
    server.call("DeleteTrail", {"Name": "role-trail"})

    def role(name, principal):
        ram(server, "CreateRole", {"RoleName": name, "AssumeRolePolicyDocument": json.dumps({"Version": "1", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}]})})
        return {"OssWriteRoleArn": f"acs:ram::{ACCOUNT}:role/{name}"}
    delivery = role("delivery", {"Service": ["actiontrail.aliyuncs.com"]})
    create(bare, delivery, status=403, code="NoPermission")
    create(full, role("for-people", {"RAM": [f"acs:ram::{ACCOUNT}:root"]}), status=403, code="NeedRamAuthorize")
    create(full, {"OssWriteRoleArn": f"acs:ram::{ACCOUNT}:role/nobody"}, status=403, code="NeedRamAuthorize")
    create(full, delivery)
    answer = server.rpc("UpdateTrail", {"Name": "role-trail", "OssWriteRoleArn": delivery["OssWriteRoleArn"]}, key=bare[0], secret=bare[1])
    assert (answer.status, answer.code) == (403, "NoPermission"), answer


def test_no_event_tells_a_secret(server):
    """Everything above that was secret, looked for in everything that was recorded."""
    ann = user(server, "secret.ann", "AliyunSTSAssumeRoleAccess")
    ram(server, "CreateLoginProfile", {"UserName": "secret.ann", "Password": "Passw0rd&secret"})
    ram(server, "ChangePassword", {"OldPassword": "Passw0rd&secret", "NewPassword": "N3w&passw0rd"}, who=ann)
    device = ram(server, "CreateVirtualMFADevice", {"VirtualMFADeviceName": "secret-phone"})["VirtualMFADevice"]
    code = one_time(device["Base32StringSeed"], int(time.time()) // 30)
    ram(server, "BindMFADevice", {"UserName": "secret.ann", "SerialNumber": device["SerialNumber"], "AuthenticationCode1": code,
                                  "AuthenticationCode2": "000000"}, status=403, code="CheckAuthenticationCodeFail")
    trust = json.dumps({"Version": "1", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": [f"acs:ram::{ACCOUNT}:root"]}}]})
    ram(server, "CreateRole", {"RoleName": "secret-role", "AssumeRolePolicyDocument": trust})
    session = server.rpc("AssumeRole", {"RoleArn": f"acs:ram::{ACCOUNT}:role/secret-role", "RoleSessionName": "who-it-is"},
                         version=STS, key=ann[0], secret=ann[1]).json["Credentials"]
    secrets = [ann[1], "Passw0rd&secret", "N3w&passw0rd", device["Base32StringSeed"], f'"{code}"', session["AccessKeySecret"],
               session["SecurityToken"]]
    wait_for(lambda: server.lookup([("EventName", "AssumeRole")]), what="the last call")
    text = json.dumps(server.lookup(limit=5000))
    for secret in secrets:
        assert secret not in text and secret not in server.log()
    assert "who-it-is" in text, "a session is traced to whoever asked for it"
    made = server.lookup([("ResourceName", "secret-role")])
    assert {(e["eventName"], next(iter(e["referencedResources"]))) for e in made} == {
        ("CreateRole", "ACS::RAM::Role"), ("AssumeRole", "ACS::RAM::Role")}


def test_an_owner_of_another_account_grants_across(server):
    """A user of the bucket's own account by id, and not its neighbour."""
    bucket = server.make_bucket("granted-by-id")
    bucket.put_object("k", b"v")
    one, other = user(server, "granted"), user(server, "not-granted")
    identity = ram(server, "GetUser", {"UserName": "granted"})["User"]["UserId"]
    bucket.put_bucket_policy(json.dumps({"Version": "1", "Statement": [{
        "Effect": "Allow", "Principal": [identity], "Action": ["oss:GetObject"], "Resource": [f"acs:oss:*:{ACCOUNT}:granted-by-id/*"]}]}))

    def read(who):
        return oss2.Bucket(oss2.Auth(*who), server.oss, "granted-by-id", is_path_style=True).get_object("k").read()
    assert read(one) == b"v"
    with pytest.raises(oss2.exceptions.AccessDenied):
        read(other)
    used = ram(server, "GetAccessKeyLastUsed", {"UserName": "granted", "UserAccessKeyId": one[0]})["AccessKeyLastUsed"]["LastUsedDate"]
    assert used.endswith("Z")


def test_what_was_made_outlives_kill_9(make_server):
    server = make_server()
    ann = user(server, "lasting", "AliyunKMSReadOnlyAccess")
    custom(server, "lasting-policy", "lasting", "Deny", "kms:ListAliases")
    before = {action: ram(server, action, parameters) for action, parameters in (
        ("ListUsers", {}), ("ListAccessKeys", {"UserName": "lasting"}), ("ListPoliciesForUser", {"UserName": "lasting"}),
        ("GetPolicy", {"PolicyName": "lasting-policy", "PolicyType": "Custom"}))}
    server.kill()
    server.start()
    for action, parameters in (("ListUsers", {}), ("ListAccessKeys", {"UserName": "lasting"}),
                               ("ListPoliciesForUser", {"UserName": "lasting"}),
                               ("GetPolicy", {"PolicyName": "lasting-policy", "PolicyType": "Custom"})):
        after = ram(server, action, parameters)
        after.pop("RequestId"), before[action].pop("RequestId")
        assert after == before[action], action
    assert server.rpc("ListKeys", version=KMS, key=ann[0], secret=ann[1]).status == 200
    assert server.rpc("ListAliases", version=KMS, key=ann[0], secret=ann[1]).code == "Forbidden.NoPermission"
    assert KEY not in json.dumps(before)
