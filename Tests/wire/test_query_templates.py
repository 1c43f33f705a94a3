# Query templates, their history, and the templates that come with the service, as the official SDK calls them.
# SPDX-License-Identifier: Apache-2.0
import re

import pytest
from alibabacloud_actiontrail20200706 import models as m

from test_access_review import granted, rule
from test_sdk_trails import call, refusal, sdk

SIMPLE = "event.errorCode: * AND event.userIdentity.accessKeyId: *"
SQL = '* | SELECT "event.serviceName" AS s, count(*) AS c GROUP BY s ORDER BY c DESC'


@pytest.fixture(params=["v3", "v1"])
def client(request, server):
    return sdk(server, request.param)


def create(client, name="Refused calls 名前", sql=SIMPLE, simple=True):
    return call(client, "create_advanced_query_template", m.CreateAdvancedQueryTemplateRequest(
        template_name=name, template_sql=sql, simple_query=simple))


def delete(client, id):
    call(client, "delete_advanced_query_template", m.DeleteAdvancedQueryTemplateRequest(template_id=id))


def get(client, id):
    return call(client, "get_advanced_query_template", m.GetAdvancedQueryTemplateRequest(template_id=id))


def test_life_of_a_template(client):
    made = create(client)
    assert re.fullmatch(r"utpl-[A-Za-z0-9_-]{22}", made.template_id)
    assert (made.template_name, made.template_sql, made.simple_query) == ("Refused calls 名前", SIMPLE, "true")
    found = get(client, made.template_id)
    assert (found.template_name, found.template_sql, found.simple_query) == ("Refused calls 名前", SIMPLE, True)
    update = lambda **changes: call(client, "update_advanced_query_template", m.UpdateAdvancedQueryTemplateRequest(  # noqa: E731
        template_id=made.template_id, **changes))
    changed = update(simple_query=False, template_sql=SQL)
    assert (changed.template_name, changed.template_sql, changed.simple_query) == ("Refused calls 名前", SQL, "false")
    assert update(simple_query=False, template_name="By service").template_sql == SQL
    found = get(client, made.template_id)
    assert (found.template_name, found.template_sql, found.simple_query) == ("By service", SQL, False)
    delete(client, made.template_id)
    for operation, request in (
        ("get_advanced_query_template", m.GetAdvancedQueryTemplateRequest(template_id=made.template_id)),
        ("delete_advanced_query_template", m.DeleteAdvancedQueryTemplateRequest(template_id=made.template_id)),
        ("update_advanced_query_template", m.UpdateAdvancedQueryTemplateRequest(template_id=made.template_id, simple_query=True)),
    ):
        assert refusal(client, operation, request) == (404, "TemplateNotFound")


def test_lists(server, make_server):
    server = make_server()
    client = sdk(server)
    ids = [create(client, name=f"{'Even' if i % 2 == 0 else 'odd'} {i}").template_id for i in range(25)]

    def page(**options):
        return call(client, "describe_advanced_query_template", m.DescribeAdvancedQueryTemplateRequest(**options)).template_page

    first = page()
    assert (first.page_number, first.page_size, first.total, len(first.template_list)) == ("1", "20", 25, 20)
    found = [t.template_id for number in ("1", "2", "3") for t in page(page_number=number, page_size="10").template_list]
    assert sorted(found) == sorted(ids)
    evens = page(template_name="eVEN", page_size="100")
    assert evens.total == 13 and all(t.template_name.startswith("Even") and t.simple_query is True for t in evens.template_list)
    assert page(template_name="%").total == 0
    # They outlive a restart.
    assert server.stop() == 0
    server.start()
    client = sdk(server)
    assert call(client, "describe_advanced_query_template", m.DescribeAdvancedQueryTemplateRequest()).template_page.total == 25


