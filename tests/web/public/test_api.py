"""Programs of the city's site: the same answers as JSON, described, kept and asked for again."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from hotline.web import public_openapi

ROOT = "/api/public/v1"


def read(citizen: FlaskClient, path: str) -> Any:
    answer = citizen.get(ROOT + path)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_the_description_is_valid_and_names_every_route(app: Flask, citizen: FlaskClient) -> None:
    document = read(citizen, "/openapi.json")
    OpenAPIV31SpecValidator(document).validate()
    routes = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith(ROOT)}
    described = {ROOT + path.replace("{code}", "<path:code>") for path in document["paths"]}
    assert described == routes - {f"{ROOT}/openapi.json"}


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/entries?category=市政设施&size=1", "/entries"),
        ("/entries/K1", "/entries/{code}"),
        ("/search?q=井盖丢失", "/search"),
        ("/categories?area=131103", "/categories"),
    ],
)
def test_answers_are_what_the_description_says(citizen: FlaskClient, path: str, rule: str) -> None:
    document = public_openapi.document()
    schema = document["paths"][rule]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    Draft202012Validator(schema | {"components": document["components"]}).validate(read(citizen, path))


def test_pages_of_a_category_and_where_an_entry_holds(citizen: FlaskClient) -> None:
    first = read(citizen, "/entries?category=市政设施&size=1")
    second = read(citizen, "/entries?category=市政设施&size=1&page=2")
    assert first["total"] == 2
    assert {row["code"] for row in first["entries"] + second["entries"]} == {"K2", "K3"}
    assert read(citizen, "/entries?category=市政设施&size=1&page=3")["entries"] == []
    lamp = next(row for row in first["entries"] + second["entries"] if row["code"] == "K2")
    assert lamp["areas"] == [{"code": "131103", "name": "冀州区政府"}]
    assert read(citizen, "/entries?area=131102")["total"] == 2


def test_one_entry_in_full_is_safe_to_put_into_a_page(citizen: FlaskClient) -> None:
    entry = read(citizen, "/entries/K1")
    assert "<strong>任一</strong>" in entry["answer_html"] and "<script" not in entry["answer_html"]
    assert entry["answer_text"].startswith("先挂失，再到任一服务网点补办。")
    assert (entry["valid_to"], entry["owner"], entry["version"]) == ("2027-12-31", "冀州区政府", 1)
    assert entry["page"] == "http://localhost/answers/entry/K1"
    assert entry["similar"] == ["社会保障卡遗失补卡"]


def test_scripts_of_any_site_may_ask_but_bring_nothing_with_them(citizen: FlaskClient) -> None:
    for answer in (
        citizen.get(f"{ROOT}/categories"),
        citizen.options(f"{ROOT}/search"),
        citizen.get(f"{ROOT}/entries/x"),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert citizen.post(f"{ROOT}/entries").status_code == 405


@pytest.mark.parametrize("query", ["page=0", "page=x", "size=101", "size=-1", "page=9999999999999999999", "area=x"])
def test_what_cannot_be_is_named(citizen: FlaskClient, query: str) -> None:
    answer = citizen.get(f"{ROOT}/entries?{query}")
    assert (answer.status_code, answer.json["error"]["details"].keys()) == (422, {query.partition("=")[0]})


def test_program_that_has_the_present_state_is_told_so(citizen: FlaskClient) -> None:
    first = citizen.get(f"{ROOT}/entries")
    again = citizen.get(f"{ROOT}/entries", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.headers["Access-Control-Allow-Origin"]) == (304, "*")
    assert citizen.head(f"{ROOT}/entries").headers["ETag"] == first.headers["ETag"]
