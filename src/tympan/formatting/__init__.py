"""How words are written. PURE; may import `core` only."""
