"""What the Cloudflare stand-in takes as a record, the form it stores, and which records exclude each other."""

import pytest


def wished(**fields):
    return {"type": "A", "name": "app", "content": "203.0.113.7", **fields}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("@", "example.org"),
        ("example.org", "example.org"),
        ("App.Example.ORG.", "app.example.org"),
        ("app", "app.example.org"),
        ("app.other.net", "app.other.net.example.org"),
        ("anexample.org", "anexample.org.example.org"),
        ("*.app", "*.app.example.org"),
        ("_acme.app", "_acme.app.example.org"),
        ("größe", "xn--gre-6ka8i.example.org"),
        ("😀", "xn--e28h.example.org"),
    ],
)
def test_names_are_stored_complete_in_lower_case_and_punycode(api, sent, stored):
    assert api.create(sent)["name"] == stored


@pytest.mark.parametrize(
    ("kind", "sent", "stored"),
    [
        ("AAAA", "2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("CNAME", "Target.Example.NET.", "Target.Example.NET"),
        ("CNAME", "größe.example.net", "xn--gre-6ka8i.example.net"),
        ("TXT", "challengetoken", "challengetoken"),
        ("TXT", '"quoted"', '"quoted"'),
    ],
)
def test_content_is_stored_in_its_own_form(api, kind, sent, stored):
    assert api.create(type=kind, content=sent)["content"] == stored


def test_structured_content_is_put_together_from_its_data(api):
    data = {"priority": 10, "weight": 5, "port": 443, "target": "example.net"}
    answer = api("POST", api.records, {"type": "SRV", "name": "_sip._tcp", "data": data})
    assert answer.json()["result"]["content"] == "10 5 443 example.net"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"content": "1.1"}, 9005),
        ({"content": "2001:db8::1"}, 9005),
        ({"content": None}, 9005),
        ({"type": "AAAA"}, 9006),
        ({"type": "AAAA", "content": "fe80::1%eth0"}, 9006),
        ({"type": "CNAME"}, 9007),
        ({"type": "CNAME", "content": "two words"}, 9007),
        ({"type": "NS", "content": "a..b"}, 9007),
        ({"type": "TXT", "content": ""}, 9007),
        ({"type": "MX", "content": "10.0.0.1", "priority": 1}, 9009),
        ({"type": "MX", "content": "mail.example.org"}, 9101),
        ({"type": "CNAME", "content": "APP.example.org."}, 9039),
        ({"type": "TXT", "content": "x" * 4090}, 9015),
        ({"type": "NONE"}, 9020),
        ({"type": None}, 9020),
        ({"name": None}, 9000),
        ({"name": "a..b"}, 9000),
        ({"name": "a b"}, 9000),
        ({"name": "a" * 64}, 9000),
        ({"name": ".".join(["a" * 60] * 4)}, 9000),
        ({"ttl": 59}, 9021),
        ({"ttl": 30}, 9021),
        ({"ttl": 86401}, 9021),
        ({"type": "TXT", "content": "x", "proxied": True}, 9004),
        ({"comment": "x" * 101}, 9313),
        ({"comment": "two\nlines"}, 1004),
        ({"tags": ["a:b"]}, 9300),
        ({"ttl": "60"}, 9207),
        ({"proxied": "true"}, 9207),
        ({"content": 7}, 9207),
    ],
)
def test_a_bad_record_is_refused_with_its_code(api, cloudflare, fields, code):
    assert api.refused("POST", api.records, wished(**fields)) == (400, code)
    assert (cloudflare.records("example.org"), cloudflare.writes) == ([], 0)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("A", "10.0.0.1"),
        ("A", "172.31.255.255"),
        ("A", "192.168.1.1"),
        ("A", "127.0.0.1"),
        ("A", "169.254.1.1"),
        ("A", "100.64.0.1"),
        ("A", "0.0.0.0"),
        ("A", "1.1.1.1"),
        ("AAAA", "::"),
        ("AAAA", "::1"),
        ("AAAA", "fd00::1"),
        ("AAAA", "fe80::1"),
        ("CNAME", "x.acm-validations.aws"),
    ],
)
def test_a_target_that_nobody_can_reach_cannot_be_proxied(api, kind, content):
    wish = wished(type=kind, content=content, proxied=True)
    answer = api("POST", api.records, wish)
    assert answer.json()["errors"] == [
        {"code": 9003, "message": f"Target {content} is not allowed for a proxied record."}
    ]
    assert api.create(type=kind, content=content)["proxiable"] is False


@pytest.mark.parametrize(
    ("kind", "content"), [("A", "192.0.2.0"), ("AAAA", "100::"), ("CNAME", "example.net")]
)
def test_a_proxied_record_has_an_automatic_ttl(api, kind, content):
    record = api.create(type=kind, content=content, proxied=True, ttl=600)
    assert (record["proxiable"], record["proxied"], record["ttl"]) == (True, True, 1)


@pytest.mark.parametrize(
    ("plan", "fields"),
    [
        ("enterprise", {"ttl": 30}),
        ("pro", {"comment": "x" * 500}),
        ("pro", {"tags": ["owner:me"]}),
    ],
)
def test_a_better_plan_allows_more(api, cloudflare, plan, fields):
    records = f"/zones/{cloudflare.add_zone('example.net', plan=plan)}/dns_records"
    assert api("POST", records, wished(**fields)).status_code == 200


@pytest.mark.parametrize(
    ("there", "wanted", "code"),
    [
        (("CNAME", "a.example"), ("CNAME", "b.example"), 81053),
        (("CNAME", "a.example"), ("CNAME", "a.example"), 81053),
        (("A", "192.0.2.1"), ("CNAME", "a.example"), 81053),
        (("AAAA", "100::"), ("CNAME", "a.example"), 81053),
        (("CNAME", "a.example"), ("A", "192.0.2.1"), 81054),
        (("CNAME", "a.example"), ("AAAA", "100::"), 81054),
        (("NS", "ns.example"), ("A", "192.0.2.1"), 81056),
        (("TXT", "x"), ("NS", "ns.example"), 81056),
        (("A", "192.0.2.1"), ("A", "192.0.2.1"), 81058),
        (("AAAA", "100::1"), ("AAAA", "100:0::1"), 81058),
    ],
)
def test_records_that_exclude_each_other_at_one_name(api, there, wanted, code):
    api.create("app", *there)
    wish = wished(type=wanted[0], content=wanted[1], ttl=600, comment="other")
    assert api.refused("POST", api.records, wish) == (400, code)


@pytest.mark.parametrize(
    ("name", "there", "wanted"),
    [
        ("app", ("A", "192.0.2.1"), ("A", "192.0.2.2")),
        ("app", ("A", "192.0.2.1"), ("AAAA", "100::")),
        ("app", ("CNAME", "a.example"), ("TXT", "x")),
        ("app", ("NS", "a.example"), ("NS", "b.example")),
        ("@", ("NS", "a.example"), ("A", "192.0.2.1")),
    ],
)
def test_records_that_get_on_at_one_name(api, name, there, wanted):
    api.create(name, *there)
    api.create(name, *wanted)
    assert len(api.list()) == 2


def test_the_content_of_one_name_and_type_has_a_limit_together(api):
    api.create(type="TXT", content="a" * 4000)
    api.create(type="TXT", content="b" * 4000)
    assert api.refused("POST", api.records, wished(type="TXT", content="c" * 4000)) == (400, 83011)
