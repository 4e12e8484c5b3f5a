"""What the commands' exit codes mean: the only place that knows the numbers."""

from __future__ import annotations

from enum import IntEnum

from tympan.cli.errors import MissingExtra, OutputError
from tympan.client.errors import AudioDeviceError, AuthError, BufferFull, NetworkError, RequestError, ServerError
from tympan.core.errors import DownloadError, EngineError, MediaError, ModelError, SettingsError, TympanError


class ExitCode(IntEnum):
    """Documented in `tympan --help`; a number never changes its meaning."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    MEDIA = 3
    OUTPUT = 4
    NETWORK = 5
    AUTH = 6
    REFUSED = 7
    SERVER = 8
    MODEL = 9
    ENGINE = 10
    SETTINGS = 11
    MISSING_EXTRA = 12
    AUDIO_DEVICE = 13
    CHECK_FAILED = 15
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.FAILURE: "failed for a reason that no other code names; migrate: there are findings",
    ExitCode.USAGE: "an unknown command, a wrong option or a wrong value",
    ExitCode.MEDIA: "an audio file can't be read",
    ExitCode.OUTPUT: "the output can't be written",
    ExitCode.NETWORK: "no connection, or it was lost",
    ExitCode.AUTH: "the server doesn't accept the key",
    ExitCode.REFUSED: "the server refuses a parameter or the audio",
    ExitCode.SERVER: "the server is full, failed, or ended the session",
    ExitCode.MODEL: "model files are missing, damaged or unknown",
    ExitCode.ENGINE: "the engine failed",
    ExitCode.SETTINGS: "a setting has a value that can't be used",
    ExitCode.MISSING_EXTRA: "the command needs packages that aren't installed",
    ExitCode.AUDIO_DEVICE: "there is no microphone that can be used, or it failed",
    ExitCode.CHECK_FAILED: "a check of 'tympan probe' failed",
    ExitCode.INTERRUPTED: "interrupted by Ctrl+C",
}

_CODES: tuple[tuple[type[TympanError], ExitCode], ...] = (
    (MediaError, ExitCode.MEDIA),
    (OutputError, ExitCode.OUTPUT),
    (NetworkError, ExitCode.NETWORK),
    (DownloadError, ExitCode.NETWORK),
    (BufferFull, ExitCode.NETWORK),
    (AuthError, ExitCode.AUTH),
    (RequestError, ExitCode.REFUSED),
    (ServerError, ExitCode.SERVER),
    (ModelError, ExitCode.MODEL),
    (EngineError, ExitCode.ENGINE),
    (SettingsError, ExitCode.SETTINGS),
    (MissingExtra, ExitCode.MISSING_EXTRA),
    (AudioDeviceError, ExitCode.AUDIO_DEVICE),
)


def exit_code_of(error: TympanError) -> ExitCode:
    """The code that a command ends with because of this error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.FAILURE)
