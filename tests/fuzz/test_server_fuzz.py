"""Any messages in any order over several connections: every close code is documented, and nothing is left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psutil
import pytest
from hostile_talk import BRIDGE_WAY, V2_WAY, V3_WAY, Step, Talk, Way, no_error_in_the_log, steps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running_bridge import BRIDGE_KEY, RunningBridge
from running_service import KEY, Service, eventually, make_service

from tympan.bridge.config import BridgeConfig, UpstreamConfig
from tympan.server.config import AuthConfig

few = settings(
    max_examples=settings.default.max_examples // 2 if settings.default else 50,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with make_service(max_sessions=2) as service:
        yield service


@pytest.fixture(scope="module")
def bridge(service: Service) -> Iterator[RunningBridge]:
    auth = AuthConfig(api_keys=(BRIDGE_KEY,), token_secret="secret of the bridge")
    bridge = RunningBridge(BridgeConfig(UpstreamConfig(service.url, KEY), auth=auth))
    yield bridge
    bridge.stop()


def is_idle(service: Service) -> bool:
    service.let_go()
    return eventually(service.is_idle)


def left_over(service: Service) -> tuple[int, int, int]:
    return psutil.Process().num_fds(), threading.active_count(), service.tasks()


@pytest.mark.parametrize("way", [V3_WAY, V2_WAY], ids=["v3", "v2"])
def test_no_talk_harms_the_server(service: Service, way: Way) -> None:
    assert is_idle(service)
    before = left_over(service)

    @few
    @given(st.data())
    def talk(data: st.DataObject) -> None:
        plan = data.draw(steps(way))
        with no_error_in_the_log():
            Talk(service.url, KEY, way).play(plan)
            assert is_idle(service)

    talk()
    assert eventually(lambda: all(now <= then for now, then in zip(left_over(service), before, strict=True)))
    Talk(service.url, KEY, way).play([Step("open", 0, way.query.encode())])


def test_no_talk_harms_the_bridge(service: Service, bridge: RunningBridge) -> None:
    @few
    @given(steps(BRIDGE_WAY))
    def talk(plan: list[Step]) -> None:
        with no_error_in_the_log():
            Talk(f"ws://127.0.0.1:{bridge.port}", BRIDGE_KEY, BRIDGE_WAY).play(plan)
            assert eventually(bridge.is_idle)
            assert is_idle(service)

    talk()
    Talk(f"ws://127.0.0.1:{bridge.port}", BRIDGE_KEY, BRIDGE_WAY).play([Step("open", 0, b"sample_rate=16000")])
