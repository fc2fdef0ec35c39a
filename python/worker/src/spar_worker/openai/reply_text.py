"""The text of a reply as its tokens come: whole characters, without end tokens, cut before the first stop."""

from typing import Any

unfinished = "\ufffd"
"""What a decoder writes for bytes that are no character yet."""


class ReplyText:
    """Grows by tokens; what it returns is never taken back."""

    def __init__(self, tokenizer: Any, stops: tuple[str, ...], end_token_ids: tuple[int, ...]) -> None:
        self._tokenizer = tokenizer
        self._stops = stops
        self._end_token_ids = end_token_ids
        self._ids: list[int] = []
        self._from = 0
        """Tokens before it are decoded for good; those up to `_to` give what the next ones stand behind."""
        self._to = 0
        self._text = ""
        self._sent = 0
        self._is_stopped = False

    def push(self, token_id: int) -> str:
        """Text that is certain after this token."""
        if self._is_stopped or token_id in self._end_token_ids:
            return ""
        self._ids.append(token_id)
        before = self._decode(self._ids[self._from : self._to])
        now = self._decode(self._ids[self._from :])
        if len(now) > len(before) and not now.endswith(unfinished):
            self._append(now[len(before) :])
            self._from, self._to = self._to, len(self._ids)
        return self._take(len(self._text) if self._is_stopped else len(self._text) - self._held())

    def finish(self) -> str:
        """The rest, at the end of the reply."""
        if not self._is_stopped:
            before = self._decode(self._ids[self._from : self._to])
            self._append(self._decode(self._ids[self._from :])[len(before) :])
        return self._take(len(self._text))

    def _append(self, more: str) -> None:
        self._text += more
        places = [place for place in (self._text.find(stop, self._sent) for stop in self._stops) if place >= 0]
        if places:
            self._text = self._text[: min(places)]
            self._is_stopped = True

    def _held(self) -> int:
        """Characters at the end that may be the beginning of a stop."""
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for count in range(min(longest, len(self._text) - self._sent), 0, -1):
            if any(stop.startswith(self._text[-count:]) for stop in self._stops):
                return count
        return 0

    def _take(self, end: int) -> str:
        found = self._text[self._sent : end]
        self._sent = max(self._sent, end)
        return found

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
