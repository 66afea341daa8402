# Reads {"Handler", "Export", "Files"} and writes a list of problems. It parses
# the files and runs none of them.
import ast
import json
import sys


def names(tree):
    """The names that a module defines at its top, or None if it takes all of another's."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if alias.name == "*":
                    return None
                found.add(alias.asname or alias.name.split(".")[0])
    return found


def check(asked):
    problems = []
    for name in asked["Files"]:
        with open(name, "rb") as file:
            source = file.read()
        try:
            tree = ast.parse(source, name)
        except SyntaxError as e:
            problems.append({"File": name, "Line": e.lineno or 0, "Column": e.offset or 0, "Text": e.msg})
            continue
        except ValueError as e:
            problems.append({"File": name, "Text": str(e)})
            continue
        if name == asked["Handler"]:
            known = names(tree)
            if known is not None and asked["Export"] not in known:
                problems.append({"File": name, "Text": "there is no function " + asked["Export"]})
    return problems


json.dump(check(json.load(sys.stdin)), sys.stdout)
