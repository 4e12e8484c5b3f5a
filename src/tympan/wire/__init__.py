"""The wire: text messages and query strings ↔ core. PURE; may import `core` only."""
