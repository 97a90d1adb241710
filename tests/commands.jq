# SPDX-License-Identifier: MIT
# What a shell script calls, from the syntax tree that shfmt makes of it.  A line for each: "command
# NAME", "function NAME" for what it defines, and "script TEXT" (TEXT as JSON) for what another shell
# is given to run.

# A word as text, or null where an expansion decides what it is.
def text:
  if (.Parts // []) | all(.Type == "Lit" or .Type == "SglQuoted"
      or (.Type == "DblQuoted" and ((.Parts // []) | all(.Type == "Lit"))))
  then [.Parts[]? | if .Type == "DblQuoted" then [.Parts[]?.Value] | join("") else .Value end] | join("")
  else null end;

# What runs the command that is named after it.
def runs_another:
  IN("run", "env", "timeout", "exec", "command", "xargs", "setsid", "setarch", "sudo", "nohup", "needs",
    "nice", "wait_for", "await", "time", "builtin", "taskset", "stdbuf", "flock", "unshare", "setpriv",
    "prlimit", "chroot", "script");
# Options, numbers, variables and sentences that stand before that name.
def passed_over: . != null and test("^[-+!]|^[0-9.]+[smh]?$|=|[ \t\n]|^$|^[A-Z_0-9]+$|/$|^[{}]+$");

def after_duration:
  if .[0] == "-k" then .[2:] | after_duration
  elif .[0] != null and (.[0] | startswith("-")) then .[1:] | after_duration
  else .[1:] end;

def command:
  if length == 0 or .[0] == null then empty
  elif .[0] | runs_another then
    .[0], ((if .[0] == "timeout" then .[1:] | after_duration else .[1:] end) as $rest
      | ($rest | map(passed_over | not) | index(true)) as $i
      | if $i == null then empty else $rest[$i:] | command end)
  else .[0] end;

# A word as the text of a script, in which $x stands for what an expansion makes.
def part: if .Type == "Lit" or .Type == "SglQuoted" then .Value else "$x" end;
def as_script:
  [.Parts[]? | if .Type == "DblQuoted"
    then [.Parts[]? | part | gsub("\\\\(?<c>[\"$`\\\\])"; .c)] | join("") else part end] | join("");

# What another shell is given: after -c, after --exec of sse-tail, or typed in a terminal.
def is_shell: IN("bash", "sh", "dash", "script", "terminal", "as_user");
def scripts:
  map(text) as $words | any($words[]; . != null and is_shell) as $shell
  | range(1; length) as $i | select($words[$i - 1] == "--exec" or $words[$i - 1] == "types"
      or ($shell and ($words[$i - 1] | IN("-c", "-ec", "-uc", "-qc", "-qec"))))
  | .[$i] | as_script;

(.. | objects | select(.Type == "CallExpr") | (.Args // [])
  | (map(text) | command | sub("^(/usr)?(/local)?/s?bin/"; "") | select(test("^[A-Za-z0-9_.\\[-]+$")) | "command " + .),
    (scripts | "script " + tojson)),
(.. | objects | select(.Type == "FuncDecl") | "function " + .Name.Value)
