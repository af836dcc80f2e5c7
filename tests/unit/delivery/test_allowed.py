"""Nothing is sent where nobody allowed it, however the address is written."""

from __future__ import annotations

import pytest

from hotline.delivery.allowed import Allowed, NotAllowed, parse

LIST = Allowed.of(("oa.example.gov.cn", "10.20.0.0/16", "192.0.2.7"))
LOOPBACK = Allowed.of(("127.0.0.0/8", "::1"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://oa.example.gov.cn/in", "https://"),
        ("ftp://oa.example.gov.cn/in", "https://"),
        ("oa.example.gov.cn/in", "https://"),
        ("https://", "https://"),
        ("https://u:p@oa.example.gov.cn/in", "用户名"),
        ("https://oa.example.gov.cn\\@evil.example/in", "符号"),
        ("https://oa.example.gov.cn/a b", "空格"),
        ("https://oa.example.gov.cn/\n", "空格"),
        ("https://热线.example/in", "英文"),
        ("https://oa.example.gov.cn:99999/in", "不是网址"),
        ("https://[::1/in", "不是网址"),
        ("https://127.0.0.1/in", "HOTLINE_WEBHOOK_ALLOW"),
        ("https://[::ffff:127.0.0.1]/in", "HOTLINE_WEBHOOK_ALLOW"),
        ("https://169.254.169.254/latest", "HOTLINE_WEBHOOK_ALLOW"),
        ("http://10.20.0.5/in", "https://"),
    ],
)
def test_a_url_that_leads_nowhere_good_is_refused_in_words(url: str, words: str) -> None:
    assert words in LIST.fault(url)


@pytest.mark.parametrize(
    "url",
    ["https://oa.example.gov.cn/in?a=1", "https://OA.example.gov.cn:8443", "https://10.20.3.4/", "https://192.0.2.7/"],
)
def test_a_listed_host_may_be_told(url: str) -> None:
    assert LIST.fault(url) == ""


def test_an_empty_list_allows_nothing() -> None:
    assert "HOTLINE_WEBHOOK_ALLOW" in Allowed.of(()).fault("https://oa.example.gov.cn/")


def test_only_this_machine_named_as_a_network_is_told_without_tls() -> None:
    assert LOOPBACK.fault("http://127.0.0.1:8080/in") == ""
    assert LOOPBACK.fault("http://localhost:8080/in") == ""
    assert "https://" in Allowed.of(("10.0.0.0/8",)).fault("http://localhost/in")


def test_a_listed_name_may_not_stand_for_this_machine_or_its_link() -> None:
    target = parse("https://oa.example.gov.cn/in")
    LIST.check(target, ["203.0.113.5", "10.99.0.1"])
    for inside in ("127.0.0.1", "169.254.169.254", "0.0.0.0", "::1", "fe80::1", "::ffff:127.0.0.1", "2002:7f00:1::"):
        with pytest.raises(NotAllowed, match="HOTLINE_WEBHOOK_ALLOW"):
            LIST.check(target, ["203.0.113.5", inside])


def test_of_a_name_that_is_not_listed_every_address_must_be() -> None:
    target = parse("https://elsewhere.example/in")
    LIST.check(target, ["10.20.0.1", "10.20.255.255"])
    with pytest.raises(NotAllowed):
        LIST.check(target, ["10.20.0.1", "10.21.0.1"])
