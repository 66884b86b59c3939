"""The numbers that chapters 2 and 8 name, from their programs.

`make reference` builds the programs and runs this.
"""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COUNT = ROOT / "chapters/02-parameter-calculator/expected"
LLAMA = ROOT / "chapters/08-llama/expected"
TINY = ["-t", "1", "--n-layer", "2", "--n-embd", "4", "--n-head", "2",
        "--n-kv-head", "1", "--d-ff", "8", "--vocab-size", "10",
        "--block-size", "8", "--memory", "16G"]


def printed(*command):
    return json.loads(subprocess.run(command, cwd=ROOT, check=True,
                                     capture_output=True).stdout)


def write(path, values):
    path.write_text(json.dumps(values) + "\n")


def counts():
    """What the models of data/configs come to, rightly and wrongly."""
    models = {}
    for path in sorted((ROOT / "data/configs").glob("*.json")):
        model = printed("./chapter-02/run", "--config", str(path),
                        "--mistakes", "--json")
        models[path.stem.replace(".", "_")] = {
            "total": model["parameters"]["total"]} | model["mistakes"]
    return models


def main():
    write(COUNT / "values.json",
          printed("./chapter-02/run", "-t", "2", "--memory", "16G",
                  "--bandwidth", "20", "--json"))
    write(COUNT / "tiny.json", printed("./chapter-02/run", *TINY, "--json"))
    write(COUNT / "counts.json", counts())
    values = json.loads((LLAMA / "values.json").read_text())
    values |= printed("./chapter-08/run", "-q", "--isa", "scalar", "--json",
                      "--perplexity", "data/tiny.txt", "-c", "64")
    write(LLAMA / "values.json", values)


if __name__ == "__main__":
    main()
