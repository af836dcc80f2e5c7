"""The API's description: valid, complete, and no more than there is."""

from __future__ import annotations

import re

from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from hotline.web.order_acts import ACTS
from tests.web.api.conftest import ROOT, Description


def test_the_description_is_valid_openapi_3_1(description: Description) -> None:
    assert description.document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(description.document).validate()


def test_every_route_is_described_and_every_described_one_is_a_route(app: Flask, description: Description) -> None:
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix(ROOT)))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.describe"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert set(description.operations) == routes


def test_every_post_takes_an_idempotency_key(description: Description) -> None:
    for (method, path), operation in description.operations.items():
        names = [parameter["name"] for parameter in operation["parameters"]]
        assert ("Idempotency-Key" in names) == (method == "POST"), path


def test_every_action_of_the_description_says_its_fields(description: Description) -> None:
    actions = {
        variant["properties"]["action"]["const"]: variant
        for variant in description.document["components"]["schemas"]["Action"]["oneOf"]
    }
    assert set(actions) == set(ACTS)
    assert {"dispatch", "sign", "hand_down", "report", "approve", "reject", "supplement", "urge"} <= set(actions)
    assert actions["dispatch"]["required"] == ["action", "lead_unit"]
    assert actions["report"]["properties"]["solved"]["enum"] == ["yes", "partly", "no", "impossible"]
    assert actions["sign"]["description"] == "签收"
