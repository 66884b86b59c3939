"""Chat templates as model files hold them in tokenizer.chat_template: facts
about those files, each with the model that it comes from. "Short": without
the branches that a conversation of texts does not reach (tools, pictures,
lists of parts), which are left out and nothing else."""

SMOLLM2 = (     # HuggingFaceTB/SmolLM2-135M-Instruct, as in data/models
    "{% for message in messages %}{% if loop.first and messages[0]['role'] !="
    " 'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant named"
    " SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|im_start|>assistant\n' }}{% endif %}")

HERMES = (      # teknium/OpenHermes-2.5-Mistral-7B
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n'"
    " + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}"
    "{% endif %}")

INTERNLM2 = (   # internlm/internlm2-chat-7b
    "{{ bos_token }}{% for message in messages %}{{'<|im_start|>' + "
    "message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
    "{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|im_start|>assistant\\n' }}{% endif %}")

QWEN2_5 = r"""{%- if messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}
{%- else %}
    {{- '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You """\
    r"""are a helpful assistant.<|im_end|>\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and """\
    r"""not loop.first) or (message.role == "assistant" and not """\
    r"""message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + """\
    r"""'<|im_end|>' + '\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
"""             # Qwen/Qwen2.5-0.5B-Instruct, short

ZEPHYR = """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>
'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""     # HuggingFaceH4/zephyr-7b-beta; TinyLlama-1.1B-Chat-v1.0

LLAMA2 = (      # meta-llama/Llama-2-7b-chat-hf
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = "
    "messages[1:] %}{% set system_message = messages[0]['content'] %}"
    "{% else %}{% set loop_messages = messages %}{% set system_message = "
    "false %}{% endif %}{% for message in loop_messages %}{% if "
    "(message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate "
    "user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0"
    " and system_message != false %}{% set content = '<<SYS>>\\n' + "
    "system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}"
    "{% set content = message['content'] %}{% endif %}{% if message['role'] "
    "== 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + "
    "' ' + eos_token }}{% endif %}{% endfor %}")

LLAMA3 = (      # meta-llama/Meta-Llama-3-8B-Instruct
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + "
    "'<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}"
    "{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}")

LLAMA3_HEAD = "{{- bos_token }}\n"
LLAMA3_BODY = r"""
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}

