"""Backends: each spells the primitives in one language; nothing outside names one."""
