"""Operations of IAM and STS called past the door, with botocore's models as judges of what goes in and out."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from tradewind.api.callers import Caller
from tradewind.api.calls import Call

_SESSION = botocore.session.get_session()
MODELS = {name: _SESSION.get_service_model(name) for name in ("iam", "sts")}
_TYPES = {"string": str, "integer": int, "long": int, "boolean": bool, "timestamp": datetime}


def perform(
    operations: Mapping[str, Any], services: Any, operation: str, caller: Caller, parameters: dict[str, Any]
) -> Any:
    """The result of a call. Raises WireError."""
    (described,) = (model.operation_model(operation) for model in MODELS.values() if operation in model.operation_names)
    if described.input_shape is not None:
        problems = ParamValidator().validate(parameters, described.input_shape)
        assert not problems.has_errors(), problems.generate_report()
    result = operations[operation](services, Call(operation, caller, parameters, str(uuid.uuid4()))).result
    conform(described.output_shape, result, operation)
    return result


def conform(shape: Any, value: Any, where: str) -> None:
    """Whether an answer has the members of the model, those that are required and no other, of their types."""
    if shape is None:
        assert value == {}, where
        return
    match shape.type_name:
        case "structure":
            assert set(value) <= set(shape.members), (where, set(value) - set(shape.members))
            assert set(shape.required_members) <= set(value), (where, set(shape.required_members) - set(value))
            for name, item in value.items():
                conform(shape.members[name], item, f"{where}.{name}")
        case "list":
            for item in value:
                conform(shape.member, item, f"{where}[]")
        case "map":
            for item in value.values():
                conform(shape.value, item, f"{where}{{}}")
        case plain:
            assert type(value) is _TYPES[plain], where
