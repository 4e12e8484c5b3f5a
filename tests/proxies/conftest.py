"""Fixtures of the server behind a proxy."""

from __future__ import annotations

from shared_service import service, shared_service

__all__ = ["service", "shared_service"]
