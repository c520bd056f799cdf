"""From a spec to exact things: classes, versions, requirements, settings, processes. Pure; data files beside it."""