{#- System message #}
{{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
{{- "Cutting Knowledge Date: December 2023\n" }}
{{- "Today Date: " + date_string + "\n\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"""\
    r"""+ message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
"""
# meta-llama/Llama-3.1-8B-Instruct, short
LLAMA3_1 = LLAMA3_HEAD + """{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
""" + LLAMA3_BODY
# meta-llama/Llama-3.2-3B-Instruct, short
LLAMA3_2 = LLAMA3_HEAD + """{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
""" + LLAMA3_BODY

MISTRAL_0 = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == "
    "'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation "
    "roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + "
    "' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ message['content'] + eos_tokenEND}}{% else %}{{ raise_exception('"
    "Only user and assistant roles are supported!') }}{% endif %}"
    "{% endfor %}")
# mistralai/Mistral-7B-Instruct-v0.1 and -v0.2, as they were at first
MISTRAL_0_1 = MISTRAL_0.replace("END", " + ' ' ")
MISTRAL_0_2 = MISTRAL_0.replace("END", "")

MISTRAL_HEAD = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('After the optional system message, conversation
 roles must alternate user/assistant/user/assistant/...') }}
    {%- endif %}
"""
MISTRAL_TAIL = """    {%- else %}
        {{- raise_exception('Only user and assistant roles are supported, wi
th the exception of an initial optional system message!') }}
    {%- endif %}
{%- endfor %}
"""
# mistralai/Mistral-7B-Instruct-v0.2, later
MISTRAL_1 = MISTRAL_HEAD + r"""    {%- if message['role'] == 'user' %}
        {%- if loop.first and system_message is defined %}
            {{- ' [INST] ' + system_message + '\n\n' + message['content'] """\
    r"""+ ' [/INST]' }}
        {%- else %}
            {{- ' [INST] ' + message['content'] + ' [/INST]' }}
        {%- endif %}
    {%- elif message['role'] == 'assistant' %}
        {{- ' ' + message['content'] + eos_token}}
""" + MISTRAL_TAIL
# mistralai/Mistral-7B-Instruct-v0.3 and Mistral-Large-Instruct-2407, short
MISTRAL_3 = MISTRAL_HEAD + r"""    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\n\n" + message["content"] """\
    r"""+ "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
""" + MISTRAL_TAIL
# mistralai/Mistral-Nemo-Instruct-2407, short
MISTRAL_3_TEKKEN = MISTRAL_HEAD + r"""    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST]" + system_message + "\n\n" + message["content"] + """\
    r""""[/INST]" }}
        {%- else %}
            {{- "[INST]" + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- message["content"] + eos_token}}
""" + MISTRAL_TAIL
MISTRAL_7 = (   # mistralai/Mistral-Large-Instruct-2411
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == "
    "'user' %}{{ '[INST] ' + message['content'] + '[/INST]' }}{% elif "
    "message['role'] == 'system' %}{{ '[SYSTEM_PROMPT] ' + message['content']"
    " + '[/SYSTEM_PROMPT]' }}{% elif message['role'] == 'assistant' %}"
    "{{ ' ' + message['content'] + eos_token }}{% else %}{{ raise_exception("
    "'Only user, system and assistant roles are supported!') }}{% endif %}"
    "{% endfor %}")
# mistralai/Mistral-Small-3.1-24B-Instruct-2503, short
MISTRAL_7_TEKKEN = r"""{%- set today = strftime_now("%Y-%m-%d") %}
{%- set default_system_message = "The current date is " + today + "." %}
{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set system_message = default_system_message %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- '[SYSTEM_PROMPT]' + system_message + '[/SYSTEM_PROMPT]' }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {{- '[INST]' + message['content'] + '[/INST]' }}
    {%- elif message['role'] == 'assistant' %}
        {{- message['content'] + eos_token }}
    {%- endif %}
{%- endfor %}
"""

# Each with the format that it must be recognised as.
KNOWN = [
    ("chatml", SMOLLM2), ("chatml", HERMES), ("chatml", INTERNLM2),
    ("chatml", QWEN2_5), ("zephyr", ZEPHYR), ("llama2", LLAMA2),
    ("llama3", LLAMA3), ("llama3.1", LLAMA3_1), ("llama3.1", LLAMA3_2),
    ("mistral-v0.1", MISTRAL_0_1), ("mistral-v0.2", MISTRAL_0_2),
    ("mistral-v1", MISTRAL_1), ("mistral-v3", MISTRAL_3),
    ("mistral-v3-tekken", MISTRAL_3_TEKKEN), ("mistral-v7", MISTRAL_7),
    ("mistral-v7-tekken", MISTRAL_7_TEKKEN),
]

UNKNOWN = [
    "", "{{ messages }}", "[INST] {{ message }} [/INST]", "<|im_start|",
    # google/gemma-7b-it, its loop
    "{% for message in messages %}{{ '<start_of_turn>' + role + '\\n' + "
    "message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}",
    # microsoft/phi-4: the marks of ChatML, and another one
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + "
    "'<|im_sep|>' + message['content'] + '<|im_end|>\\n'}}{% endfor %}",
    # microsoft/Phi-3-medium-4k-instruct
    "{% for message in messages %}{% if (message['role'] == 'user') %}"
    "{{'<|user|>' + '\n' + message['content'] + '<|end|>' + '\n' + "
    "'<|assistant|>' + '\n'}}{% elif (message['role'] == 'assistant') %}"
    "{{message['content'] + '<|end|>' + '\n'}}{% endif %}{% endfor %}",
    # ChatML that takes away white space, or thoughts: not what we render
    HERMES.replace("message['content']", "message['content'] | trim"),
    HERMES + "{{ '<think>' }}",
    # Zephyr without its line breaks
    ZEPHYR.replace("}}\n", "}}"),
    # A mark without the line break behind it
    HERMES.replace("'<|im_end|>' + '\\n'", "'<|im_end|>'"),
    LLAMA2.replace("bos_token + ", ""),
    MISTRAL_3.replace("loop.last", "loop.first"),
    # A format's words, and another text
    HERMES.replace("message['role'] + '\\n'",
                   "message['role'] + '\\n '"),
    HERMES.replace("{{'<|im_start|>'", "{{bos_token + '<|im_start|>'"),
    HERMES + "{{ raise_exception('no') }}",
    HERMES.split("{% if add_generation")[0],
    LLAMA3.replace("{% for", "{{ '<|start_header_id|>system<|end_header_id|>"
                   "\n\nYou are Bob.<|eot_id|>' }}{% for", 1),
    MISTRAL_0_2.replace("{{ message['content']",
                        "{{ ' ' + message['content']"),
]


def with_default(system, head="{{ '<|im_start|>system\\n", tail="' }}"):
    """ChatML that puts a system prompt in front."""
    return ("{% if messages[0]['role'] != 'system' %}" + head + system
            + "<|im_end|>\\n" + tail + "{% endif %}" + HERMES)


# Default system prompts as templates spell them.
DEFAULTS = [
    with_default("You are Bob.\\nBe kind."), with_default("You\\'re {Bob}."),
    with_default(r"put your final answer within \\boxed{}."),
    with_default('Say "in".'),
    with_default("It's", '{{- "<|im_start|>system\\n', '" }}'),
    "{%- if tools %}{{- '<|im_start|>system\\n' }}{%- endif %}"
    + with_default("You are Bob."),
]
# And where we cannot tell: one must be given.
COMPUTED = [
    with_default("' + system_message + '"), with_default("\\x41"),
    with_default("You are Bob.", "<|im_start|>system\n", ""),
    "{# <|im_start|>system\nA comment.<|im_end|> #}" + HERMES,
    "{# {{ '<|im_start|>system\nA comment.<|im_end|>\n' }} #}" + HERMES,
    "{{ '<|im_start|>system\n' }}{{ 'Bob.<|im_end|>' }}" + HERMES,
]