@pytest.mark.parametrize("parameters, code", [
    ({"TemplateSql": SQL}, "MissingSimpleQuery"), ({"SimpleQuery": "true"}, "MissingTemplateSql"),
    ({"TemplateSql": SQL, "SimpleQuery": "perhaps"}, "InvalidQueryParameter"),
    ({"TemplateSql": SQL, "SimpleQuery": "true", "TemplateName": "n" * 65}, "InvalidQueryParameter"),
    ({"TemplateSql": "x" * 16_385, "SimpleQuery": "true"}, "InvalidQueryParameter"),
])
def test_refused_templates(server, parameters, code):
    answer = server.rpc("CreateAdvancedQueryTemplate", parameters, form=True)
    assert (answer.status, answer.code) == (400, code), answer
    assert server.rpc("CreateAdvancedQueryTemplate", {
        "TemplateSql": "x" * 16_384, "SimpleQuery": "true", "TemplateName": "名" * 64}, form=True).status == 200


def test_history(make_server):
    server = make_server()
    client = sdk(server)
    assert call(client, "describe_advanced_query_history").query_history_list == []
    made = [call(client, "create_advanced_query_history", m.CreateAdvancedQueryHistoryRequest(
        query_sql=f"* | SELECT {i}", simple_query=False)) for i in range(103)]
    assert made[0].query_sql == "* | SELECT 0" and made[0].simple_query is False and made[0].query_id.startswith("query-")
    kept = call(client, "describe_advanced_query_history").query_history_list
    assert len(kept) == 100, "the newest are kept"
    times = [int(q.time_stamp) for q in kept]
    assert times == sorted(times, reverse=True) and {q.query_id for q in kept} <= {q.query_id for q in made}
    call(client, "delete_advanced_query_history", m.DeleteAdvancedQueryHistoryRequest(query_id=kept[0].query_id))
    assert refusal(client, "delete_advanced_query_history", m.DeleteAdvancedQueryHistoryRequest(query_id=kept[0].query_id)) == (
        404, "QueryHistoryNotFound")
    assert len(call(client, "describe_advanced_query_history").query_history_list) == 99


def test_templates_that_come_with_the_service(client):
    scenes = call(client, "describe_scenes", m.DescribeScenesRequest()).scene_list
    assert len({s.scene_id for s in scenes}) == len(scenes) >= 5
    ids = set()
    for scene in scenes:
        body = call(client, "describe_search_templates", m.DescribeSearchTemplatesRequest(scene_id=scene.scene_id))
        assert (body.page_number, body.page_size) == (1, 20) and body.template_list
        for template in body.template_list:
            assert template.scene_id == scene.scene_id and template.template_name
            assert "\n" not in template.sql and "  " not in template.sql
            ids.add(template.template_id)
        one = call(client, "describe_search_templates", m.DescribeSearchTemplatesRequest(
            scene_id=scene.scene_id, page_number=2, page_size=1))
        assert [t.template_id for t in one.template_list] == [body.template_list[1].template_id]
    assert len(ids) >= 20
    found = call(client, "describe_scenes", m.DescribeScenesRequest(search_code="SIGN")).scene_list
    assert [s.scene_id for s in found] == ["sc-sign-ins"]
    assert refusal(client, "describe_search_templates", m.DescribeSearchTemplatesRequest(scene_id="sc-none")) == (404, "SceneNotFound")


def test_who_may(server):
    made = create(sdk(server)).template_id
    other = create(sdk(server)).template_id
    arn = "acs:actiontrail:*:*:advancedquerytemplate/"
    one = granted(server, "one-template", rule("actiontrail:GetAdvancedQueryTemplate", resource=arn + made))
    all_of_them = granted(server, "all-templates", rule("actiontrail:*AdvancedQueryTemplate", resource=arn + "*"))
    ask = lambda who, action, **p: server.rpc(action, p, key=who[0], secret=who[1]).status  # noqa: E731
    assert ask(one, "GetAdvancedQueryTemplate", TemplateId=made) == 200
    assert ask(one, "GetAdvancedQueryTemplate", TemplateId=other) == 403
    assert ask(one, "DescribeAdvancedQueryTemplate") == 403
    assert ask(one, "DeleteAdvancedQueryTemplate", TemplateId=made) == 403
    assert ask(all_of_them, "DescribeAdvancedQueryTemplate") == 200
    assert ask(all_of_them, "CreateAdvancedQueryTemplate", TemplateSql=SQL, SimpleQuery="False") == 200
    assert ask(all_of_them, "DeleteAdvancedQueryTemplate", TemplateId=other) == 200
    assert ask(all_of_them, "CreateAdvancedQueryHistory", QuerySql=SQL, SimpleQuery="False") == 403
