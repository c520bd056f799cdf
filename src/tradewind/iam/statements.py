"""One statement of a policy: what it is about, and whether it applies to a request.

A statement applies when its actions, its resources, its principals (trust policies only) and all its conditions do.
A resource with a variable that has no value does not match; under NotResource that would widen an Allow, so there
the statement does not apply.
"""

from dataclasses import dataclass
from enum import StrEnum

from tradewind.iam.conditions import Condition
from tradewind.iam.contexts import Context
from tradewind.iam.patterns import Pattern
from tradewind.iam.variables import Template


class Effect(StrEnum):
    """What a statement does."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True)
class Actions:
    """Action or NotAction: names and patterns in small letters, since actions are compared without regard to case."""

    names: frozenset[str]
    patterns: tuple[Pattern, ...]
    is_negated: bool = False

    def apply(self, action: str) -> bool:
        """Whether an action, in small letters, is meant."""
        listed = action in self.names or any(pattern.fits(action) for pattern in self.patterns)
        return listed is not self.is_negated


@dataclass(frozen=True)
class Resources:
    """Resource or NotResource."""

    templates: tuple[Template, ...]
    is_negated: bool = False

    def apply(self, resource: str, context: Context, *, unknown: bool) -> bool:
        """Whether a resource is meant; `unknown` is what NotResource gives when a variable has no value."""
        is_known = True
        for templated in self.templates:
            pattern = templated.resolve(context)
            if pattern is None:
                is_known = False
            elif pattern.fits(resource):
                return not self.is_negated
        return self.is_negated and (is_known or unknown)


@dataclass(frozen=True)
class Trusted:
    """Principal or NotPrincipal of a trust policy: pairs of a type (`AWS`, `Service`, `Federated`) and a value."""

    entries: tuple[tuple[str, str], ...]
    is_negated: bool = False


@dataclass(frozen=True)
class Statement:
    """`index` is its place in the document, from 0. `resources` is None in a trust policy, `trusted` elsewhere."""

    index: int
    sid: str
    effect: Effect
    actions: Actions
    resources: Resources | None
    trusted: Trusted | None
    conditions: tuple[Condition, ...]

    def applies(self, action: str, resource: str, context: Context) -> bool:
        """Whether it says something of this request. `action` in small letters; principals are not looked at."""
        unknown = self.effect is Effect.DENY
        return (
            self.actions.apply(action)
            and (self.resources is None or self.resources.apply(resource, context, unknown=unknown))
            and all(condition.holds(context, unknown=unknown) for condition in self.conditions)
        )

    def keys(self) -> dict[str, str]:
        """The condition keys that it asks for, also as variables: in small letters to as they were written."""
        templates = () if self.resources is None else self.resources.templates
        found = dict(pair for templated in templates for pair in templated.keys)
        for condition in self.conditions:
            found.update(condition.keys())
        return found
