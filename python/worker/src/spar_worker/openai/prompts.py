"""From messages and texts to token ids, by the model's own tokenizer and template. Computing thread only."""

from typing import Any

import numpy as np
from jinja2.exceptions import TemplateError

from ..errors import WorkerError, invalid_input
from ..models.base import BaseModel
from ..rows import IntArray
from .bodies import ChatBody, CompletionBody, TextBody


def read_prompts(base: BaseModel, body: CompletionBody) -> list[IntArray]:
    """The prompts of a request, one for a chat.

    Raises:
        WorkerError: `capability-missing` without a tokenizer or template; `invalid-input` where the template
            refuses the messages.
    """
    tokenizer = base.tokenizer
    if tokenizer is None:
        raise WorkerError(
            "capability-missing", f"expected a model with a tokenizer, got {base.name} without one"
        )
    if isinstance(body, ChatBody):
        return [_chat_ids(tokenizer, body, base.name)]
    assert isinstance(body, TextBody)
    return [
        _ids(tokenizer, prompt, has_special=True)
        if isinstance(prompt, str)
        else np.asarray(prompt, dtype=np.int64)
        for prompt in body.prompts()
    ]


def _chat_ids(tokenizer: Any, body: ChatBody, model: str) -> IntArray:
    if tokenizer.chat_template is None:
        raise WorkerError(
            "capability-missing",
            f"expected a model with a chat template, got {model} without one",
            hint="use completions with a text, or a model that was made for chats",
        )
    messages = [message.plain() for message in body.messages]
    # What the assistant began, it goes on with.
    is_begun = messages[-1]["role"] == "assistant"
    try:
        text: str = tokenizer.apply_chat_template(
            messages,
            **body.chat_template_kwargs,
            tokenize=False,
            add_generation_prompt=not is_begun,
            continue_final_message=is_begun,
        )
    except (TemplateError, TypeError, ValueError) as error:
        raise invalid_input(
            f"expected messages that the chat template of {model} takes, got: {error}"
        ) from error
    return _ids(tokenizer, text, has_special=False)


def _ids(tokenizer: Any, text: str, *, has_special: bool) -> IntArray:
    return np.asarray(tokenizer(text, add_special_tokens=has_special)["input_ids"], dtype=np.int64)
