"""Engines that can be measured: ours, llama-cpp-python, and programs that are
called as llama-bench is. Each run is a process of its own."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def output(command, options, **more):
    """What a command prints, behind the prefix that was asked for."""
    done = subprocess.run([*options.wrap.split(), *map(str, command)],
                          capture_output=True, text=True, check=False,
                          cwd=ROOT, **more)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: {done.stderr.strip()[-400:]}")
    return done.stdout


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class Ours:
    name = "ours"

    def __init__(self, options):
        self.options = options

    def command(self, model, job):
        o = self.options
        command = [ROOT / "chapter-08/run", "-m", model, "-f", job.file,
                   "-n", job.n_tokens, "-c", o.context, "-t", o.threads,
                   "-ctk", o.cache, "--temp", 0, "--ignore-eos", "--json"]
        return command + (["--isa", o.isa] if o.isa else [])

    def run(self, model, job):
        said = json.loads(output(self.command(model, job), self.options))
        return {
            "speed": said["prefill_tokens_per_second" if job.is_prefill
                          else "decode_tokens_per_second"],
            "text": digest(said["text"]),
            # What one token costs, the same for every engine.
            "bytes": said["weight_bytes_per_token"]
            + said["cache_bytes_per_token"],
            "multiply_adds": said["multiply_adds_per_second"]
            / said["prefill_tokens_per_second"] if job.is_prefill else None,
        }

    def start(self, model, job):
        """Seconds from a process's start to its first token, without those
        in which the prompt was computed."""
        begin = time.perf_counter()
        said = json.loads(output(self.command(model, job), self.options))
        return (time.perf_counter() - begin - said["prompt_tokens"]
                / said["prefill_tokens_per_second"])

    def memory(self, model, job, counter):
        """Bytes that were asked for, and those that were planned."""
        command = [*map(str, self.command(model, job))]
        plan = json.loads(output(command + ["--plan"], self.options))
        report = counter.with_suffix(".json")
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True,
                       env={**os.environ, "LD_PRELOAD": str(counter),
                            "COUNT_MEMORY": str(report)})
        return (json.loads(report.read_text())["program"],
                plan["memory"]["total"])


class LlamaCppPython:
    name = "llama.cpp"

    def __init__(self, options):
        self.options = options

    def run(self, model, job):
        o = self.options
        said = json.loads(output(
            [o.peer_python, ROOT / "tools/bench_peer.py", model, job.file,
             job.n_tokens, o.context, o.threads, o.cache], o))
        self.version = said["version"]
        return {"speed": said["speed"], "text": digest(said["text"])}


class LlamaBench:
    """A program with llama-bench's options and its JSON. It feeds random
    tokens, so there is no text to compare."""

    def __init__(self, options, path):
        self.options, self.path = options, path
        self.name = Path(path).parent.name or Path(path).name

    def run(self, model, job):
        o = self.options
        command = [self.path, "-m", model, "-t", o.threads, "-r", 1, "-o",
                   "json", "-ctk", o.cache, "-ctv", o.cache]
        command += ["-p", job.n_prompt, "-n", 0] if job.is_prefill else \
            ["-p", 0, "-n", job.n_tokens - 1]
        if job.is_deep:
            command += ["-d", job.n_prompt]
        return {"speed": json.loads(output(command, o))[0]["avg_ts"],
                "text": None}


def limits(options):
    """What the machine allows, by our own probes."""
    command = [ROOT / "chapter-13/run", "lab", "limits", "--json", "-t",
               options.threads]
    return json.loads(output(command + (["--isa", options.isa]
                                        if options.isa else []), options))


def engines(options):
    found = [Ours(options)]
    if options.peer_python:
        found.append(LlamaCppPython(options))
    return found + [LlamaBench(options, path) for path in options.peer]
