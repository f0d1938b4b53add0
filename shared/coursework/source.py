"""Functions in source files: found, emptied, and replaced, with the standard library's `ast`.

Only whole lines change, so that the rest of a file stays as it was written.
"""

import ast
import re
from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef
ALLOWED = {
    "__future__", "captum", "collections", "cv2", "dataclasses", "functools", "heapq", "itertools", "math", "numpy",
    "operator", "pandas", "projects", "re", "scipy", "shared", "sklearn", "statistics", "string", "torch",
    "torchvision", "typing", "unicodedata",
}  # fmt: skip
"""What a submission may import; nothing of it reaches the tests or the machine."""
FORBIDDEN = {"__import__", "breakpoint", "compile", "eval", "exec", "exit", "globals", "input", "open", "quit", "vars"}


def find_function(source: str, qualname: str) -> Function:
    """The node of `function` or `Class.method`. Raises ValueError with one sentence."""
    *classes, name = qualname.split(".")
    body = _parse(source).body
    for part in classes:
        body = next((node.body for node in body if isinstance(node, ast.ClassDef) and node.name == part), [])
    found = [node for node in body if isinstance(node, Function) and node.name == name]
    if not found:
        raise ValueError(f"there is no function {qualname}")
    return found[-1]  # the last definition is the one that counts


def _parse(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise ValueError(f"the file is not Python{line}: {getattr(error, 'msg', error)}") from None


def with_body(source: str, qualname: str, body: str) -> str:
    """A file whose function keeps its signature and docstring, and has another body (lines without indentation)."""
    node = find_function(source, qualname)
    keep = node.body[0].end_lineno if ast.get_docstring(node) is not None else _signature_end(node)
    lines = _lines(source)
    indent = " " * (node.col_offset + 4)
    new = [indent + line if line else "" for line in _lines(body)]
    return "\n".join([*lines[:keep], *new, *lines[node.end_lineno :]]) + "\n"


def _signature_end(node: Function) -> int:
    """The last line of the signature: the one before the first statement or, if it is shared, that one."""
    return node.body[0].lineno - 1


def body_of(source: str, name: str) -> str:
    """The body of a function without its docstring, as lines without indentation."""
    node = find_function(source, name)
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    lines = _lines(source)[statements[0].lineno - 1 : node.end_lineno]
    margin = statements[0].col_offset
    return "\n".join(line[margin:] for line in lines)


def emptied(source: str, qualname: str, exercise: str) -> str:
    """A file whose function raises NotImplementedError, without the imports that only its body needed."""
    before = _used_names(_parse(source))
    stub = with_body(source, qualname, f'raise NotImplementedError("exercise {exercise}")')
    return without_imports(stub, before - _used_names(_parse(stub)))


def without_imports(source: str, names: set[str]) -> str:
    """A file without these names in its imports."""
    lines = _lines(source)
    for node in reversed(_parse(source).body):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        kept = [alias for alias in node.names if (alias.asname or alias.name.split(".")[0]) not in names]
        if len(kept) == len(node.names):
            continue
        node.names = kept
        lines[node.lineno - 1 : node.end_lineno] = [ast.unparse(node)] if kept else []
    return "\n".join(lines) + "\n"


def _used_names(tree: ast.AST) -> set[str]:
    """All names that are read in a tree, also inside of annotations that are text."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return names | {word for text in texts if len(text) < 100 for word in re.findall(r"[A-Za-z_]\w*", text)}


def grafted(clean: str, submitted: str, qualname: str) -> str:
    """The clean file with the submitted function in it, and with what that function needs of its own file: helpers,
    constants and imports that the clean file does not have.

    Raises ValueError with one sentence if the submission has no such function, is not Python, or reaches further than
    an exercise needs.
    """
    original, own, tree = find_function(clean, qualname), find_function(submitted, qualname), _parse(submitted)
    if _arguments(own) != _arguments(original):
        raise ValueError(f"the arguments of {qualname} must stay ({', '.join(_arguments(original))})")
    known = _defined(_parse(clean))
    available = {name: node for node in tree.body for name in _bound(node) if name not in known}
    methods = _methods(tree, _parse(clean), qualname, own)
    needed: list[ast.stmt] = []
    waiting: list[ast.AST] = [own, *methods]
    while waiting:
        part = waiting.pop()
        refuse_reach(part)
        for name in _used_names(part):
            node = available.pop(name, None)
            if node is not None and node not in needed:
                needed.append(node)
                waiting.append(node)
    needed.sort(key=lambda node: node.lineno)
    imports = [ast.unparse(node) for node in needed if isinstance(node, ast.Import | ast.ImportFrom)]
    helpers = [ast.unparse(node) for node in needed if not isinstance(node, ast.Import | ast.ImportFrom)]
    lines = _lines(clean)
    inside = [line for method in methods for line in ["", *_lines(submitted)[_start(method) - 1 : method.end_lineno]]]
    first = _start(original)
    kept = [lines[number - 1] for number in range(first, original.lineno)]  # its decorators
    text = _lines(submitted)[own.lineno - 1 : own.end_lineno]
    lines[first - 1 : original.end_lineno] = [*kept, *text, *inside]
    after = next((n.end_lineno or 0 for n in reversed(_parse(clean).body) if _is_future(n)), 0) or _docstring_end(clean)
    return "\n".join([*lines[:after], *imports, *lines[after:], "", *helpers]) + "\n"


def _lines(source: str) -> list[str]:
    """The lines as `ast` counts them: other characters than line feeds, which `splitlines` knows, end none."""
    return source.removesuffix("\n").split("\n")


def _start(node: Function) -> int:
    """The line where a function begins, with its decorators."""
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _arguments(node: Function) -> list[str]:
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [argument.arg for argument in every]


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _docstring_end(source: str) -> int:
    tree = ast.parse(source)
    return (tree.body[0].end_lineno or 0) if ast.get_docstring(tree) is not None else 0


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement of a module defines."""
    if isinstance(node, Function | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))
    elif isinstance(node, ast.Try | ast.If):
        for part in (*node.body, *node.orelse):
            yield from _bound(part)


