#!/usr/bin/env python3
"""Renders test-data/chat-templates/*.jinja as Hugging Face transformers does and stores what comes out.

Needs jinja2. Writes NAME.json beside each NAME.jinja: the variables of each case and the text, or the error the template
raised itself.
"""

import datetime
import json
import pathlib

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

NOW = datetime.datetime(2026, 11, 3, 16, 5, 9)
DIRECTORY = pathlib.Path(__file__).parent.parent / "test-data" / "chat-templates"


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


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
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


def main():
    env = environment()
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
