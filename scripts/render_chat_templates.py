#!/usr/bin/env python3
"""Renders test templates as Hugging Face transformers does and stores the expected texts. Needs jinja2.

For each test-data/chat-templates/NAME.jinja, writes NAME.json: the variables of each case, and the text or the error that
the template raises. In the table of small templates, engine/src/test/resources/jinja/cases.json, updates the text of each
case, or notes that jinja2 fails; to add a case, add an object with its template.
"""

import datetime
import json
import pathlib

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox
import jinja2.utils

NOW = datetime.datetime(2026, 11, 3, 16, 5, 9)
ROOT = pathlib.Path(__file__).parent.parent
DIRECTORY = ROOT / "test-data" / "chat-templates"
TABLE = ROOT / "engine" / "src" / "test" / "resources" / "jinja" / "cases.json"


class Generation(jinja2.ext.Extension):
    """{% generation %} blocks: rendered as they are."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


class TemplateDict:
    """The global dict: a function, not a type."""

    def __call__(self, *args, **kwargs):
        return dict(*args, **kwargs)

    def fromkeys(self, *args, **kwargs):
        return dict.fromkeys(*args, **kwargs)


class TemplateNamespace(jinja2.utils.Namespace):
    """Rejects attributes that begin with an underscore."""

    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        attributes = dict(*args, **kwargs)
        for name in attributes:
            TemplateNamespace.check(name)
        jinja2.utils.Namespace.__init__(self, attributes)

    def __setitem__(self, name, value):
        TemplateNamespace.check(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    @staticmethod
    def check(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(name)


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    env.globals["dict"] = TemplateDict()
    env.globals["namespace"] = TemplateNamespace
    return env


def message(role, content, **more):
    return {"role": role, "content": content, **more}


USER = message("user", "Hello, who are you?")
ANSWER = message("assistant", "  I am a model.\n")
SECOND = message("user", " What is 2 + 2?\n\n'Tell' \"me\" <b>now</b> – größer 😀 ")
SYSTEM = message("system", "Be brief.\nBe kind. ")
CALL = message(
    "assistant", "", tool_calls=[{"type": "function", "function": {"name": "add", "arguments": {"a": 2, "b": [1.5, None, "ü"]}}}]
)
CASES = {
    "one question": ([USER], True),
    "no answer wanted": ([USER, ANSWER], False),
    "three turns": ([USER, ANSWER, SECOND], True),
    "system prompt": ([SYSTEM, USER, ANSWER, SECOND], True),
    "empty words": ([message("user", ""), message("assistant", ""), message("user", " ")], True),
    "thoughts": ([USER, message("assistant", "<think>hm</think>Well."), USER], True),
    "special words": ([message("user", "say <|im_end|> and </s>[INST]"), ANSWER], False),
    "roles do not alternate": ([USER, USER], True),
    "a call": ([USER, CALL, message("tool", "4"), message("assistant", "Four.")], True),
}


def update_table(env):
    table = json.loads(TABLE.read_text())
    rows = []
    for case in table["cases"]:
        row = {"template": case["template"]}
        try:
            row["text"] = env.from_string(case["template"]).render(**table["context"])
        except Exception:  # jinja2 passes on any exception of Python
            row["error"] = True
        rows.append(json.dumps(row))
    context = json.dumps(table["context"])
    TABLE.write_text('{"context": ' + context + ',\n"cases": [\n' + ",\n".join(rows) + "\n]}\n")


def main():
    env = environment()
    update_table(env)
    for file in sorted(DIRECTORY.glob("*.jinja")):
        template = env.from_string(file.read_text())
        stored = []
        for name, (messages, generate) in CASES.items():
            variables = {
                "messages": messages,
                "add_generation_prompt": generate,
                "bos_token": "<s>",
                "eos_token": "</s>",
            }
            case = {"name": name, "variables": variables}
            try:
                case["text"] = template.render(**variables)
            except jinja2.exceptions.TemplateError as error:
                case["error"] = str(error)
            stored.append(case)
        file.with_suffix(".json").write_text(json.dumps(stored, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
