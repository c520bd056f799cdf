"""A small service with every trait of the query protocol that IAM and STS have no example of."""

from tradewind.wire.queries import QueryService
from tradewind.wire.shapes import model_from_json


def shape(kind, **more):
    return {"type": kind, **more}


SHAPES = {
    "Text": shape("string"),
    "Whole": shape("integer", min=1),
    "Long": shape("long"),
    "Real": shape("double"),
    "Flag": shape("boolean"),
    "Moment": shape("timestamp"),
    "Bytes": shape("blob", max=9),
    "Texts": shape("list", member={"shape": "Text"}),
    "Named": shape("list", member={"shape": "Text", "locationName": "Item"}),
    "Flat": shape("list", member={"shape": "Text"}, flattened=True),
    "FlatNamed": shape("list", member={"shape": "Text", "locationName": "One"}, flattened=True),
    "Nested": shape("list", member={"shape": "Texts"}),
    "Pairs": shape("map", key={"shape": "Text"}, value={"shape": "Whole"}),
    "Attributes": shape(
        "map", key={"shape": "Text", "locationName": "Name"}, value={"shape": "Text", "locationName": "Value"},
        flattened=True,
    ),
    "Tree": shape("structure", members={"Name": {"shape": "Text"}, "Below": {"shape": "Trees"}}),
    "Trees": shape("list", member={"shape": "Tree"}),
    "All": shape("structure", members={
        "Text": {"shape": "Text", "locationName": "text"},
        **{name: {"shape": name} for name in (
            "Whole", "Long", "Real", "Flag", "Moment", "Bytes", "Texts", "Named", "Flat", "FlatNamed", "Nested",
            "Pairs", "Attributes", "Tree",
        )},
    }),
    "Odd": shape("structure", members={"message": {"shape": "Text"}, "Where": {"shape": "Text"}}, exception=True,
                 error={"code": "OddCode", "httpStatusCode": 418}),
    "ExpiredTokenException": shape("structure", members={"message": {"shape": "Text"}}, exception=True,
                                   error={"code": "ExpiredTokenException", "httpStatusCode": 400}),
}  # fmt: skip
DOCUMENT = {
    "metadata": {
        "protocol": "query",
        "endpointPrefix": "odd",
        "apiVersion": "2026-01-01",
        "xmlNamespace": "https://odd/",
    },
    "operations": {
        "Echo": {
            "http": {"method": "POST", "requestUri": "/"},
            "input": {"shape": "All"},
            "output": {"shape": "All", "resultWrapper": "EchoResult"},
        },
        "Nothing": {"http": {"method": "POST", "requestUri": "/"}},
    },
    "shapes": SHAPES,
}
SERVICE = QueryService(model_from_json("odd", DOCUMENT))
