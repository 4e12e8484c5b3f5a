"""The reference of the bridge, written from the tables beside the code that obeys them. PURE; `render` returns
Markdown."""

from __future__ import annotations

from tympan.wire.bridge import CLIENT_ROWS, NO_COUNTERPART, SERVER_ROWS
from tympan.wire.bridge_parameters import PARAMETER_ROWS
from tympan.wire.close_codes import BRIDGE_OTHERWISE, BRIDGE_RULES, BRIDGE_UNREACHABLE, BridgeRule
from tympan.wire.reference import NOTICE, table

_INTRODUCTION = """\
# Bridge reference: v2 to v3

What `tympan bridge` makes of a v2 client's words for a v3 service, and of the service's words for the client. How to
run it: [the bridge](../howto/bridge.md). The two protocols: [v2](protocol-v2.md), [v3](protocol.md).

"""

_CODES_NOTE = """\
What the bridge itself refuses (a wrong key of its own, a bad parameter or message, too many sessions) has the codes of
the [v2 reference](protocol-v2.md). A session that had begun is told `SessionTerminated` before the close. A connection
that is lost is no end: the bridge reconnects and goes on; only when that fails the session ends.

"""


_ALL_RULES = (*BRIDGE_RULES, BRIDGE_UNREACHABLE, BRIDGE_OTHERWISE)


def render() -> str:
    """The whole page."""
    parts = [
        NOTICE,
        _INTRODUCTION,
        "## Parameters\n\n",
        table(("v2", "v3", "How"), PARAMETER_ROWS),
        "## Messages of the client\n\n",
        table(("v2", "v3", "How"), CLIENT_ROWS),
        "## Messages of the service\n\n",
        table(("v3", "v2", "How"), SERVER_ROWS),
        "## Without a counterpart\n\n",
        table(("v3", "What becomes of it"), ((_codes(what), how) for what, how in NO_COUNTERPART.items())),
        "## Ends\n\n",
        _CODES_NOTE,
        table(
            ("v3", "Its text holds", "v2", "Text"),
            map(_code_row, (*BRIDGE_RULES, BRIDGE_UNREACHABLE, BRIDGE_OTHERWISE)),
        ),
    ]
    return "".join(parts).rstrip() + "\n"


def _code_row(rule: BridgeRule) -> tuple[str, ...]:
    upstream = {BRIDGE_OTHERWISE: "any other", BRIDGE_UNREACHABLE: "no connection, and none to be had"}
    return upstream.get(rule, str(rule.upstream_code)), rule.holds, str(rule.code), rule.text.replace("{}", "…")


def _codes(names: str) -> str:
    return names if " upstream" in names else ", ".join(f"`{name}`" for name in names.split(", "))
