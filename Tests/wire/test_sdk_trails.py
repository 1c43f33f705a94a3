# Trail operations as the official SDKs call them: answers, states, errors, both signatures, async, classic, Terraform.
# SPDX-License-Identifier: Apache-2.0
import asyncio
import json
import re

import pytest
from alibabacloud_actiontrail20200706 import models as m
from alibabacloud_actiontrail20200706.client import Client
from alibabacloud_tea_openapi import models as openapi
from alibabacloud_tea_util.models import RuntimeOptions
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

from support import ACCOUNT, KEY, REGION, SECRET, VERSION, ago, ahead, event, wait_for

RUNTIME = RuntimeOptions(connect_timeout=5000, read_timeout=15000, autoretry=False)
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


def sdk(server, signature="v3", key=KEY, secret=SECRET):
    config = openapi.Config(
        access_key_id=key, access_key_secret=secret, endpoint=server.api_host, protocol="http", region_id=REGION)
    if signature == "v1":
        config.signature_algorithm = "v2"  # the Python SDK's name for version 1.0
    return Client(config)


def call(client, operation, request=None):
    method = getattr(client, operation + "_with_options")
    answer = method(request, RUNTIME) if request is not None else method(RUNTIME)
    assert answer.status_code == 200 and answer.body is not None
    assert re.fullmatch(r"[0-9A-F-]{36}", answer.body.request_id)
    return answer.body


def refusal(client, operation, request):
    with pytest.raises(Exception) as caught:
        call(client, operation, request)
    data = caught.value.data
    assert data["RequestId"] and data["HostId"] and data["Message"]
    return data["statusCode"], caught.value.code


@pytest.fixture(params=["v3", "v1"])
def client(request, server):
    return sdk(server, request.param)


