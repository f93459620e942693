"""Names: what can name a submodule or a variable, and which Python identifiers come of them.

The reserved names are stored, so that specs are checked without torch; a test compares them with
the installed torch.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable
from typing import Literal

Container = Literal["module", "dict", "list"]
MAX_NAME = 200  # characters

# Every attribute that an `nn.Module` has before it has children. Those in double underscores
# (`__call__`) are refused as a class, not one by one.
_MODULE = frozenset(
    """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda
    double dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter
    get_submodule half ipu load_state_dict modules mtia named_buffers named_children named_modules
    named_parameters parameters register_backward_hook register_buffer register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
    register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu
    zero_grad
    _apply _backward_hooks _backward_pre_hooks _buffers _call_impl _compiled_call_impl
    _forward_hooks _forward_hooks_always_called _forward_hooks_with_kwargs _forward_pre_hooks
    _forward_pre_hooks_with_kwargs _get_backward_hooks _get_backward_pre_hooks _get_name
    _is_full_backward_hook _load_from_state_dict _load_state_dict_post_hooks
    _load_state_dict_pre_hooks _maybe_warn_non_full_backward_hook _modules _named_members
    _non_persistent_buffers_set _parameters _register_load_state_dict_pre_hook
    _register_state_dict_hook _replicate_for_data_parallel _save_to_state_dict _slow_forward
    _state_dict_hooks _state_dict_pre_hooks _version _wrapped_call_impl
    """.split()
)
# What emitted classes define themselves.
_EMITTED = frozenset({"init_weights", "reset_parameters", "tie_weights"})
_LIST = frozenset(
    {"append", "extend", "insert", "pop", "_get_abs_string_index", "_get_item_by_idx"}
)
_DICT = frozenset({"clear", "items", "keys", "pop", "update", "values"})
RESERVED: dict[Container, frozenset[str]] = {
    "module": _MODULE | _EMITTED,
    "dict": _MODULE | _EMITTED | _DICT,
    "list": _MODULE | _EMITTED | _LIST,
}

# The functions that expressions can call; `expr` gives them their meaning.
FUNCTIONS = frozenset(
    """
    min max len sum round abs int float ceil floor sqrt log range zip enumerate make_divisible
    """.split()
)

TRAINING = "training"  # the word that the expression of a `when` reads, and no other

# Names that emitted source reads, so that nothing else in it may have them.
SOURCE = frozenset(
    "F IndexError OrderedDict Tensor bool dict functools getattr isinstance list math nn self str "
    "super torch torchvision tuple".split()
)

_FORBIDDEN = {".": "a dot", "$": "a dollar", "'": "a quote", '"': "a quote", "\\": "a backslash"}


def problem(name: str, container: Container = "module") -> str | None:
    """Why `name` cannot be a child's name, or None if it can.

    `container` is what will hold the child: a class of its own, an `nn.ModuleDict`, or an
    `nn.ModuleList` or `nn.Sequential`; each has methods that a child would hide.
    """
    if not name:
        return "a name cannot be empty"
    if len(name) > MAX_NAME:
        return f"a name has at most {MAX_NAME} characters"
    for char in name:
        if char in _FORBIDDEN:
            return f"a name cannot contain {_FORBIDDEN[char]}"
        if char.isspace():
            return "a name cannot contain a space"
        # Cc control, Cf format (bidi marks, zero width), Cs surrogate: none can be seen
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn", "Co"):
            return f"a name cannot contain the invisible character U+{ord(char):04X}"
    if name.startswith("__"):
        return "Python keeps names that begin with two underscores to itself"
    if name in RESERVED["module"]:
        return f"every torch module has an attribute {name!r} already"
    if name in RESERVED[container]:
        return f"the container that torch keeps such children in has a method {name!r} already"
    return None


def identifier(text: str) -> str:
    """A Python identifier that reads like `text`: ``a-b`` gives ``a_b``, ``class`` ``class_``."""
    out = re.sub(r"\W", "_", unicodedata.normalize("NFKC", text)) or "_"
    if not out.isidentifier():
        out = f"_{out}"
    if not out.isidentifier():  # a letter-like character that Python does not take
        out = re.sub(r"[^0-9A-Za-z_]", "_", out)
    return f"{out}_" if keyword.iskeyword(out) else out


def class_name(text: str) -> str:
    """The class of a block: ``dense_layer`` gives ``DenseLayer``, ``densenet121`` ``Densenet121``."""
    words = re.split(r"[\W_]+", text)
    return identifier("".join(word[:1].upper() + word[1:] for word in words))


def is_attribute(name: str) -> bool:
    """Whether ``self.name`` and ``name=`` can be written."""
    return identifier(name) == name


def is_variable(name: str) -> bool:
    """Whether expressions can use `name` for a param, a `let` or a loop variable."""
    return (
        len(name) <= MAX_NAME
        and name.isidentifier()
        and not keyword.iskeyword(name)
        and name not in FUNCTIONS
        and name not in SOURCE
        and name != TRAINING
        and not name.startswith("__")
        and unicodedata.normalize("NFKC", name) == name
    )


def unique(name: str, taken: Iterable[str]) -> str:
    """`name`, or the first of ``name_2``, ``name_3``, ... that is not taken."""
    used = set(taken)
    if name not in used:
        return name
    number = 2
    while f"{name}_{number}" in used:
        number += 1
    return f"{name}_{number}"
