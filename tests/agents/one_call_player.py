"""A program that plays a task by JSON lines: it makes one call, or says what its first argument tells it to."""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Read the task, look somebody up, and answer with what was found."""
    task = json.loads(sys.stdin.readline())
    assert task["type"] == "task"
    if sys.argv[1:]:
        print(sys.argv[1], flush=True)
        return
    [tool] = [one["name"] for one in task["tools"] if one["name"].endswith("__find_contacts")]
    print(json.dumps({"type": "call", "tool": tool, "arguments": {"query": "globex"}}), flush=True)
    found = json.loads(sys.stdin.readline())
    words = ", ".join(f"{one['first_name']}: {one['job_title']}" for one in found["structured"]["items"])
    print(json.dumps({"type": "answer", "text": words}), flush=True)


if __name__ == "__main__":
    main()