def _defined(tree: ast.Module) -> set[str]:
    return {name for node in tree.body for name in _bound(node)}


def _methods(submitted: ast.Module, clean: ast.Module, qualname: str, own: Function) -> list[Function]:
    """New methods of the same class that the submitted one calls, also through others."""
    holder = qualname.rpartition(".")[0].rpartition(".")[2]

    def methods(tree: ast.Module) -> dict[str, Function]:
        classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
        body = next((node.body for node in classes if node.name == holder), [])
        return {node.name: node for node in body if isinstance(node, Function)}

    known, found, waiting = methods(clean), {}, [own]
    new = {name: node for name, node in methods(submitted).items() if name not in known}
    while waiting:
        called = {node.attr for node in ast.walk(waiting.pop()) if isinstance(node, ast.Attribute)}
        for name in sorted(called & (new.keys() - found.keys())):
            found[name] = new[name]
            waiting.append(new[name])
    return list(found.values())


def refuse_reach(code: ast.AST | str) -> None:
    """Raises ValueError where code reaches for the interpreter, the tests or the machine."""
    for node in ast.walk(_parse(code) if isinstance(code, str) else code):
        roots: list[str] = []
        if isinstance(node, ast.Import):
            roots = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            roots = [(node.module or "").split(".")[0]]
        if outside := [name for name in roots if name not in ALLOWED]:
            raise ValueError(f"an exercise needs no import of {outside[0]}")
        if isinstance(node, ast.Name) and node.id in FORBIDDEN:
            raise ValueError(f"an exercise needs no {node.id}")
        if isinstance(node, ast.Attribute) and re.fullmatch(r"__\w+__", node.attr) and node.attr != "__init__":
            raise ValueError(f"an exercise needs no {node.attr}")
