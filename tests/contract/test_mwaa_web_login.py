"""CreateWebLoginToken and the login endpoints: a program gets in as the documentation says, and once."""

from http.cookies import SimpleCookie

import pytest
import requests

from tests.contract.entering import HALF_A_MINUTE, ago, claims, grant_like, key_of, post_login, tampered
from tradewind.access.tokens import mint_web_token

OTHER = "aaaaaaaaaaaa"
PATHS = ["/aws_mwaa/login", "/pluginsv2/aws_mwaa/login"]


@pytest.fixture
def token(mwaa, environment):
    return mwaa.create_web_login_token(Name=environment)


@pytest.fixture
def get(service, token):
    """A GET on the environment's host."""

    def getting(path, **how):
        url = f"https://{token['WebServerHostname']}{path}"
        how = {"allow_redirects": False, **how}
        return requests.get(url, verify=service.ca_bundle, timeout=HALF_A_MINUTE, **how)

    return getting


def session_of(answer):
    assert answer.status_code == 200, answer.text
    return SimpleCookie(answer.headers["set-cookie"])["_token"]


def test_a_token_says_who_comes_and_is_good_for_a_minute(token):
    assert set(token) - {"ResponseMetadata"} == {"WebToken", "WebServerHostname", "IamIdentity", "AirflowIdentity"}
    assert token["IamIdentity"] == "root"
    assert 1 <= len(token["AirflowIdentity"]) <= 64
    said = claims(token["WebToken"])
    assert said["exp"] - said["iat"] == 60


@pytest.mark.parametrize("path", PATHS)
def test_signing_in_gives_a_session_cookie_for_this_host_alone(service, token, get, path):
    answer = post_login(service, token["WebServerHostname"], token["WebToken"], path)
    cookie = session_of(answer)
    assert cookie["secure"]
    assert cookie["httponly"]
    assert cookie["samesite"].lower() in {"lax", "strict"}
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert int(cookie["max-age"]) == 12 * 3600
    assert answer.headers["cache-control"] == "no-store"
    assert token["WebToken"] not in answer.text
    as_bearer = {"Authorization": f"Bearer {cookie.value}"}
    assert get("/api/v2/dags", headers=as_bearer).status_code == 200
    assert get("/api/v2/dags", cookies={"_token": cookie.value}).status_code == 200
    assert get("/api/v2/dags").status_code == 401
    me = get("/ui/auth/me", cookies={"_token": cookie.value}).json()
    assert me["username"] == token["AirflowIdentity"]


def test_fabs_own_pages_know_the_session(service, token, get):
    cookie = session_of(post_login(service, token["WebServerHostname"], token["WebToken"]))
    page = get("/auth/users/list/", cookies={"_token": cookie.value})
    assert page.status_code == 200
    assert "List Users" in page.text
    assert token["AirflowIdentity"] in page.text
    assert "Admin" in page.text
    assert get("/auth/roles/list/", cookies={"_token": cookie.value}).status_code == 200
    assert get("/auth/users/list/").status_code in {302, 307, 401, 403}


def test_a_token_works_once_whatever_the_path(service, token):
    host = token["WebServerHostname"]
    assert post_login(service, host, token["WebToken"]).status_code == 200
    for path in PATHS:
        answer = post_login(service, host, token["WebToken"], path)
        assert (answer.status_code, answer.json()["message"]) == (403, "The token has been used. Ask for a new one.")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("how", tampered("a.eyJhIjoxfQ.b"))
def test_a_token_that_was_tampered_with(service, token, how):
    answer = post_login(service, token["WebServerHostname"], tampered(token["WebToken"])[how])
    assert (answer.status_code, answer.json()) == (403, {"message": "The token is not valid."})
    assert "set-cookie" not in answer.headers


def test_a_token_for_commands(service, mwaa, environment, token):
    answer = post_login(service, token["WebServerHostname"], mwaa.create_cli_token(Name=environment)["CliToken"])
    assert (answer.status_code, answer.json()["message"]) == (403, "The token is not valid.")


def test_a_token_of_another_environment(service, token):
    other = mint_web_token(grant_like(token["WebToken"], environment=OTHER), key_of(service), ago(0))
    answer = post_login(service, token["WebServerHostname"], other)
    assert (answer.status_code, answer.json()["message"]) == (403, "The token is not valid.")


@pytest.mark.parametrize(("age", "status"), [(50, 200), (60, 403), (3600, 403)])
def test_a_token_is_good_for_sixty_seconds(service, token, age, status):
    old = mint_web_token(grant_like(token["WebToken"]), key_of(service), ago(age))
    answer = post_login(service, token["WebServerHostname"], old)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["message"] == "The token has expired. Ask for a new one."


@pytest.mark.parametrize("token_given", [None, "", "x" * 30_000])
def test_a_form_without_a_token(service, token, token_given):
    answer = post_login(service, token["WebServerHostname"], token_given)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_token_in_the_query_does_not_count(service, token):
    path = f"/aws_mwaa/login?token={token['WebToken']}"
    assert post_login(service, token["WebServerHostname"], None, path).status_code == 400
    assert post_login(service, token["WebServerHostname"], token["WebToken"]).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_tokens_are_posted(get, path):
    assert get(path).status_code == 405


def test_the_sign_in_page_keeps_to_itself(get):
    page = get("/aws_mwaa/aws-console-sso?login=true")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "http://" not in page.text
    assert "https://" not in page.text


def test_airflows_own_ways_in_are_closed(service, token, get):
    answer = get("/auth/login/")
    assert answer.status_code in {302, 307}
    assert answer.headers["location"].startswith(f"https://{token['WebServerHostname']}/aws_mwaa/aws-console-sso")
    url = f"https://{token['WebServerHostname']}/auth/token"
    given = {"username": "admin", "password": "admin"}
    assert requests.post(url, json=given, verify=service.ca_bundle, timeout=HALF_A_MINUTE).status_code == 401


def test_other_paths_of_the_gateway_are_not_there(get):
    for path in ("/aws_mwaa/", "/aws_mwaa/nope", "/pluginsv2/aws_mwaa/x"):
        assert get(path).status_code == 404


def test_headers_that_only_the_proxy_may_set_do_not_change_the_environment(service, token):
    other = mint_web_token(grant_like(token["WebToken"], environment=OTHER), key_of(service), ago(0))
    url = f"https://{token['WebServerHostname']}/aws_mwaa/login"
    headers = {"X-Tradewind-Environment": OTHER}
    answer = requests.post(url, data={"token": other}, headers=headers, verify=service.ca_bundle, timeout=30)
    assert answer.status_code == 403
