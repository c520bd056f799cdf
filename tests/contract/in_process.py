"""botocore's requests and answers as ours, so that whole clients of it talk to us without a socket."""

import io
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse, create_request_object, prepare_request_dict

from tradewind.wire import SignedRequest


def serialized(serializer, operation, params):
    """What leaves botocore for a call: Host is not among its headers."""
    request = serializer.serialize_to_request(params, operation)
    prepare_request_dict(request, endpoint_url="https://localhost:8443")
    prepared = create_request_object(request).prepare()
    parts = urlsplit(prepared.url)
    return SignedRequest(
        prepared.method, parts.path, parts.query, list(prepared.headers.items()), _bytes(prepared.body)
    )


def received(request):
    """What a client sends, as it arrives."""
    parts = urlsplit(request.url)
    headers = [(name, value.decode() if isinstance(value, bytes) else value) for name, value in request.headers.items()]
    return SignedRequest(
        request.method, parts.path, parts.query, [("Host", parts.netloc), *headers], _bytes(request.body)
    )


def answered(request, response):
    """What we answer, as a client takes it from its connection."""
    raw = io.BytesIO(response.body)
    raw.stream = lambda **_: [response.body]
    return AWSResponse(request.url, response.status, dict(response.headers), raw)


def parsed(parser, response, shape):
    """What botocore reads in an answer."""
    fields = {name.lower(): value for name, value in response.headers.items()}
    return parser.parse({"status_code": response.status, "headers": fields, "body": response.body}, shape)


def _bytes(body):
    return body if isinstance(body, bytes) else (body or "").encode()
