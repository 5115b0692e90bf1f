"""Makes twiml.json: the verbs of a call, their attributes, and the values of those that take one of a list.

    npm pack twilio@6.2.0 && tar xzf twilio-6.2.0.tgz
    python tests/contract/twiml_lists.py package

Read from ``lib/twiml/VoiceResponse.d.ts``, which Twilio generates from its own description of TwiML. Kept: what calls
may use. See README.md beside this.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = Path("lib/twiml/VoiceResponse.d.ts")
KEPT = ("Response", "Say", "Play", "Pause", "Gather", "Redirect", "Dial", "Number", "Hangup", "Reject", "Record")
_TYPE = re.compile(r"^ +type (\w+) = (.+);$", re.MULTILINE)
_INTERFACE = re.compile(r"export interface (\w+)Attributes \{(.*?)^    \}", re.MULTILINE | re.DOTALL)
_ATTRIBUTE = re.compile(r'^ +"?([\w:-]+)"?\?: (\w+)(\[\])?;$', re.MULTILINE)
_CLASS = re.compile(r"^ *(?:export|declare) class (\w+) extends TwiML \{(.*?)^ {0,4}\}", re.MULTILINE | re.DOTALL)
_METHOD = re.compile(r"^ +\w+\(([^\n]*)\): VoiceResponse\.(\w+);$", re.MULTILINE)


def tag(name: str) -> str:
    """Write a class's name as its element: SsmlSayAs is say-as, VoiceResponse is Response."""
    if name.startswith("Ssml"):
        return re.sub(r"(?<!^)([A-Z])", r"-\1", name.removeprefix("Ssml")).lower()
    return "Response" if name == "VoiceResponse" else name


def lists(text: str) -> dict[str, Any]:
    """Return per element its attributes and the elements it may hold."""
    types = {name: re.findall(r'"([^"]+)"', values) for name, values in _TYPE.findall(text)}
    attributes = {name: _attributes(body, types) for name, body in _INTERFACE.findall(text)}
    found: dict[str, Any] = {}
    for name, body in _CLASS.findall(text):
        children = {}
        for arguments, child in _METHOD.findall(body):
            given = re.search(r"VoiceResponse\.(\w+)Attributes", arguments)
            children[tag(child)] = tag(child)
            found.setdefault(tag(child), {})["attributes"] = attributes[given[1]] if given else {}
        found.setdefault(tag(name), {}).setdefault("attributes", {})
        found[tag(name)]["holds"] = sorted(children)
    kept = {name for name in found if name in KEPT or name.islower()}
    return {
        name: {
            "attributes": found[name]["attributes"],
            "holds": [each for each in found[name]["holds"] if each in kept],
        }
        for name in sorted(kept)
    }


def _attributes(body: str, types: dict[str, list[str]]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, kind, several in _ATTRIBUTE.findall(body):
        read[name] = {"values": types[kind], "several": bool(several)} if kind in types else kind
    return dict(sorted(read.items()))


def main(package: Path) -> None:
    """Write the lists beside this script."""
    text = json.dumps(lists((package / SOURCE).read_text("utf-8")), indent=None, ensure_ascii=False)
    (HERE / "twiml.json").write_text(re.sub(r'(\}\}?, )("[\w-]+": \{"attributes")', r"\1\n\2", text) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
