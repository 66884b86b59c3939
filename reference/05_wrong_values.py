"""What a real model makes of the mistakes in chapters/05-*/wrong: a text
continued, and a text scored, with each of them built into the engine.

Needs a compiler, make, and SmolLM2 (make smollm2); some minutes. Perplexities
have three digits, because machines with other kernels differ in the fifth.
"""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "chapters/05-rmsnorm-rope"
OUT = FOLDER / "expected/wrong.json"
MODEL = ROOT / "data/models/SmolLM2-135M-Instruct.Q4_1.gguf"
TEXT, LENGTH = "data/tiny.txt", 1200    # the first LENGTH characters of it
PROMPT = "The capital of France is"
REPLACES = re.compile(r"// replaces (\S+)\.c")


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, text=True,
                          capture_output=True).stdout


def measure(program, text):
    common = [program, "-q", "-m", MODEL.relative_to(ROOT)]
    try:
        says = output(*common, "-p", PROMPT, "--temp", "0", "-n", "24")
        score = json.loads(output(*common, "--perplexity", text, "--json"))
    except subprocess.CalledProcessError as refused:    # NaN, for instance
        return {"perplexity": None, "says": refused.stderr.strip()}
    return {"perplexity": float(f"{score['perplexity']:.3g}"),
            "says": " ".join(says.split())}


def main():
    if not MODEL.exists():
        print("  left as it is: make smollm2 fetches the model for it")
        return
    values = {"prompt": PROMPT, "text": TEXT, "length": LENGTH}
    with tempfile.TemporaryDirectory() as scratch:
        text = Path(scratch) / "text"
        text.write_text((ROOT / TEXT).read_text()[:LENGTH])
        build = os.environ.get("OUT", scratch)
        program = f"{build}/chapter-08/run"
        make = ("make", "-s", f"OUT={build}", program)
        output(*make)
        flags = output("make", "-s", f"OUT={build}", "test-parts")
        compiler = flags.splitlines()[0].split()
        values["right"] = measure(program, text)
        for wrong in sorted((FOLDER / "wrong").glob("*.c")):
            module = REPLACES.match(wrong.read_text()).group(1)
            object_file = Path(f"{build}/{module}.o")
            output(*compiler, "-c", "-o", object_file, wrong)
            output(*make)
            values[wrong.stem] = measure(program, text)
            print(f"  {wrong.stem}", flush=True)
            object_file.unlink()        # make builds the right one again
    OUT.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n")


main()
