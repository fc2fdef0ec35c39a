"""Answers of both calls, whole and in pieces, in the shapes of the protocol."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..sampling.requests import TopTokens
from .bodies import Kind
from .reply_text import unfinished

Finish = Literal["stop", "length"]


@dataclass(frozen=True)
class TokenNote:
    """A token with its log-probability, and the most likely ones of its place."""

    token_id: int
    logprob: float
    top: TopTokens | None = None


@dataclass
class Writer:
    """Writes the answers to one request."""

    kind: Kind
    model: str
    tokenizer: Any
    has_logprobs: bool
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, choices: Sequence[dict[str, Any]], usage: dict[str, int]) -> dict[str, Any]:
        """Everything in one."""
        name = "chat.completion" if self.kind == "chat" else "text_completion"
        return self._head(name) | {"choices": list(choices), "usage": usage}

    def choice(
        self, index: int, text: str, finish: Finish | None, notes: Sequence[TokenNote], *, offset: int = 0
    ) -> dict[str, Any]:
        """One reply, or with a kind of text a piece of one; `offset` is where the piece begins."""
        logprobs = self._logprobs(notes, offset) if self.has_logprobs else None
        shared: dict[str, Any] = {"index": index, "finish_reason": finish, "logprobs": logprobs}
        if self.kind == "text":
            return shared | {"text": text}
        return shared | {"message": {"role": "assistant", "content": text, "refusal": None}}

    def piece(
        self, index: int, text: str, finish: Finish | None, notes: Sequence[TokenNote], *, offset: int
    ) -> dict[str, Any]:
        """A piece of a stream; the first one of a reply says who speaks."""
        choice = self.choice(index, text, finish, notes, offset=offset)
        if self.kind == "text":
            return self._head("text_completion") | {"choices": [choice]}
        del choice["message"]
        choice["delta"] = ({"role": "assistant"} if offset == 0 else {}) | {"content": text}
        return self._head("chat.completion.chunk") | {"choices": [choice]}

    def usage_piece(self, usage: dict[str, int]) -> dict[str, Any]:
        """The last piece, where it was asked for."""
        name = "chat.completion.chunk" if self.kind == "chat" else "text_completion"
        return self._head(name) | {"choices": [], "usage": usage}

    def _head(self, name: str) -> dict[str, Any]:
        prefix = "chatcmpl-" if self.kind == "chat" else "cmpl-"
        return {"id": prefix + self.id, "object": name, "created": self.created, "model": self.model}

    def _logprobs(self, notes: Sequence[TokenNote], offset: int) -> dict[str, Any]:
        if self.kind == "chat":
            return {"content": [self._chat_entry(note) for note in notes], "refusal": None}
        tokens = [self._text_of(note.token_id) for note in notes]
        offsets: list[int] = []
        for token in tokens:
            offsets.append(offset)
            offset += len(token)
        return {
            "tokens": tokens,
            "token_logprobs": [note.logprob for note in notes],
            "top_logprobs": [
                {self._text_of(i): v for i, v in _pairs(note.top)} if note.top is not None else None
                for note in notes
            ],
            "text_offset": offsets,
        }

    def _chat_entry(self, note: TokenNote) -> dict[str, Any]:
        top = [self._entry(token_id, logprob) for token_id, logprob in _pairs(note.top)]
        return self._entry(note.token_id, note.logprob) | {"top_logprobs": top}

    def _entry(self, token_id: int, logprob: float) -> dict[str, Any]:
        text = self._text_of(token_id)
        # The bytes of a token that is part of a character are not known from its text.
        return {
            "token": text,
            "logprob": logprob,
            "bytes": None if unfinished in text else list(text.encode()),
        }

    def _text_of(self, token_id: int) -> str:
        return str(
            self.tokenizer.decode([token_id], skip_special_tokens=False, clean_up_tokenization_spaces=False)
        )


def _pairs(top: TopTokens | None) -> list[tuple[int, float]]:
    return [] if top is None else [(int(i), float(v)) for i, v in zip(*top, strict=True)]


def usage_of(prompt_tokens: int, reply_tokens: int) -> dict[str, int]:
    """Counts of tokens."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": reply_tokens,
        "total_tokens": prompt_tokens + reply_tokens,
    }
