"""Scripts: what a test double says, when, and what goes wrong. PURE: standard library, `core` and `wire` only."""
