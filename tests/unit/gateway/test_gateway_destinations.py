"""Where a browser goes after signing in: never to another site, whatever the address bar said."""

from urllib.parse import quote, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tradewind.gateway.destinations import destination

ORIGIN = "https://abc.us-east-1.airflow.localhost:8443"

KEPT = [
    "/",
    "/dags",
    "/dags/my_dag/runs/manual__2026-11-23T09%3A00%3A00%2B00%3A00?tab=grid#x",
    "/assets/s3%3A%2F%2Fbucket%2Fkey",
    "/dags?search=a%5Cb&next=https://elsewhere.example/",
    "/dags/%C3%BCber",
]
REFUSED = [
    "", "dags", "//evil.test", "///evil.test", "/\\evil.test", "\\\\evil.test", "\\/evil.test",
    "https://evil.test/", "https:evil.test", "http://evil.test", "HTTPS://evil.test/", "javascript:alert(1)",
    "data:text/html,x", " //evil.test", "/ /evil.test", "\t//evil.test", "/\t/evil.test", "/\n/evil.test",
    "/\r\nSet-Cookie: a=b", "/\x00/evil.test", "/x\x7f", "/\x85/evil.test", "/\u2028/evil.test", "/%2Fevil.test",
    "/%2f%2fevil.test", "/%5Cevil.test", "/%5c%5cevil", "/%09/evil.test", "/%0d%0aSet-Cookie:a=b", "/%00",
    "/%252Fevil.test", "/%25252Fevil.test", "/.//evil.test", "/..//evil.test", "/x/..//evil.test",
    "/%2e//evil.test", "/%2e%2e//evil.test", "/x/%2e%2e%2f/evil.test", "/..\\/evil", "https://user@evil.test/",
    ORIGIN, f"{ORIGIN}.evil.test/", f"{ORIGIN}@evil.test/", f"{ORIGIN}//evil.test", f"{ORIGIN}/%2Fevil.test",
    "https://abc.us-east-1.airflow.localhost/", "http://abc.us-east-1.airflow.localhost:8443/dags", "/" + "a" * 3000,
    "//evil.test/%2e%2e", "/\u00fc", "/\uff0fevil.test",
]  # fmt: skip


@pytest.mark.parametrize("path", KEPT)
def test_a_path_of_the_own_host_is_kept(path):
    assert destination(path, ORIGIN) == path
    assert destination(ORIGIN + path, ORIGIN) == path
    assert destination(ORIGIN.upper() + path, ORIGIN) == path


@pytest.mark.parametrize("wanted", REFUSED, ids=ascii)
def test_whatever_might_be_another_site_leads_to_the_front_page(wanted):
    assert destination(wanted, ORIGIN) == "/"


def test_no_wish_is_the_front_page():
    assert destination(None, ORIGIN) == "/"


TRICKS = st.lists(
    st.sampled_from(["/", "\\", "%2f", "%5c", "%", "2f", ".", "..", "%2e", ":", "@", "evil.test", "https:", "\t", "\n",
                     "?", "#", "%09", "%25", ORIGIN, " "]),
    max_size=9,
).map("".join)  # fmt: skip


@given(st.one_of(st.text(max_size=40), TRICKS))
@example("/.//evil.test")
def test_a_browser_stays_on_the_host(wanted):
    path = destination(wanted, ORIGIN)
    assert path.isascii()
    assert path.isprintable()
    for read in (path, path.replace("\\", "/"), quote(path, safe="/%?#=&:@+,;!$'()*[]~")):
        resolved = urlsplit(urljoin(ORIGIN + "/aws_mwaa/sign-in", read))
        assert f"{resolved.scheme}://{resolved.netloc}" == ORIGIN
        assert not resolved.path.startswith("//")
