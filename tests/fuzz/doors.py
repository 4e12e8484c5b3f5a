"""The doors: every place where bytes or text from outside are decoded, what it may raise, and how it is tried.

`DOORS` is the inventory; its tables, one a kind of input, stand in `*_doors.py`. Each row opens one decoder as the
program does: bytes as they come from outside (texts in UTF-8, as on the wire; a message a line where a door takes
many), and what must hold of what it gives. `test_doors.py` offers it mutations of its seeds, `big_inputs.py` very large
ones, `scripts/fuzz.py` what coverage guides to. `decoders` are the functions that stand behind it: a test finds every
function of the package that decodes, and fails for one that stands in no row.

What comes in by a socket (frames, handshakes, order of messages) is tried on real servers: `test_server_fuzz.py`,
`test_client_fuzz.py`, `tests/server/test_hostile_bytes.py`.
"""

from __future__ import annotations

import audio_doors
import file_doors
import message_doors
import migration_doors
import parameter_doors
import token_doors

DOORS = (
    *message_doors.DOORS,
    *parameter_doors.DOORS,
    *token_doors.DOORS,
    *audio_doors.DOORS,
    *file_doors.DOORS,
    *migration_doors.DOORS,
)
"""Every door."""

NOT_FROM_OUTSIDE = {
    "tympan.client.proxies:http_proxies": "an address that was checked by then",
    "tympan.server.outbound.language_model:_completions_url": "an address that the settings have checked",
    "tympan.server.outbound.poster:Poster.post": "an address that was checked by then",
    "tympan.server.outbound.poster:Poster._open_pool": "the machine's own authorities",
    "tympan.engines.moonshine.cache:_problem": "written by ourselves, checked by checksum, made again when damaged",
    "tympan.engines.moonshine.precision:best_precision": "/proc/cpuinfo",
    "tympan.engines.wheel_model:WheelModel.read": "nothing is decoded before its checksum is right",
    "tympan.engines.wheel_pull:_take_out": "nothing is decoded before its checksum is right",
    "tympan.migrate.probe.speech:_read_text": "a text, taken as it is",
}
"""Functions that read, and why they are no doors."""
