"""The chat and completion protocol that OpenAI began: text in, text out, over the same sampler."""
