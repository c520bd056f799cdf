"""Random values of the shapes that IAM and STS have, drawn from botocore's own view of their models."""

from datetime import UTC, datetime

from botocore.loaders import Loader
from botocore.model import ServiceModel
from hypothesis import strategies as st

MODELS = {name: ServiceModel(Loader().load_service_model(name, "service-2"), name) for name in ("iam", "sts")}
OPERATIONS = [(name, operation) for name, model in MODELS.items() for operation in model.operation_names]
# All that XML 1.0 can hold; forms can hold more.
SPEAKABLE = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
TEXT = st.text(SPEAKABLE | st.sampled_from("\t\n\r&<>\"'%+=. "), max_size=12)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def values(shape):  # noqa: PLR0911
    """Values of the shape's types. Inner structures and maps are not empty: a form cannot show those."""
    match shape.type_name:
        case "structure":
            members = {name: values(member) for name, member in shape.members.items()}
            required = {name: members.pop(name) for name in shape.required_members}
            return st.fixed_dictionaries(required, optional=members)
        case "list":
            return st.lists(values(shape.member).filter(lambda item: item != {}), max_size=3)
        case "map":
            return st.dictionaries(values(shape.key), values(shape.value), min_size=1, max_size=3)
        case "string":
            return TEXT
        case "integer":
            return st.integers(-(2**31), 2**31 - 1)
        case "boolean":
            return st.booleans()
        case "timestamp":
            return MOMENTS
        case "blob":
            return st.binary(max_size=20)
    raise AssertionError(shape)


def seen(value):
    """The value without what a form cannot show: structures with nothing in them."""
    if isinstance(value, dict):
        return {key: seen(item) for key, item in value.items() if item != {}}
    return value
