"""TM050: the address in files of settings."""

from __future__ import annotations

from collections.abc import Iterator

from tympan.migrate.document import Edit
from tympan.migrate.matching.settings_text import Address, SettingsDocument, addresses
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_RENAMED = {"word_boost": "keyterms_prompt", "end_utterance_silence_threshold": "max_turn_silence"}
_TRUE = frozenset({"true", "1", "yes"})


class SettingsAddress(Rule[SettingsDocument]):
    """Addresses of the old protocol in settings."""

    code = "TM050"
    title = "The address in settings"
    what = (
        "Finds the old addresses in `.env`, YAML, TOML, JSON and INI files, outside of comments, and writes the new "
        "ones, with the parameters of v3. An address without parameters gets none: the program that reads it adds "
        "them. The address for tokens is changed with `--unsafe` only, since the call itself has changed as well, and "
        "stands in the program. On another host than the vendor's, what serves there is not known."
    )
    why = "The old addresses answer 410: nothing can connect."
    applicability = Applicability.SAFE
    document_type = SettingsDocument
    file_name = "settings.yaml"
    valid = (
        Valid("url: wss://streaming.assemblyai.com/v3/ws?sample_rate=16000\n"),
        Valid("url: https://api.assemblyai.com/v2/transcript\n", "batch transcription stays where it is"),
        Valid("# it was wss://api.assemblyai.com/v2/realtime/ws\nport: 80\n", "a comment"),
    )
    invalid = (
        Invalid(
            "url: wss://api.assemblyai.com/v2/realtime/ws   # real-time\n",
            "url: wss://streaming.assemblyai.com/v3/ws   # real-time\n",
        ),
        Invalid(
            'url: "wss://api.assemblyai.com/v2/realtime/ws?sample_rate=8000&disable_partial_transcripts=true"\n',
            'url: "wss://streaming.assemblyai.com/v3/ws?sample_rate=8000&include_partial_turns=false&format_turns=true"\n',
        ),
        Invalid("host: wss://api.assemblyai.com\n", "host: wss://streaming.assemblyai.com\n", about="no path"),
        Invalid(
            "token: https://api.assemblyai.com/v2/realtime/token\n",
            "token: https://streaming.assemblyai.com/v3/token\n",
            is_unsafe=True,
        ),
        Invalid("url: ws://speech.example.com/v2/realtime/ws\n", None, about="another host"),
    )

    def check(self, document: SettingsDocument, target: Target) -> Iterator[Finding]:
        for address in addresses(document):
            if not address.is_v2:
                continue
            message = "an address of the old protocol"
            if not address.is_vendor:
                advice = "Give the address of a v3 service; what this host serves isn't known here."
                yield self.by_hand(address.span, message, advice)
                continue
            new = _moved(address, target)
            is_token = address.path.endswith("/token")
            advice = f"Connect to {new}."
            if is_token:
                advice = f"Ask {new} with GET and expires_in_seconds of 1 to 600; see to the program that does."
            yield self.fixable(address.span, message, advice, [Edit(address.span, new)], is_safe=not is_token)


def _moved(address: Address, target: Target) -> str:
    host = target.socket if address.is_socket else target.http
    if target == Target() and ".eu." in address.host:
        host = host.replace("streaming.", "streaming.eu.")
    path = {"/v2/realtime/ws": "/v3/ws", "/v2/realtime/token": "/v3/token"}.get(address.path, address.path)
    return f"{host}{path}{_query(address.query) if path.endswith('/ws') else ''}"


def _query(query: str) -> str:
    """The parameters of v3 for those of v2; formatted finals are asked for, as v2 sent them."""
    if not query:
        return ""
    parts = [part for old in query.split("&") for part in _parameter(*old.partition("="))]
    if not any(part.startswith("format_turns=") for part in parts):
        parts.append("format_turns=true")
    return "?" + "&".join(parts)


def _parameter(name: str, sign: str, value: str) -> Iterator[str]:
    if name == "disable_partial_transcripts":
        if value.lower() in _TRUE:
            yield "include_partial_turns=false"
    elif name != "enable_extra_session_information":
        yield f"{_RENAMED.get(name, name)}{sign}{value}"