@pytest.fixture
def name(request, server):
    """A trail name of this test, and its bucket; five trails are the limit, so the trail goes at the end."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:28].strip("-")
    server.make_bucket("bucket-" + name)
    server.rpc("DeleteTrail", {"Name": name})
    yield name
    if server.is_running:
        server.rpc("DeleteTrail", {"Name": name})


def test_life_of_a_trail(client, name):
    bucket = "bucket-" + name
    made = call(client, "create_trail", m.CreateTrailRequest(
        name=name, oss_bucket_name=bucket, oss_key_prefix="made/up_prefix-1", event_rw="Write",
        trail_region=REGION + ",cn-beijing", is_organization_trail=False))
    assert (made.name, made.oss_bucket_name, made.oss_key_prefix) == (name, bucket, "made/up_prefix-1")
    assert (made.event_rw, made.trail_region, made.home_region) == ("Write", REGION + ",cn-beijing", REGION)
    assert made.oss_write_role_arn.startswith(f"acs:ram::{ACCOUNT}:role/")

    def described():
        body = call(client, "describe_trails", m.DescribeTrailsRequest(name_list=name + ",no-such-trail"))
        assert len(body.trail_list) == 1
        return body.trail_list[0]

    trail = described()
    assert trail.status == "Fresh" and trail.start_logging_time is None and trail.stop_logging_time is None
    assert trail.trail_arn == f"acs:actiontrail:{REGION}:{ACCOUNT}:trail/{name}"
    assert TIME.match(trail.create_time) and TIME.match(trail.update_time)
    assert trail.oss_bucket_location == "oss-" + REGION and trail.is_organization_trail is False

    status = call(client, "get_trail_status", m.GetTrailStatusRequest(name=name))
    assert status.is_logging is False and status.oss_bucket_status is True and status.sls_log_store_status is False

    for _ in range(2):  # starting what is started is no error
        call(client, "start_logging", m.StartLoggingRequest(name=name))
    assert described().status == "Enable"
    status = call(client, "get_trail_status", m.GetTrailStatusRequest(name=name))
    assert status.is_logging is True and TIME.match(status.start_logging_time)

    changed = call(client, "update_trail", m.UpdateTrailRequest(name=name, event_rw="All"))
    assert (changed.event_rw, changed.trail_region, changed.oss_key_prefix) == ("All", REGION + ",cn-beijing", "made/up_prefix-1")
    assert described().status == "Enable", "UpdateTrail leaves the state alone"
    changed = call(client, "update_trail", m.UpdateTrailRequest(name=name, oss_key_prefix="", trail_region="All"))
    assert (changed.oss_key_prefix, changed.trail_region) == ("", "All")

    for _ in range(2):
        call(client, "stop_logging", m.StopLoggingRequest(name=name))
    trail = described()
    assert trail.status == "Disable" and TIME.match(trail.stop_logging_time)
    call(client, "delete_trail", m.DeleteTrailRequest(name=name))
    assert not call(client, "describe_trails", m.DescribeTrailsRequest(name_list=name)).trail_list
    assert refusal(client, "delete_trail", m.DeleteTrailRequest(name=name)) == (404, "TrailNotFoundException")


def test_defaults_of_a_trail(client, name):
    made = call(client, "create_trail", m.CreateTrailRequest(name=name, oss_bucket_name="bucket-" + name))
    assert (made.event_rw, made.trail_region, made.oss_key_prefix) == ("All", "All", "")


@pytest.mark.parametrize("change, expected", [
    (dict(name="Upper-case"), (400, "InvalidTrailNameException")),
    (dict(name="short"), (400, "InvalidTrailNameException")),
    (dict(name="9starts-with-digit"), (400, "InvalidTrailNameException")),
    (dict(name="n" * 37), (400, "InvalidTrailNameException")),
    (dict(name="has space"), (400, "InvalidTrailNameException")),
    (dict(name="名字名字名字名字"), (400, "InvalidTrailNameException")),
    (dict(name=None), (400, "MissingName")),
    (dict(oss_bucket_name=None), (400, "InvalidDeliveryConfigurationException")),
    (dict(oss_bucket_name="no-such-bucket-here"), (404, "BucketDoesNotExistException")),
    (dict(oss_bucket_name="Bad_Bucket"), (400, "InvalidBucketNameException")),
    (dict(oss_key_prefix="short"), (400, "InvalidPrefixException")),
    (dict(oss_key_prefix="1digits-first"), (400, "InvalidPrefixException")),
    (dict(oss_key_prefix="p" * 33), (400, "InvalidPrefixException")),
    (dict(oss_key_prefix="no spaces"), (400, "InvalidPrefixException")),
    (dict(event_rw="Sometimes"), (400, "InvalidQueryParameter")),
    (dict(trail_region="cn hangzhou"), (400, "InvalidQueryParameter")),
    (dict(trail_region="cn-hangzhou,,"), (400, "InvalidQueryParameter")),
    (dict(is_organization_trail=True), (400, "NotAllowCreateOrganizationTrail")),
    (dict(sls_project_arn=f"acs:log:{REGION}:{ACCOUNT}:project/nowhere"), (400, "SlsProjectDoesNotExistException")),
])
def test_create_trail_refusals(server, name, change, expected):
    request = dict(name=name, oss_bucket_name="bucket-" + name)
    request.update(change)
    for signature in ("v3", "v1"):
        assert refusal(sdk(server, signature), "create_trail", m.CreateTrailRequest(**request)) == expected
    assert not call(sdk(server), "describe_trails", m.DescribeTrailsRequest(name_list=name)).trail_list


def test_names_at_their_limits_are_taken(server, name):
    client = sdk(server)
    for good, prefix in (("abcdef", "a-/_12"), ("a" + "b" * 34 + "_", "p" * 32)):
        call(client, "create_trail", m.CreateTrailRequest(name=good, oss_bucket_name="bucket-" + name, oss_key_prefix=prefix))
        call(client, "delete_trail", m.DeleteTrailRequest(name=good))


def test_a_name_and_a_bucket_are_taken_once(client, name, server):
    server.make_bucket("another-" + name[:40])
    call(client, "create_trail", m.CreateTrailRequest(name=name, oss_bucket_name="bucket-" + name))
    assert refusal(client, "create_trail", m.CreateTrailRequest(
        name=name, oss_bucket_name="another-" + name[:40])) == (400, "TrailAlreadyExistsException")
    assert refusal(client, "create_trail", m.CreateTrailRequest(
        name="another-trail", oss_bucket_name="bucket-" + name)) == (400, "RepeatOssBucket")


def test_only_five_trails(server, name):
    client = sdk(server)
    names = [f"many-trails-{i}" for i in range(6)]
    try:
        for number, one in enumerate(names):
            server.make_bucket("bucket-of-" + one)
            request = m.CreateTrailRequest(name=one, oss_bucket_name="bucket-of-" + one)
            if number < 5:
                call(client, "create_trail", request)
            else:
                assert refusal(client, "create_trail", request) == (403, "MaximumNumberOfTrailsExceededException")
    finally:
        for one in names:
            server.rpc("DeleteTrail", {"Name": one})


def test_update_trail_refusals(client, name, server):
    call(client, "create_trail", m.CreateTrailRequest(name=name, oss_bucket_name="bucket-" + name))
    update = lambda **change: refusal(client, "update_trail", m.UpdateTrailRequest(name=name, **change))  # noqa: E731
    assert update(oss_bucket_name="no-such-bucket-here") == (404, "BucketDoesNotExistException")
    assert update(oss_key_prefix="x") == (400, "InvalidPrefixException")
    assert update(event_rw="Never") == (400, "InvalidQueryParameter")
    assert update(oss_bucket_name="") == (400, "InvalidDeliveryConfigurationException")
    assert update(sls_project_arn=f"acs:log:{REGION}:{ACCOUNT}:project/nowhere") == (400, "SlsProjectDoesNotExistException")
    kept = call(client, "describe_trails", m.DescribeTrailsRequest(name_list=name)).trail_list[0]
    assert (kept.oss_bucket_name, kept.oss_key_prefix, kept.event_rw) == ("bucket-" + name, "", "All")
    server.make_bucket("bucket-taken-by-another")
    server.call("CreateTrail", {"Name": "takes-a-bucket", "OssBucketName": "bucket-taken-by-another"})
    try:
        assert update(oss_bucket_name="bucket-taken-by-another") == (400, "RepeatOssBucket")
    finally:
        server.call("DeleteTrail", {"Name": "takes-a-bucket"})


@pytest.mark.parametrize("operation, request_type", [
    ("get_trail_status", m.GetTrailStatusRequest), ("start_logging", m.StartLoggingRequest),
    ("stop_logging", m.StopLoggingRequest), ("delete_trail", m.DeleteTrailRequest), ("update_trail", m.UpdateTrailRequest),
])
def test_unknown_and_missing_names(client, operation, request_type):
    assert refusal(client, operation, request_type(name="no-such-trail")) == (404, "TrailNotFoundException")
    assert refusal(client, operation, request_type()) == (400, "MissingName")


def test_history_jobs(client, name, server):
    assert refusal(client, "create_delivery_history_job", m.CreateDeliveryHistoryJobRequest(
        trail_name="no-such-trail")) == (404, "TrailNotFoundException")
    call(client, "create_trail", m.CreateTrailRequest(name=name, oss_bucket_name="bucket-" + name))
    request = m.CreateDeliveryHistoryJobRequest(trail_name=name, client_token="token-" + name)
    job = call(client, "create_delivery_history_job", request).job_id
    assert isinstance(job, int) and 0 <= job < 2**31
    assert call(client, "create_delivery_history_job", request).job_id == job, "the same ClientToken is the same job"

    def state():
        return call(client, "get_delivery_history_job", m.GetDeliveryHistoryJobRequest(job_id=job))

    wait_for(lambda: state().job_status == 2, what="the job")
    body = state()
    assert (body.job_id, body.trail_name, body.home_region) == (job, name, REGION)
    for text in (body.created_time, body.updated_time, body.start_time, body.end_time):
        assert TIME.match(text)
    assert [(s.region, s.status) for s in body.status] == [(REGION, 2)]

    listed = call(client, "list_delivery_history_jobs", m.ListDeliveryHistoryJobsRequest(page_number=1, page_size=100))
    assert listed.total_count >= 1 and listed.page_number == 1 and listed.page_size == 100
    mine = [j for j in listed.delivery_history_jobs if j.job_id == job]
    assert len(mine) == 1 and mine[0].job_status == 2 and mine[0].trail_name == name
    assert not call(client, "list_delivery_history_jobs", m.ListDeliveryHistoryJobsRequest(
        page_number=1000, page_size=1)).delivery_history_jobs
    for change in (dict(page_size=0), dict(page_size=101), dict(page_number=0)):
        assert refusal(client, "list_delivery_history_jobs", m.ListDeliveryHistoryJobsRequest(**change)) == (400, "InvalidQueryParameter")

    call(client, "delete_delivery_history_job", m.DeleteDeliveryHistoryJobRequest(job_id=job))
    for operation, kind in (("get", m.GetDeliveryHistoryJobRequest), ("delete", m.DeleteDeliveryHistoryJobRequest)):
        assert refusal(client, operation + "_delivery_history_job", kind(job_id=job)) == (404, "DeliveryHistoryJobNotFound")


def test_regions_and_selectors(client, name):
    regions = call(client, "describe_regions", m.DescribeRegionsRequest(accept_language="en-US")).regions.region
    assert REGION in [r.region_id for r in regions] and all(r.region_endpoint and r.local_name for r in regions)
    assert call(client, "get_global_events_storage_region").storage_region == REGION
    call(client, "create_trail", m.CreateTrailRequest(name=name, oss_bucket_name="bucket-" + name))
    # Terraform reads the selector of every trail.
    assert call(client, "get_data_event_selector", m.GetDataEventSelectorRequest(trail_name=name)) is not None
    assert refusal(client, "get_data_event_selector", m.GetDataEventSelectorRequest(
        trail_name="no-such-trail")) == (404, "TrailNotFoundException")


def test_operations_that_do_not_exist_yet(client, server):
    assert refusal(client, "enable_insight", m.EnableInsightRequest(insight_type="IpInsight")) == (501, "ActionNotImplemented")
    for signature in ("v3", "v1"):
        for action, version, expected in (
            ("NoSuchAction", VERSION, (404, "InvalidApi.NotFound")),
            ("createtrail", VERSION, (404, "InvalidApi.NotFound")),
            ("DescribeTrails", "1999-01-01", (404, "InvalidVersion")),
            ("GenerateMac", "2016-01-20", (501, "ActionNotImplemented")),
            ("AssumeRoleWithSAML", "2015-04-01", (404, "InvalidApi.NotFound")),
            ("NoSuchAction", "2016-01-20", (404, "InvalidApi.NotFound")),
        ):
            answer = server.rpc(action, version=version, signature=signature)
            assert (answer.status, answer.code) == expected, (action, version, answer)
            assert answer.headers["x-acs-request-id"] == answer.json["RequestId"]


def test_every_operation_of_the_sdk_is_known(server):
    """Built or not: no operation that the SDK has is unknown to the service."""
    names = [n[:-len("_with_options")] for n in dir(Client) if n.endswith("_with_options")]
    assert len(names) >= 40
    unknown = []
    for name in names:
        action = "".join(part.capitalize() for part in name.split("_"))
        if server.rpc(action, {"Name": "no-such-trail", "TrailName": "no-such-trail"}).code == "InvalidApi.NotFound":
            unknown.append(action)
    assert unknown == []


@pytest.mark.parametrize("signature", ["v3", "v1"])
def test_gateway_refusals(server, signature):
    rpc = lambda **options: server.rpc("DescribeTrails", signature=signature, **options)  # noqa: E731
    assert (lambda a: (a.status, a.code))(rpc(secret="wrong")) == (400, "SignatureDoesNotMatch")
    answer = rpc(key="LTAI5tNobodyHasThisKey01")
    assert (answer.status, answer.code) == (404, "InvalidAccessKeyId.NotFound")
    late = "date" if signature == "v3" else "timestamp"
    for moment, code in ((ago(minutes=16), "InvalidTimeStamp.Expired"), (ahead(minutes=16), "InvalidTimeStamp.Expired"),
                         ("yesterday", "InvalidTimeStamp.Format"), ("2020-02-30T00:00:00Z", "InvalidTimeStamp.Format")):
        answer = rpc(**{late: moment})
        assert (answer.status, answer.code) == (400, code), (moment, answer)
    assert rpc(nonce="the-same-nonce-" + signature).status == 200
    answer = rpc(nonce="the-same-nonce-" + signature)
    assert (answer.status, answer.code) == (400, "SignatureNonceUsed")
    assert rpc(**{late: ago(minutes=14)}).status == 200


def test_missing_parts_of_a_signature(server):
    answer = server.get("/?Action=DescribeTrails&Version=" + VERSION)
    assert (answer.status, answer.code) == (400, "MissingAccessKeyId"), answer
    answer = server.get("/")
    assert (answer.status, answer.code) == (400, "MissingAction"), answer
    answer = server.get("/?Action=DescribeTrails")
    assert (answer.status, answer.code) == (400, "MissingVersion"), answer


def test_async_client(server, name):
    async def story(client):
        made = await client.create_trail_with_options_async(
            m.CreateTrailRequest(name=name, oss_bucket_name="bucket-" + name), RUNTIME)
        assert made.body.name == name
        await client.start_logging_with_options_async(m.StartLoggingRequest(name=name), RUNTIME)
        many = await asyncio.gather(*(
            client.describe_trails_with_options_async(m.DescribeTrailsRequest(name_list=name), RUNTIME) for _ in range(10)))
        assert [a.body.trail_list[0].status for a in many] == ["Enable"] * 10
        await client.stop_logging_with_options_async(m.StopLoggingRequest(name=name), RUNTIME)
        await client.delete_trail_with_options_async(m.DeleteTrailRequest(name=name), RUNTIME)
        with pytest.raises(Exception) as caught:
            await client.get_trail_status_with_options_async(m.GetTrailStatusRequest(name=name), RUNTIME)
        assert caught.value.code == "TrailNotFoundException"

    for signature in ("v3", "v1"):
        asyncio.run(story(sdk(server, signature)))


def test_terraform_sequence(server, name):
    """POST form bodies under V1, and StopLogging as GET with a query."""
    def post(action, **parameters):
        return server.rpc(action, parameters, signature="v1", form=True)

    assert post("CreateTrail", Name=name, OssBucketName="bucket-" + name, EventRW="All", TrailRegion="All", RegionId=REGION).status == 200
    assert post("DescribeTrails", NameList=name, RegionId=REGION).json["TrailList"][0]["Status"] == "Fresh"
    assert post("StartLogging", Name=name, RegionId=REGION).status == 200
    trail = post("DescribeTrails", NameList=name, RegionId=REGION).json["TrailList"][0]
    assert trail["Status"] == "Enable" and trail["HomeRegion"] == REGION
    assert post("GetDataEventSelector", TrailName=name, RegionId=REGION).status == 200
    assert post("UpdateTrail", Name=name, EventRW="Write", RegionId=REGION).json["EventRW"] == "Write"
    assert server.rpc("StopLogging", {"Name": name, "RegionId": REGION}, signature="v1", method="GET").status == 200
    assert post("DescribeTrails", NameList=name).json["TrailList"][0]["Status"] == "Disable"
    job = post("CreateDeliveryHistoryJob", TrailName=name, ClientToken="terraform-" + name).json["JobId"]
    wait_for(lambda: post("GetDeliveryHistoryJob", JobId=job).json["JobStatus"] in (1, 2, 3))
    wait_for(lambda: post("GetDeliveryHistoryJob", JobId=job).json["JobStatus"] == 2)
    assert post("DeleteDeliveryHistoryJob", JobId=job).status == 200
    assert post("DeleteTrail", Name=name).status == 200
    assert post("DeleteTrail", Name=name).code == "TrailNotFoundException"
    assert post("DescribeTrails", NameList=name).json["TrailList"] == []


def common(action, method="POST", **parameters):
    request = CommonRequest(domain=None, version=VERSION, action_name=action)
    request.set_protocol_type("http")
    request.set_method(method)
    for key, value in parameters.items():
        request.add_query_param(key, value)
    return request


def test_classic_sdk(server, name):
    client = AcsClient(KEY, SECRET, REGION, timeout=10)
    wrong = AcsClient(KEY, "wrong", REGION, timeout=10)

    def send(action, client=client, **parameters):
        request = common(action, **parameters)
        request.set_domain(server.api_host)
        return json.loads(client.do_action_with_exception(request))

    made = send("CreateTrail", Name=name, OssBucketName="bucket-" + name, OssKeyPrefix="")
    assert made["Name"] == name and made["RequestId"]
    send("StartLogging", Name=name)
    assert send("DescribeTrails", NameList=name)["TrailList"][0]["Status"] == "Enable"
    send("StopLogging", method="GET", Name=name)
    server.record([event(eventId="classic-sdk", eventName="A b+c*d~e/中文")])
    found = send("LookupEvents", **{"LookupAttribute.1.Key": "EventName", "LookupAttribute.1.Value": "A b+c*d~e/中文"})
    assert [e["eventId"] for e in found["Events"]] == ["classic-sdk"]
    send("DeleteTrail", Name=name)
    for caller, action, expected in (
        (client, "DeleteTrail", (404, "TrailNotFoundException")),
        (wrong, "DescribeTrails", (400, "SignatureDoesNotMatch")),
    ):
        with pytest.raises(ServerException) as caught:
            send(action, client=caller, Name=name)
        assert (caught.value.get_http_status(), caught.value.get_error_code()) == expected, caught.value


def test_version_of_2017(server, name):
    old = "2017-12-04"
    server.call("CreateTrail", {"Name": name, "OssBucketName": "bucket-" + name}, version=old)
    assert server.call("GetTrailStatus", {"Name": name}, version=old)["IsLogging"] is False
    server.record([event(eventId="of-2017", eventName="OldStyle", serviceName="Rds")])
    found = server.call("LookupEvents", {"EventName": "OldStyle", "ServiceName": "Rds"}, version=old)
    assert [e["eventId"] for e in found["Events"]] == ["of-2017"]
    assert server.call("LookupEvents", {"EventName": "OldStyle", "ServiceName": "Ecs"}, version=old)["Events"] == []


def test_body_and_query_limits(server):
    big = server.rpc("DescribeTrails", {"NameList": "x" * (1 << 20)}, signature="v1", form=True)
    assert big.status == 413 and big.code == "RequestBodyTooLarge"
    long = server.rpc("DescribeTrails", {"NameList": "x" * 60_000}, signature="v1", method="GET")
    assert long.status in (200, 400, 414, 431), long
    assert server.get("/healthz").status == 200
