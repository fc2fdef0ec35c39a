"""Bodies of the two calls. What would change a reply and is not offered is refused by name, never ignored."""

from typing import Any, Literal

from pydantic import Field

from ..errors import WorkerError, invalid_input
from ..wire.requests import Body, ModelInputBody, Sample, SamplingParameters

Kind = Literal["chat", "text"]

largest_count = 128
largest_top_logprobs = 20
default_text_tokens = 16
"""Of a text completion that names no limit, as the protocol has it; a chat may fill the context."""


class StreamOptions(Body):
    """What a stream tells besides its pieces."""

    include_usage: bool = False


class CompletionBody(Body):
    """What both calls share."""

    model: str
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int = -1
    seed: int | None = None
    n: int = Field(default=1, ge=1, le=largest_count)
    stop: str | list[str] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: dict[str, float] | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """Where replies end."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    def limit(self) -> int | None:
        """Tokens of a reply."""
        return self.max_tokens

    def top_count(self) -> int | None:
        """Likely tokens beside each one that was drawn; None where no log-probabilities are asked for."""
        raise NotImplementedError

    def check(self) -> None:
        """Refuses what is not offered.

        Raises:
            WorkerError: `capability-missing`, `invalid-input`.
        """
        self.refuse("frequency_penalty", self.frequency_penalty)
        self.refuse("presence_penalty", self.presence_penalty)
        self.refuse("logit_bias", self.logit_bias)
        top_count = self.top_count()
        if top_count is not None and not 0 <= top_count <= largest_top_logprobs:
            raise invalid_input(
                f"expected at most {largest_top_logprobs} top log-probabilities, got {top_count}"
            )

    def refuse(self, name: str, value: object) -> None:
        """Raises `capability-missing` for a field that would have a meaning."""
        if value:
            raise WorkerError(
                "capability-missing", f"expected no {name}, got one: this server does not have it"
            )

    def sample(self, end_token_ids: tuple[int, ...]) -> Sample:
        """As the sampler is asked; the model's end tokens end a reply whatever else does."""
        parameters = SamplingParameters(
            max_tokens=self.limit(),
            seed=self.seed,
            stop=list(self.stops),
            stop_token_ids=list(end_token_ids),
            temperature=1.0 if self.temperature is None else self.temperature,
            top_k=self.top_k,
            top_p=1.0 if self.top_p is None else self.top_p,
        )
        return Sample(
            prompt=ModelInputBody(chunks=[]),
            sampling_params=parameters,
            num_samples=self.n,
            topk_sample_logprobs=self.top_count() or 0,
        )


class Part(Body):
    """A piece of a message."""

    type: str
    text: str | None = None


class Message(Body):
    """One message of a chat."""

    role: str
    content: str | list[Part] | None = None

    def plain(self) -> dict[str, str]:
        """With its text in one piece.

        Raises:
            WorkerError: `capability-missing` for images and the like.
        """
        if isinstance(self.content, list):
            for part in self.content:
                if part.type != "text":
                    raise WorkerError(
                        "capability-missing", f"expected parts of text, got one of type {part.type}"
                    )
            return {"role": self.role, "content": "".join(part.text or "" for part in self.content)}
        return {"role": self.role, "content": self.content or ""}


class ResponseFormat(Body):
    """Text, or something that is not offered."""

    type: str = "text"


class ChatBody(CompletionBody):
    """`chat/completions`."""

    messages: list[Message] = Field(min_length=1)
    max_completion_tokens: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    response_format: ResponseFormat | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    chat_template_kwargs: dict[str, Any] = Field(default_factory=dict)
    """For the model's template, such as `enable_thinking`."""

    def limit(self) -> int | None:
        """The newer name counts first."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    def top_count(self) -> int | None:
        """None unless `logprobs` is true."""
        return (self.top_logprobs or 0) if self.logprobs else None

    def check(self) -> None:
        """Refuses tools and forms of answers besides."""
        super().check()
        self.refuse("tools", self.tools)
        self.refuse("functions", self.functions)
        if self.response_format is not None and self.response_format.type != "text":
            self.refuse("response_format", self.response_format.type)
        if self.top_logprobs and not self.logprobs:
            raise invalid_input("expected logprobs to be true beside top_logprobs, got it unset")


class TextBody(CompletionBody):
    """`completions`."""

    prompt: str | list[str] | list[int] | list[list[int]]
    logprobs: int | None = None
    echo: bool = False
    suffix: str | None = None
    best_of: int | None = None

    def limit(self) -> int | None:
        """16 where nothing is said."""
        return default_text_tokens if self.max_tokens is None else self.max_tokens

    def top_count(self) -> int | None:
        """0 gives the log-probabilities of the reply alone."""
        return self.logprobs

    def check(self) -> None:
        """Refuses echoes, suffixes and choosing among several."""
        super().check()
        self.refuse("echo", self.echo)
        self.refuse("suffix", self.suffix)
        if self.best_of is not None and self.best_of != self.n:
            self.refuse("best_of", self.best_of)

    def prompts(self) -> list[str | list[int]]:
        """Each text or list of ids."""
        if isinstance(self.prompt, str):
            return [self.prompt]
        texts: list[str | list[int]] = []
        ids: list[int] = []
        for entry in self.prompt:
            if isinstance(entry, int):
                ids.append(entry)
            else:
                texts.append(entry)
        found = [*texts, ids] if ids else texts
        if not 1 <= len(found) <= largest_count:
            raise invalid_input(f"expected 1 .. {largest_count} prompts, got {len(found)}")
        return found
