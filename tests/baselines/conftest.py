"""The tiny model of tests/inference/tiny_llama.py, as fixtures."""

from tests.inference.tiny_llama import model, one_thread, tokenizer

__all__ = ["model", "one_thread", "tokenizer"]
