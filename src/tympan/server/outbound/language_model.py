"""A language model behind an OpenAI-compatible service, and the questions that one session asks it. Shell.

Rules:
- Nothing waits for a model but, for `LAST_ANSWERS_S`, a session that ends gracefully.
- Few questions of a session are asked at once, few of all; a session keeps some that wait, and drops those beyond.
- An answer is told when it comes. A question that fails is told in the log; clients take any message that they don't
  expect for an error (protocol reference, section 0.1), and the hosted service tells nothing either.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from tympan.core.errors import ProtocolError, Unreachable
from tympan.runtime.metrics import Metrics
from tympan.server.config import OutboundConfig
from tympan.server.outbound.poster import Poster
from tympan.server.outbound.reach import EVERYWHERE
from tympan.wire.v3.llm_gateway import Prompt, Question

logger = logging.getLogger("tympan.server")

LAST_ANSWERS_S = 3.0
"""Time for the answers that are due when a session ends. Clients wait 5 s for its end (protocol reference, 6.5)."""

MAX_ANSWER_BYTES = 65_536
"""A client that reads slowly is given up when a few times as much waits for it (`outbox`)."""

MAX_ASKED = 32
MAX_ASKED_PER_SESSION = 4
MAX_WAITING_PER_SESSION = 32

_PATH = "/chat/completions"


class LanguageModel:
    """The one model of a server, shared by its sessions."""

    def __init__(self, config: OutboundConfig, metrics: Metrics) -> None:
        self._url = _completions_url(config.llm_url or "")
        self._key = config.llm_key
        self._timeout_s = config.llm_timeout_s
        self._free = asyncio.Semaphore(MAX_ASKED)
        # The operator named the service: it may be anywhere.
        self._poster = Poster(EVERYWHERE, max_connections=MAX_ASKED, max_idle=MAX_ASKED_PER_SESSION)
        self.metrics = metrics

    async def answer(self, question: Question) -> str:
        """The text message that answers a question.

        Raises:
            Unreachable: no answer of the service's.
            ProtocolError: what it answers can't be passed on.
        """
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        async with self._free:
            answer = await self._poster.post(
                self._url,
                headers,
                question.request,
                timeout_s=self._timeout_s,
                max_body_bytes=MAX_ANSWER_BYTES + 1,
            )
        if answer.status != 200:
            raise Unreachable(f"HTTP {answer.status}")
        if len(answer.body) > MAX_ANSWER_BYTES:
            raise Unreachable(f"more than {MAX_ANSWER_BYTES:,} bytes")
        return question.response(answer.body)

    async def close(self) -> None:
        """Close what is open. Idempotent."""
        await self._poster.close()


class Questions:
    """The questions of one session. `tell` sends its client an answer; `on_idle` is told when none is due any more."""

    def __init__(
        self,
        model: LanguageModel,
        prompt: Prompt,
        session_id: str,
        tell: Callable[[str], None],
        on_idle: Callable[[], None],
    ) -> None:
        self._model = model
        self._prompt = prompt
        self._session_id = session_id
        self._tell = tell
        self._on_idle = on_idle
        self._free = asyncio.Semaphore(MAX_ASKED_PER_SESSION)
        self._due: set[asyncio.Task[None]] = set()

    @property
    def count(self) -> int:
        """Questions without an answer."""
        return len(self._due)

    def ask(self, final: str) -> None:
        """A turn is finished; `final` is its last message. Returns at once."""
        question = self._prompt.question(final)
        if self.count >= MAX_ASKED_PER_SESSION + MAX_WAITING_PER_SESSION:
            self._fail(question, "dropped", "the model is slower than the turns")
        elif question.is_too_long:
            self._fail(question, "dropped", "the request would be too long")
        else:
            asking = asyncio.create_task(self._ask(question))
            self._due.add(asking)
            asking.add_done_callback(self._settle)

    def close(self) -> None:
        """The session is over: nobody wants the answers that are due. Idempotent."""
        if self._due:
            self._model.metrics.llm_questions.labels("dropped").inc(self.count)
            about = {"session": self._session_id, "questions": self.count}
            logger.warning("language model not waited for", extra=about)
        due, self._due = self._due, set()
        for asking in due:
            asking.cancel()

    async def _ask(self, question: Question) -> None:
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        try:
            async with self._free:
                message = await self._model.answer(question)
        except (Unreachable, ProtocolError) as error:
            self._fail(question, "failed", str(error))
            return
        except Exception:  # the boundary of a question: whatever goes wrong in it harms no session
            logger.exception("language model failed", extra={"session": self._session_id})
            self._model.metrics.llm_questions.labels("failed").inc()
            return
        self._model.metrics.llm_questions.labels("answered").inc()
        self._model.metrics.llm_seconds.observe(loop.time() - asked_at)
        self._tell(message)

    def _settle(self, asking: asyncio.Task[None]) -> None:
        if asking in self._due:
            self._due.discard(asking)
            if not self._due:
                self._on_idle()

    def _fail(self, question: Question, outcome: str, why: str) -> None:
        self._model.metrics.llm_questions.labels(outcome).inc()
        about = {"session": self._session_id, "turn": question.turn_order, "why": why}
        logger.warning("no answer of the language model", extra=about)


def _completions_url(base: str) -> str:
    parts = urlsplit(base)
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith(_PATH) else path + _PATH).geturl()
