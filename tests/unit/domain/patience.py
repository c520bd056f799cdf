"""Settings of property tests: they judge answers, not how busy the machine is."""

from typing import Any

from hypothesis import HealthCheck

PATIENT: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
