# SPDX-License-Identifier: GPL-2.0
"""Reads the lists of mutate.sh, and puts their faults into source files.

    mutate.py list LISTS                     a line for each fault: ID, topic, alone or -,
                                             verdict, files, its tests, and all its text
    mutate.py put LISTS SOURCE OUT all|one ID...

"put" reads the files below SOURCE and writes those that change below OUT. With "one"
the diff of that fault is applied as it is. With "all" each function that a fault
changes gets a copy with the fault, and calls it first of all if mutant_id is the
number of the fault: 3012 for C12, so that another fault does not change it.
"""
import os, re, sys

FIELDS = ("user", "test", "verdict", "build")


class Fault:
    def __init__(self, ident, topic, where):
        self.id, self.topic, self.where, self.number = ident, topic, where, 0
        for letter in ident.rstrip("0123456789"):
            self.number = self.number * 26 + ord(letter) - ord("A") + 1
        self.number = self.number * 1000 + int(ident.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        self.user = self.test = self.verdict = self.build = ""
        self.hunks, self.text = [], []          # (file, function, [diff lines])

    def files(self):
        return list(dict.fromkeys(h[0] for h in self.hunks))

    def tests(self):        # "uml a.b c.d; vm e.f" -> uml:a.b uml:c.d vm:e.f
        if self.test == "-":
            return []
        return [line.split()[0] + ":" + name for line in self.test.split(";") if line.split()
                for name in line.split()[1:]]

    def mistake(self):
        word, _, reason = self.verdict.partition(":")
        if word not in ("killed", "chance", "survives", "equivalent"):
            return "its verdict is none of killed, chance, survives: REASON, equivalent: REASON"
        if word in ("survives", "equivalent") and not reason.strip():
            return "its verdict gives no reason"
        if word in ("killed", "chance") and not self.tests():
            return "it has no test that is to kill it"
        if not self.test:
            return "it has no line 'test: CONFIG NAME...' or 'test: -'"
        if any(t.startswith("litmus:") for t in self.tests()):
            self.build = "alone"
        if self.build not in ("", "alone"):
            return "'build: " + self.build + "' is unknown; there is only 'build: alone'"
        if not self.user:
            return "it does not say what it does to a user"
        if not any(line[0] in "+-" for h in self.hunks for line in h[2]):
            return "it changes nothing"


def read_lists(folder):
    faults, wrong = [], []
    for topic in sorted(os.listdir(folder)):
        fault = field = None
        for number, line in enumerate(open(os.path.join(folder, topic), encoding="utf-8"), 1):
            line = line.rstrip("\n")
            if line.startswith("#"):
                continue
            if not line:
                fault = None
                continue
            if fault is None:
                head = re.fullmatch(r"([A-Z]{1,3}[1-9]\d{0,2}) (\S+)", line)
                if not head:
                    wrong.append(f"{topic}, line {number}: '{line}' is no 'ID FILE'")
                    break
                fault = Fault(head[1], topic, f"{topic}, line {number}: {head[1]}")
                faults.append(fault)
                field, path = None, head[2]
                fault.text.append(line)
                continue
            fault.text.append(line)
            named = re.match(r"(\w+):\s*(.*)", line)
            if line.startswith("+++ "):
                path = line[4:].strip()
            elif line.startswith("@@"):
                fault.hunks.append((path, line[2:].strip(), []))
            elif fault.hunks and line[0] in " +-":
                fault.hunks[-1][2].append(line)
            elif not fault.hunks and named and named[1] in FIELDS:
                field = named[1]
                old = getattr(fault, field)
                setattr(fault, field, (old + "; " if old else "") + named[2].strip())
            elif not fault.hunks and field and line[0] in " \t":
                setattr(fault, field, getattr(fault, field) + " " + line.strip())
            else:
                wrong.append(f"{topic}, line {number}: '{line}' is not understood")
    seen = {}
    for fault in faults:
        mistake = fault.mistake()
        if fault.id in seen:
            mistake = "there is another one of that name"
        seen[fault.id] = fault
        if mistake:
            wrong.append(fault.where + ": " + mistake)
    if wrong:
        sys.exit("\n".join(wrong))
    return faults


class Wrong(Exception):
    pass


def functions(lines):
    """(first line of the head, line of the brace, last line) of each function."""
    at = 0
    while at < len(lines):
        if lines[at] != "{":
            at += 1
            continue
        first = at
        while first and lines[first - 1].strip() and not re.search(r"^[#}]|^ ?\*|\*/$|[;}]$|^EXPORT_", lines[first - 1]):
            first -= 1
        last = at
        while last < len(lines) and not lines[last].startswith("}"):
            last += 1
        yield first, at, last
        at = last + 1


def find(lines, name, diff):
    """Where the old lines of a hunk are: (line, function or None)."""
    old = [d[1:].strip() for d in diff if d[0] in " -"]
    if not old:
        raise Wrong("a hunk has only new lines; give it a line of context")
    all_functions = list(functions(lines))
    inside = all_functions
    if name:
        inside = [f for f in all_functions if re.search(r"\b" + re.escape(name) + r"\(", " ".join(lines[f[0]:f[1]]))]
        if len(inside) != 1:
            raise Wrong(f"there are {len(inside)} functions {name}()")
    hits = [i for i in range(len(lines) - len(old) + 1)
            if [text.strip() for text in lines[i:i + len(old)]] == old
            and (not name or inside[0][0] <= i <= inside[0][2])]
    if len(hits) != 1:
        raise Wrong(f"'{old[0]}' is there {len(hits)} times" if hits else f"there is no '{old[0]}' (with what follows)")
    return hits[0], next((f for f in all_functions if f[1] < hits[0] and hits[0] + len(old) - 1 < f[2]), None)


def changed(lines, at, diff):
    """The lines that take the place of those from `at` on: (how many, which)."""
    new, i = [], at
    for d in diff:
        if d[0] == "+":
            new.append(d[1:])
            continue
        if d[0] == " ":
            new.append(lines[i])
        i += 1
    return i - at, new


def edit(lines, edits):
    lines = list(lines)
    for at, diff in sorted(edits, key=lambda e: -e[0]):
        count, new = changed(lines, at, diff)
        lines[at:at + count] = new
    return lines


def copy_of(lines, function, edits, fault, path):
    """A copy of the function with the fault, and the call of it."""
    first, brace, last = function
    name = re.match(r"(.*?)\b(\w+)\s*\(([^{]*)\)[^()]*$", "\n".join(lines[first:brace]), re.S)
    if not name:
        raise Wrong("the head of its function is not understood; say 'build: alone'")
    kind, called, parameters = name.groups()
    kind = re.sub(r"\b(static|inline|__always_inline|noinline|__weak|asmlinkage)\b\s*", "", kind)
    arguments, depth, start = [], 0, 0
    for i, c in enumerate(parameters + ","):
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            arguments.append(parameters[start:i])
            start = i + 1
    arguments = [re.search(r"\(\s*\*\s*(\w+)\s*\)|(\w+)\s*(?:\[[^]]*\]\s*)*$", a) for a in arguments]
    arguments = [a[1] or a[2] for a in arguments if a]
    if arguments == ["void"]:
        arguments = []
    twin = f"{called}__{fault.id}"
    body = edit(lines[brace:last + 1], [(at - brace, diff) for at, diff in edits])
    text = [f'#line {brace} "fault {fault.id} of {path}"',
            f"static noinline __maybe_unused {kind.strip()} {twin}({parameters})"] + body
    call = [f"\tif (({{ extern int mutant_id; unlikely(READ_ONCE(mutant_id) == {fault.number}); }}))",
            f"\t\treturn {twin}({', '.join(arguments)});"]
    return text, call


def put(faults, ids, source, out, how):
    texts, wrong, before, inside = {}, [], {}, {}

    def text(path):
        if path not in texts:
            try:
                texts[path] = open(os.path.join(source, path), encoding="utf-8").read().split("\n")
            except FileNotFoundError:
                raise Wrong(f"there is no file {path}")
        return texts[path]

    results = {}
    for fault in faults:
        if fault.id not in ids:
            continue
        try:
            edits = {}
            for path, name, diff in fault.hunks:
                at, function = find(text(path), name, diff)
                if how == "all" and not function:
                    raise Wrong("it is not in a function; say 'build: alone'")
                edits.setdefault((path, function if how == "all" else None), []).append((at, diff))
            for (path, function), these in edits.items():
                if how == "one":
                    results[path] = edit(text(path), these)
                    continue
                twin, call = copy_of(text(path), function, these, fault, path)
                before.setdefault((path, function), []).append(twin)
                inside.setdefault((path, function), []).append(call)
        except Wrong as why:
            wrong.append(f"{fault.where} does not apply: {why}")
    if wrong:
        sys.exit("\n".join(wrong))
    for path in {p for p, _ in before}:
        lines = list(text(path))
        for p, function in sorted(before, key=lambda k: -k[1][0] if k[0] == path else 0):
            if p != path:
                continue
            first, brace, _ = function
            back = [f'#line {first + 1} "{path}"']
            lines[brace + 1:brace + 1] = sum(inside[p, function], []) + [f'#line {brace + 2} "{path}"']
            lines[first:first] = sum(before[p, function], []) + back
        results[path] = lines
    if how == "all":
        results["kernel/params.c"] = results.get("kernel/params.c") or list(text("kernel/params.c"))
        results["kernel/params.c"] += ["int mutant_id;", "EXPORT_SYMBOL(mutant_id);",
                                       "core_param(mutant, mutant_id, int, 0444);", ""]
    for path, lines in results.items():
        os.makedirs(os.path.dirname(os.path.join(out, path)), exist_ok=True)
        with open(os.path.join(out, path), "w", encoding="utf-8") as f:
            f.write("\n".join(lines))


faults = read_lists(sys.argv[2])
if sys.argv[1] == "list":
    for f in faults:
        print(f.number, f.id, f.topic, f.build or "-", f.verdict.partition(":")[0], ",".join(f.files()),
              " ".join(f.tests()) or "-", "\\n".join(f.text).replace("\t", "\\t"), sep="\t")
else:
    put(faults, sys.argv[6:], *sys.argv[3:6])
