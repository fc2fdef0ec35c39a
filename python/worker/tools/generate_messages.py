"""Makes `src/spar_worker/wire/messages_pb2.py` from `protocol/tinker/tinker_public.proto`.

The names of package and file are changed on the way, which no message shows: the official SDK registers
its own under the original names, and both must fit into one process. Needs `grpcio-tools`.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

worker = Path(__file__).resolve().parent.parent
proto = worker.parent.parent / "protocol" / "tinker" / "tinker_public.proto"
target = worker / "src" / "spar_worker" / "wire"


def main() -> None:
    """Writes the module and its types."""
    text = proto.read_text().replace("package tinker_public;", "package spar_worker.wire;")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "messages.proto").write_text(text)
        subprocess.run(  # noqa: S603
            [
                sys.executable,
                "-m",
                "grpc_tools.protoc",
                f"--proto_path={folder}",
                f"--python_out={target}",
                f"--pyi_out={target}",
                "messages.proto",
            ],
            check=True,
        )
    types = target / "messages_pb2.pyi"
    # protoc leaves the arguments of some generic types away.
    types.write_text(re.sub(r"\b_Mapping\b(?!\[)(?=[\],])", "_Mapping[str, object]", types.read_text()))


if __name__ == "__main__":
    main()
