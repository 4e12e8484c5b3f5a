"""Where a setting comes from, which source wins, and what a bad one says."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tympan.core.config import FormattedSource
from tympan.core.errors import SettingsError
from tympan.runtime.key_limits import KeyLimits
from tympan.server.settings import load_settings, server_config


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    path = tmp_path / "tympan.toml"
    path.write_text('port = 1\nmax_sessions = 1\nworkers = 1\napi_keys = ["filed"]\n')
    return path


def test_flags_win_over_the_environment_and_that_over_the_file(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TYMPAN_PORT", "2")
    monkeypatch.setenv("TYMPAN_MAX_SESSIONS", "2")
    settings = load_settings({"port": 3}, config_file)
    assert (settings.port, settings.max_sessions, settings.workers) == (3, 2, 1)
    assert settings.host == "127.0.0.1"


def test_the_environment_may_name_the_file(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TYMPAN_CONFIG", str(config_file))
    assert load_settings({}).api_keys == ("filed",)


def test_keys_in_the_environment_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TYMPAN_API_KEYS", "one, two,")
    assert load_settings({}).api_keys == ("one", "two")


@pytest.mark.parametrize(
    ("flags", "environment", "filed", "expected"),
    [
        ({"port": -1}, {}, "", "setting 'port' (on the command line): "),
        ({}, {"TYMPAN_PORT": "many"}, "", "setting 'port' (in the environment, TYMPAN_PORT): "),
        ({}, {}, "port = 70000", "setting 'port' (in FILE): "),
        ({}, {}, "prot = 1", "there is no setting 'prot' (in FILE)"),
        ({}, {}, "vad_threshold = 1.5", "setting 'vad_threshold' (in FILE): "),
        ({"max_sessions_per_key": 0}, {}, "", "setting 'max_sessions_per_key' (on the command line): "),
        ({}, {}, "max_new_sessions_per_minute = 0", "setting 'max_new_sessions_per_minute' (in FILE): "),
        ({}, {}, "api_keys = [3]", "setting 'api_keys' (in FILE): "),
        ({}, {}, "not toml", "the configuration file FILE is no TOML: "),
        ({}, {"TYMPAN_LOG_LEVEL": "loud"}, "", "setting 'log_level' (in the environment, TYMPAN_LOG_LEVEL): "),
    ],
)
def test_a_bad_setting_is_one_line_with_its_name_and_source(
    config_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: dict[str, Any],
    environment: dict[str, str],
    filed: str,
    expected: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    config_file.write_text(filed)
    with pytest.raises(SettingsError) as wrong:
        load_settings(flags, config_file)
    line = str(wrong.value)
    assert line.startswith(expected.replace("FILE", str(config_file)))
    assert "\n" not in line


def test_a_bad_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TYMPAN_TOKEN_SECRET", "too-short")
    with pytest.raises(SettingsError) as wrong:
        load_settings({})
    assert "too-short" not in str(wrong.value)


def test_what_comes_out_holds_every_default_and_shows_no_secret() -> None:
    settings = load_settings({"api_keys": ("a-secret-key",)})
    config = server_config(settings)
    turn, limits = config.session.turn, config.session.limits
    assert (turn.confidence_threshold, turn.min_silence_ms, turn.max_silence_ms) == (0.4, 400, 1280)
    assert (limits.max_duration_s, limits.max_backlog_ms, limits.max_chunk_ms) == (10_800, 300_000, 10_000)
    assert not limits.is_strict
    assert config.session.output.formatted_source is FormattedSource.FULL_DECODE
    assert config.max_sessions == 8 * config.engine.workers
    assert config.key_limits == KeyLimits(max_sessions=None, max_new_per_minute=None)
    assert "a-secret-key" not in repr(config) + repr(settings)
    assert settings.token_secret not in repr(config) + repr(settings)


def test_limits_of_keys_come_from_any_source(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.write_text("max_sessions_per_key = 3")
    monkeypatch.setenv("TYMPAN_MAX_NEW_SESSIONS_PER_MINUTE", "5")
    assert server_config(load_settings({}, config_file)).key_limits == KeyLimits(3, 5)


def test_a_token_secret_is_random_at_each_start() -> None:
    assert load_settings({}).token_secret != load_settings({}).token_secret


@pytest.mark.parametrize(
    ("flags", "environment", "filed"),
    [
        ({"smart_turn": "pulled"}, "", ""),
        ({}, "pulled", ""),
        ({}, "", 'smart_turn = "pulled"'),
    ],
)
def test_the_second_model_for_the_end_of_turns_is_an_option_of_the_engine(
    config_file: Path, monkeypatch: pytest.MonkeyPatch, flags: dict[str, Any], environment: str, filed: str
) -> None:
    if environment:
        monkeypatch.setenv("TYMPAN_SMART_TURN", environment)
    config_file.write_text(filed)
    assert server_config(load_settings(flags, config_file)).engine.options == {"smart_turn": "pulled"}


def test_without_a_second_model_the_engine_has_no_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TYMPAN_SMART_TURN", raising=False)
    assert server_config(load_settings({})).engine.options == {}


def test_a_script_is_the_model_of_the_engine_that_plays_it() -> None:
    for flags in ({"script": "talk.toml"}, {"script": "talk.toml", "engine": "scripted"}):
        engine = server_config(load_settings(flags)).engine
        assert (engine.engine, engine.model) == ("scripted", "talk.toml")


@pytest.mark.parametrize("other", [{"engine": "moonshine"}, {"engine": "scripted", "model": "other.toml"}])
def test_no_other_engine_plays_a_script(other: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="script: only the engine 'scripted' plays one"):
        server_config(load_settings({"script": "talk.toml", **other}))


SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def test_what_is_asked_of_others_has_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TYMPAN_WEBHOOK_NETWORKS", "127.0.0.1, 10.0.0.0/8,fd00::/8")
    monkeypatch.setenv("TYMPAN_LLM_GATEWAY_KEY", "a-secret-key \n")  # as a file of secrets holds it
    filed = {"webhook_secret": SECRET, "llm_gateway_url": "http://127.0.0.1:11434/v1", "llm_gateway_timeout_s": 5}
    config = server_config(load_settings(filed))
    outbound = config.outbound
    assert [str(network) for network in outbound.networks] == ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]
    assert outbound.webhook_key == bytes(range(32))
    assert (outbound.llm_url, outbound.llm_key) == ("http://127.0.0.1:11434/v1", "a-secret-key")
    assert outbound.llm_timeout_s == 5
    assert "a-secret-key" not in repr(config)
    assert repr(outbound.webhook_key) not in repr(config)


def test_by_default_webhooks_reach_the_public_internet_and_no_model_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    outbound = server_config(load_settings({})).outbound
    assert outbound.has_webhooks
    assert (outbound.networks, outbound.webhook_key, outbound.llm_url) == ((), b"", None)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"webhook_secret": "hush"}, "webhook_secret: expected 'whsec_' and 24 to 64 bytes in base64"),
        ({"webhook_networks": ("10.0.0.1/8",)}, "webhook_networks: expected an address or ADDRESS/BITS; 10.0.0.1/8"),
        ({"webhook_networks": ("here",)}, "webhook_networks: expected an address or ADDRESS/BITS; 'here'"),
        ({"llm_gateway_url": "localhost:11434"}, "llm_gateway_url: expected an address that begins with https://"),
        ({"llm_gateway_url": "https://me:pw@example.com"}, "llm_gateway_url: must hold no credential"),
        ({"llm_gateway_key": "line\nbreak"}, "llm_gateway_key: holds characters that no key has"),
    ],
)
def test_what_nobody_can_be_asked_with_is_refused_at_the_start(flags: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        server_config(load_settings(flags))
    assert str(wrong.value).startswith(told)
    assert "hush" not in str(wrong.value)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (
            {"llm_gateway_key": "a-secret-key"},
            "llm_gateway_key: has no effect where there is no llm_gateway_url; give llm_gateway_url too, "
            "or leave llm_gateway_key out",
        ),
        ({"llm_gateway_timeout_s": 30}, "llm_gateway_timeout_s: has no effect where there is no llm_gateway_url; "),
        (
            {"llm_gateway_key": "a-secret-key", "llm_gateway_url": ""},
            "llm_gateway_key: has no effect where there is no ",
        ),
        (
            {"webhook_secret": SECRET, "webhooks": False},
            "webhook_secret: has no effect where webhooks is false; set webhooks to true, or leave webhook_secret out",
        ),
        (
            {"webhook_networks": "127.0.0.1", "webhooks": False},
            "webhook_networks: has no effect where webhooks is false; ",
        ),
        (
            {"single_use_tokens": True, "no_auth": True},
            "single_use_tokens: has no effect where no_auth lets everybody ",
        ),
        ({"tls_key": "key.pem"}, "tls_key: a key alone is of no use; give tls_cert too"),
        ({"max_turn_silence_ms": 399}, "max_turn_silence_ms: expected at least min_turn_silence_ms, 400, "),
        ({"min_turn_silence_ms": 1281}, "max_turn_silence_ms: expected at least min_turn_silence_ms, 1281, "),
    ],
)
def test_a_setting_that_would_have_no_effect_is_refused_at_the_start(flags: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        server_config(load_settings(flags))
    assert str(wrong.value).startswith(told)
    assert "a-secret-key" not in str(wrong.value)
    assert SECRET not in str(wrong.value)


@pytest.mark.parametrize(
    "flags",
    [
        {"llm_gateway_key": " \n"},
        {"webhook_networks": "", "webhooks": False},
        {"webhook_secret": SECRET},
        {"max_turn_silence_ms": 400},
    ],
)
def test_an_empty_setting_or_one_that_has_an_effect_by_default_is_taken(flags: dict[str, Any]) -> None:
    server_config(load_settings(flags))
