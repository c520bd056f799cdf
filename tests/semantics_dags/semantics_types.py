"""Types of XComs, in a module of the bundle: a class that a DAG file itself defines has a name that changes."""

import dataclasses
from typing import ClassVar

import attrs
import pydantic


@dataclasses.dataclass
class Place:
    name: str
    number: int


@attrs.define
class Spot:
    name: str


class Model(pydantic.BaseModel):
    name: str


class Own:
    """With Airflow's own protocol."""

    __version__: ClassVar[int] = 1

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return isinstance(other, Own) and other.value == self.value

    __hash__ = None

    def serialize(self):
        return {"value": self.value}

    @staticmethod
    def deserialize(data, version):
        return Own(data["value"])
