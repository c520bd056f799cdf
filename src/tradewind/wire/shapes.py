"""A service model as frozen dataclasses: what operations there are and of what shape their values are.

botocore ships AWS's models as JSON; `read_model` turns one into these classes, so that decoding, checking
and encoding are each a `match` over a closed set of shapes. All patterns are compiled here, once, at load:
a model with a pattern that cannot be translated is refused at start and not at somebody's request.
Shapes name each other by name because they may be recursive. Only botocore's own copy of a model
is read, or one of ours, never one that lies in the home directory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from botocore.loaders import Loader

from tradewind.wire.patterns import JavaPattern

MODELS = Path(__file__).parent / "models"  # of our own services, laid out as botocore's


@dataclass(frozen=True)
class Bounds:
    """Least and greatest length (strings, lists, maps, blobs) or value (numbers); None where there is none."""

    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class String:
    """Text. `enum` is empty where any text is allowed."""

    name: str
    bounds: Bounds
    pattern: JavaPattern | None
    enum: tuple[str, ...]
    sensitive: bool


@dataclass(frozen=True)
class Number:
    """A number; `integer` (32 bits) and `long` (64 bits) have no fraction."""

    name: str
    kind: Literal["integer", "long", "float", "double"]
    bounds: Bounds
    sensitive: bool


@dataclass(frozen=True)
class Boolean:
    """True or false."""

    name: str
    sensitive: bool


@dataclass(frozen=True)
class Timestamp:
    """A moment: an aware datetime here, seconds since the epoch on the wire."""

    name: str
    sensitive: bool


@dataclass(frozen=True)
class Blob:
    """Bytes, base64 on the wire."""

    name: str
    bounds: Bounds
    sensitive: bool


@dataclass(frozen=True)
class Document:
    """Any JSON value, passed through as it is."""

    name: str
    sensitive: bool


@dataclass(frozen=True)
class List:
    """Values of one shape, in order.

    In XML and forms `element` is what each is called; a flattened list has no element of its own around them.
    """

    name: str
    member: str
    bounds: Bounds
    sensitive: bool
    element: str | None = None
    flattened: bool = False


@dataclass(frozen=True)
class Map:
    """Values of one shape by text keys. `key_name` and `value_name` are what XML and forms call the two."""

    name: str
    key: str
    value: str
    bounds: Bounds
    sensitive: bool
    key_name: str = "key"
    value_name: str = "value"
    flattened: bool = False


@dataclass(frozen=True)
class Member:
    """One member of a structure. `location` is where a request carries it, `wire_name` what it is called there."""

    name: str
    shape: str
    location: str
    wire_name: str
    required: bool


@dataclass(frozen=True)
class Structure:
    """Named members. `status` is the HTTP status of a structure that is an error, `code` its name in XML."""

    name: str
    members: tuple[Member, ...]
    status: int | None
    sensitive: bool
    code: str = ""


Shape = String | Number | Boolean | Timestamp | Blob | Document | List | Map | Structure


@dataclass(frozen=True)
class Operation:
    """What a client can ask for. `input` and `output` are names of structures, None where there is nothing.

    `wrapper` is the element around a result in XML.
    """

    name: str
    method: str
    path: str
    status: int
    input: str | None
    output: str | None
    wrapper: str | None = None


@dataclass(frozen=True)
class Model:
    """A whole service. `version` and `namespace` are what forms and XML name."""

    name: str
    protocol: str
    signing_name: str
    operations: Mapping[str, Operation]
    shapes: Mapping[str, Shape]
    version: str = ""
    namespace: str = ""

    def structure(self, name: str | None) -> Structure:
        """The structure of that name; an empty one for None. Raises TypeError for another kind of shape."""
        if name is None:
            return Structure("Nothing", (), None, sensitive=False)
        shape = self.shapes[name]
        if not isinstance(shape, Structure):
            raise TypeError(f"cannot use {name} as a structure: it is a {type(shape).__name__}")
        return shape


def read_model(service: str) -> Model:
    """Read the newest model of a service: AWS's `mwaa`, ours. Raises UnknownServiceError, CannotTranslate."""
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH, str(MODELS)], include_default_search_paths=False)
    return model_from_json(service, loader.load_service_model(service, "service-2"))


def model_from_json(service: str, document: Mapping[str, Any]) -> Model:
    """Build a model from the JSON of AWS's `service-2` files."""
    metadata = document["metadata"]
    return Model(
        name=service,
        protocol=metadata["protocol"],
        signing_name=metadata.get("signingName", metadata["endpointPrefix"]),
        operations={name: _operation(name, raw) for name, raw in document["operations"].items()},
        shapes={name: _shape(name, raw) for name, raw in document["shapes"].items()},
        version=metadata.get("apiVersion", ""),
        namespace=metadata.get("xmlNamespace", ""),
    )


def _operation(name: str, raw: Mapping[str, Any]) -> Operation:
    http = raw["http"]
    return Operation(
        name=name,
        method=http["method"],
        path=http["requestUri"],
        status=http.get("responseCode", 200),
        input=raw.get("input", {}).get("shape"),
        output=raw.get("output", {}).get("shape"),
        wrapper=raw.get("output", {}).get("resultWrapper"),
    )


def _shape(name: str, raw: Mapping[str, Any]) -> Shape:  # noqa: PLR0911  (one line a kind reads best)
    bounds = Bounds(raw.get("min"), raw.get("max"))
    sensitive = bool(raw.get("sensitive"))
    match raw["type"]:
        case "string" | "character":
            pattern = JavaPattern(raw["pattern"]) if "pattern" in raw else None
            return String(name, bounds, pattern, tuple(raw.get("enum", ())), sensitive)
        case "integer" | "long" | "float" | "double" as kind:
            return Number(name, kind, bounds, sensitive)
        case "boolean":
            return Boolean(name, sensitive)
        case "timestamp":
            return Timestamp(name, sensitive)
        case "blob":
            return Blob(name, bounds, sensitive)
        case "list":
            element = raw["member"].get("locationName")
            return List(name, raw["member"]["shape"], bounds, sensitive, element, bool(raw.get("flattened")))
        case "map":
            names = (raw["key"].get("locationName", "key"), raw["value"].get("locationName", "value"))
            key, value = raw["key"]["shape"], raw["value"]["shape"]
            return Map(name, key, value, bounds, sensitive, *names, flattened=bool(raw.get("flattened")))
        case "structure" if raw.get("document"):
            return Document(name, sensitive)
        case "structure":
            required = frozenset(raw.get("required", ()))
            members = tuple(_member(key, value, key in required) for key, value in raw["members"].items())
            return Structure(name, members, _status(raw), sensitive, raw.get("error", {}).get("code", name))
        case unknown:
            raise ValueError(f"cannot read shape {name}: its type {unknown!r} is unknown")


def _member(name: str, raw: Mapping[str, Any], required: bool) -> Member:
    return Member(name, raw["shape"], raw.get("location", "body"), raw.get("locationName", name), required)


def _status(raw: Mapping[str, Any]) -> int | None:
    if not raw.get("exception"):
        return None
    status = raw.get("error", {}).get("httpStatusCode", 500 if raw.get("fault") else 400)
    return int(status)
