"""Audio files of every kind → mono PCM16; every kind of bad file → one clear line."""

from __future__ import annotations

import struct
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tympan.client.sources import Pacing, open_audio, pcm_chunks
from tympan.core.errors import MediaError
from tympan.core.units import Monotonic


def stereo(sample_rate_hz: int = 48_000, seconds: float = 1.0) -> NDArray[np.float32]:
    """A 440 Hz tone, left twice as loud as right: the average is three quarters of the left."""
    left = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(sample_rate_hz * seconds)) / sample_rate_hz)
    return np.stack([left, left / 2], axis=1).astype(np.float32)


def read(path: Path) -> NDArray[np.int16]:
    with open_audio(path) as audio:
        return np.frombuffer(b"".join(pcm_chunks(audio)), dtype="<i2")


def failure(path: Path) -> str:
    with pytest.raises(MediaError) as raised:
        read(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


FORMATS = [
    ("WAV", "PCM_16"),
    ("WAV", "PCM_U8"),
    ("WAV", "PCM_24"),
    ("WAV", "FLOAT"),
    ("WAV", "ULAW"),
    ("WAVEX", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
    ("AIFF", "PCM_16"),
]


@pytest.mark.parametrize(("kind", "subtype"), FORMATS)
def test_a_file_of_any_format_becomes_the_mono_average_of_its_channels(tmp_path: Path, kind: str, subtype: str) -> None:
    path = tmp_path / "audio"
    soundfile.write(path, stereo(), 48_000, format=kind, subtype=subtype)

    samples = read(path)

    level = np.sqrt(np.mean((samples[10_000:40_000] / 32_768) ** 2))
    assert abs(len(samples) - 48_000) <= 100
    assert level == pytest.approx(0.375 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("sample_rate_hz", [4_000, 8_000, 11_025, 44_100, 192_000])
def test_a_file_keeps_its_sample_rate(tmp_path: Path, sample_rate_hz: int) -> None:
    path = tmp_path / "audio.wav"
    soundfile.write(path, stereo(sample_rate_hz), sample_rate_hz)

    with open_audio(path) as audio:
        assert (audio.sample_rate_hz, audio.frame_count) == (sample_rate_hz, sample_rate_hz)


@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_any_number_of_channels_is_averaged_the_same_by_both_readers(tmp_path: Path, channels: int) -> None:
    frames = np.random.default_rng(channels).integers(-32_768, 32_768, (1_000, channels)).astype(np.int16)
    for kind in ("WAV", "FLAC"):
        soundfile.write(tmp_path / kind, frames, 16_000, format=kind)

    by_wave, by_libsndfile = read(tmp_path / "WAV"), read(tmp_path / "FLAC")

    assert np.array_equal(by_wave, frames.sum(axis=1) // channels)
    assert np.max(np.abs(by_wave.astype(int) - by_libsndfile)) <= 1


def test_16_bit_flac_is_read_to_the_sample(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(-32_768, 32_768, 5_000).astype(np.int16)
    soundfile.write(tmp_path / "a.flac", samples, 16_000)

    assert np.array_equal(read(tmp_path / "a.flac"), samples)


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "MAT5"])
def test_floats_that_no_sound_has_are_read_without_a_word_on_the_terminal(tmp_path: Path, kind: str) -> None:
    """Warnings are errors here."""
    huge, infinite, none = 3e38, float("inf"), float("nan")
    frames = [(huge, huge), (-huge, -huge), (infinite, infinite), (infinite, -infinite), (none, none), (none, 0.5)]
    path = tmp_path / "a"
    samples = np.array(frames, np.float32)
    samples.view(np.uint32)[4, 1] = 0x7F800001  # a signalling one
    soundfile.write(path, samples, 16_000, format=kind, subtype="FLOAT")

    assert read(path).tolist() == [32_767, -32_768, 32_767, 0, 0, 8_192]


def test_a_float_file_beyond_full_scale_is_clipped(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([2.0, -2.0]), 16_000, subtype="FLOAT")

    assert read(tmp_path / "a.wav").tolist() == [32_767, -32_768]


@pytest.mark.parametrize(("sample_rate_hz", "frames"), [(16_000, 800), (44_100, 2_205), (11_025, 551)])
def test_a_chunk_is_50_ms(tmp_path: Path, sample_rate_hz: int, frames: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, stereo(sample_rate_hz)[:, 0], sample_rate_hz)

    with open_audio(path) as audio:
        sizes = [len(chunk) // 2 for chunk in pcm_chunks(audio)]

    assert set(sizes[:-1]) == {frames}
    assert sum(sizes) == sample_rate_hz


@pytest.mark.parametrize("declared", [0, 0xFFFF_FFFF])
def test_a_wav_file_from_a_pipe_is_read_to_its_end(tmp_path: Path, declared: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, stereo()[:, 0], 16_000, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    position = content.index(b"data") + 4
    content[position : position + 4] = struct.pack("<I", declared)
    path.write_bytes(content)

    if declared:
        assert len(read(path)) == 48_000
    else:
        assert "holds no audio" in failure(path)


def test_an_odd_byte_at_the_end_of_a_wav_file_is_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.ones((100, 2)) / 2, 16_000, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    position = content.index(b"data") + 4
    content[position : position + 4] = struct.pack("<I", 399)
    path.write_bytes(content[:-1])

    assert len(read(path)) == 99


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "no such file" in failure(tmp_path / "nowhere.wav")


def test_a_directory_is_no_audio_file(tmp_path: Path) -> None:
    assert "this is a directory" in failure(tmp_path)


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()

    assert "the file is empty" in failure(tmp_path / "empty.wav")


@pytest.mark.parametrize("content", [b"hello, this is no audio\n" * 50, bytes(5_000), b"x", b"\xff\xfb" * 2_000])
def test_something_else_is_no_audio(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.mp3"
    path.write_bytes(content)

    assert failure(path).endswith("notes.mp3: no audio that can be read; expected WAV, FLAC, OGG or MP3")


def test_a_wav_file_without_a_sample_holds_no_audio(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as writer:
        writer.setparams((1, 2, 16_000, 0, "NONE", ""))

    assert "holds no audio" in failure(tmp_path / "a.wav")


def cut(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


@pytest.mark.parametrize(("kind", "subtype"), [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAVEX", "PCM_24")])
def test_a_wav_file_that_is_cut_short_is_refused_at_once(tmp_path: Path, kind: str, subtype: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, stereo(), 48_000, format=kind, subtype=subtype)
    cut(path, 0.5)

    with pytest.raises(MediaError, match="cut short"), open_audio(path):
        pass


@pytest.mark.parametrize("keep", [0.6, 0.01])
@pytest.mark.parametrize("kind", ["FLAC", "MP3"])
def test_a_compressed_file_that_is_cut_short_is_refused(tmp_path: Path, kind: str, keep: float) -> None:
    path = tmp_path / "a"
    soundfile.write(path, stereo(seconds=4), 48_000, format=kind)
    cut(path, keep)

    failure(path)


@pytest.mark.parametrize("keep", range(1, 44))
def test_a_header_that_ends_anywhere_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, stereo(), 48_000, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:keep])

    failure(path)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused_with_one_line(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.wav"
    path.write_bytes(b"RIFF\x00\x00\x00\x00WAVE" + content)

    failure(path)


def test_16_bit_wav_needs_neither_numpy_nor_soundfile(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, stereo(), 48_000, subtype="PCM_16")
    script = f"""
import sys
sys.modules["numpy"] = sys.modules["soundfile"] = None
from pathlib import Path
from tympan.client.sources import open_audio, pcm_chunks
with open_audio(Path({str(path)!r})) as audio:
    print(sum(map(len, pcm_chunks(audio))))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert result.stdout == "96000\n"


def test_without_soundfile_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, stereo(), 48_000)
    monkeypatch.setitem(sys.modules, "soundfile", None)

    assert 'pip install "tympan[media]"' in failure(path)


def test_a_chunk_is_due_when_its_last_sample_would_have_been_recorded() -> None:
    pacing = Pacing(Monotonic(100.0))

    assert pacing.delay_s(50, Monotonic(100.0)) == pytest.approx(0.05)
    assert pacing.delay_s(100, Monotonic(100.06)) == pytest.approx(0.04)


def test_a_late_chunk_is_due_at_once_and_the_pace_is_kept() -> None:
    pacing = Pacing(Monotonic(100.0))

    assert pacing.delay_s(50, Monotonic(100.3)) == 0
    assert pacing.delay_s(500, Monotonic(100.3)) == pytest.approx(0.2)


def test_a_head_start_and_a_speed_send_sooner_but_not_at_once() -> None:
    pacing = Pacing(Monotonic(100.0), speed=4.0, head_start_ms=60_000)

    assert pacing.delay_s(60_000, Monotonic(100.0)) == 0
    assert pacing.delay_s(68_000, Monotonic(100.0)) == pytest.approx(2.0)


@pytest.mark.parametrize(("kind", "subtype"), FORMATS)
def test_reading_in_chunks_gives_what_reading_at_once_gives(tmp_path: Path, kind: str, subtype: str) -> None:
    path = tmp_path / "audio"
    soundfile.write(path, stereo(), 48_000, format=kind, subtype=subtype)

    at_once, _ = soundfile.read(path, dtype="float32", always_2d=True)

    assert np.max(np.abs(read(path) / 32_768 - at_once.mean(axis=1))) <= 1 / 32_768
