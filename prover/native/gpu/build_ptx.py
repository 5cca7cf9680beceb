"""Compiles the kernels to PTX, the text that drivers translate for the card at hand.

    python3 prover/native/gpu/build_ptx.py            writes kernels.ptx
    python3 prover/native/gpu/build_ptx.py --check    fails unless kernels.ptx is what the sources give; says
                                                      so and succeeds where pip has no network
    python3 prover/native/gpu/build_ptx.py --report   registers and spills, from ptxas

Needs neither a card nor a CUDA toolkit: the compiler is the NVRTC library of a pinned PyPI wheel,
installed into a temporary environment (or the one that PLATEMARK_NVRTC names). Its version decides the
oldest driver that takes the result, so it is an old one: CUDA 12.1, drivers from 530 on.
"""

import ctypes
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import venv

NVRTC = "nvidia-cuda-nvrtc-cu12==12.1.105"
PTXAS = "nvidia-cuda-nvcc-cu12==12.1.105"
# Turing and newer: drivers translate for every later card.
ARCHITECTURE = "compute_75"

here = pathlib.Path(__file__).resolve().parent
kernels = here / "kernels"
output = here / "kernels.ptx"


def sources():
    return sorted(kernels.iterdir())


def digest():
    """Says which sources a PTX file was made of; tests/card.rs computes the same."""
    hasher = hashlib.sha256()
    for path in sources():
        data = path.read_bytes()
        hasher.update(f"{path.name} {len(data)}\n".encode())
        hasher.update(data)
    return hasher.hexdigest()


def install(environment, package):
    python = environment / "bin" / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
    # A network that swallows packets costs half a minute.
    patience = ["--timeout", "10", "--retries", "2"]
    subprocess.run([python, "-m", "pip", "install", "-q", *patience, package], check=True)
    return next(environment.glob("lib/python*/site-packages/nvidia"))


def compile_kernels(library):
    nvrtc = ctypes.CDLL(str(library))

    def check(code, program=None):
        if code == 0:
            return
        if program is not None:
            size = ctypes.c_size_t()
            nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
            log = ctypes.create_string_buffer(size.value)
            nvrtc.nvrtcGetProgramLog(program, log)
            sys.exit(log.value.decode())
        sys.exit(f"NVRTC: error {code}")

    options = [f"--gpu-architecture={ARCHITECTURE}", "--std=c++17", f"-I{kernels}"]
    arguments = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
    program = ctypes.c_void_p()
    source = (kernels / "kernels.cu").read_bytes()
    check(nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, b"kernels.cu", 0, None, None))
    check(nvrtc.nvrtcCompileProgram(program, len(options), arguments), program)
    size = ctypes.c_size_t()
    check(nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size)))
    text = ctypes.create_string_buffer(size.value)
    check(nvrtc.nvrtcGetPTX(program, text))
    # Comments and indentation are a third of the text.
    lines = (re.sub(r"\s*//.*", "", line).strip() for line in text.value.decode().splitlines())
    body = "\n".join(line for line in lines if line)
    return f"// {NVRTC}, sources {digest()}\n{body}\n"


def main():
    named = os.environ.get("PLATEMARK_NVRTC")
    with tempfile.TemporaryDirectory() as temporary:
        environment = pathlib.Path(named or temporary)
        try:
            nvidia = install(environment, NVRTC)
        except subprocess.CalledProcessError:
            if "--check" not in sys.argv:
                raise
            # That kernels.ptx is of these sources is a Rust test of its own.
            print(f"NOT CHECKED: pip cannot install {NVRTC} here")
            return
        text = compile_kernels(nvidia / "cuda_nvrtc/lib/libnvrtc.so.12")
        if "--check" in sys.argv:
            if not output.exists() or output.read_text() != text:
                sys.exit("kernels.ptx is not what the sources give: run build_ptx.py and commit it.")
        else:
            output.write_text(text)
        if "--report" in sys.argv:
            ptxas = install(environment, PTXAS) / "cuda_nvcc/bin/ptxas"
            command = [ptxas, "-v", "-arch=sm_80", output, "-o", environment / "kernels.cubin"]
            report = subprocess.run(command, check=True, capture_output=True, text=True).stderr
            for name, spills, registers in re.findall(
                r"Compiling entry function '(\w+)'.*?\n.*?(\d+ bytes spill stores).*?\n.*?Used (\d+) registers",
                report,
                re.S,
            ):
                print(f"{name}: {registers} registers, {spills}")


main()
