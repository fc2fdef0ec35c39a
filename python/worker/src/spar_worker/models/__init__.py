"""Base models, what is trained on them, and what was published of them."""
