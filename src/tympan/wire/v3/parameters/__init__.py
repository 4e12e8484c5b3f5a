"""The table of v3 connection parameters. PURE: standard library and `core` only.

One row a parameter; parsing, `UpdateConfiguration`, the protocol reference and the compatibility report all come
from it. Every value is checked, also where it has no effect.
"""

from __future__ import annotations

from typing import Any

from tympan.wire.parameter import Parameter
from tympan.wire.v3.parameters import connection, features, turns

PARAMETERS: tuple[Parameter[Any], ...] = (*connection.ROWS, *turns.ROWS, *features.ROWS)
