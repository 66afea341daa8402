// Package completion writes the scripts by which shells complete a program's
// commands and flags, from kong's own model of them.
//
//	script := completion.Script("zsh", parsed.Model.Node)
package completion

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Script returns the script for a shell, bash, zsh or fish, to be sourced in it;
// empty for another one.
func Script(shell string, root *kong.Node) string {
	words := completions(root)
	switch shell {
	case "bash":
		return bashScript(words)
	case "zsh":
		return zshScript(words)
	case "fish":
		return fishScript(words)
	}
	return ""
}

// A completion is what can follow a command.
type completion struct {
	path  string // "secret set", empty for roost itself
	words []word
}

// word is one that a shell offers.
type word struct{ text, help string }

// completions lists what can follow each command, by kong's own model.
func completions(root *kong.Node) []completion {
	var all []completion
	var visit func(node *kong.Node, path string)
	visit = func(node *kong.Node, path string) {
		one := completion{path: path}
		for _, child := range node.Children {
			if child.Hidden || child.Type != kong.CommandNode {
				continue
			}
			one.words = append(one.words, word{child.Name, child.Help})
			visit(child, strings.TrimSpace(path+" "+child.Name))
		}
		for _, group := range node.AllFlags(true) {
			for _, flag := range group {
				one.words = append(one.words, word{"--" + flag.Name, flag.Help})
			}
		}
		for _, argument := range node.Positional {
			for _, value := range argument.EnumSlice() {
				if value != "" {
					one.words = append(one.words, word{value, ""})
				}
			}
		}
		all = append(all, one)
	}
	visit(root, "")
	slices.SortFunc(all, func(a, b completion) int { return strings.Compare(a.path, b.path) })
	return all
}

func texts(words []word) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = w.text
	}
	return strings.Join(list, " ")
}

// commandPattern is the case that matches the words that name a command.
func commandPattern(all []completion) string {
	var b strings.Builder
	for _, one := range all {
		fmt.Fprintf(&b, "    %s) words=%s ;;\n", single(one.path), single(texts(one.words)))
	}
	return b.String()
}

// single quotes a text for any of the shells.
func single(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// A command's words are found by dropping flags and, from the end, what is no
// command.
const bashTemplate = `_roost() {
  local current="${COMP_WORDS[COMP_CWORD]}" path="" words="" word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    case "$word" in -*) continue ;; esac
    case " $(_roost_words "$path") " in *" $word "*) path="${path:+$path }$word" ;; esac
  done
  words="$(_roost_words "$path")"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
_roost_words() {
  local words=""
  case "$1" in
%s  esac
  printf '%%s' "$words"
}
complete -o filenames -F _roost roost
`

func bashScript(all []completion) string { return fmt.Sprintf(bashTemplate, commandPattern(all)) }

const zshTemplate = `#compdef roost
_roost_words() {
  local words=""
  case "$1" in
%s  esac
  print -r -- "$words"
}
_roost() {
  local path_="" word
  for word in "${(@)words[2,CURRENT-1]}"; do
    [[ "$word" == -* ]] && continue
    [[ " $(_roost_words "$path_") " == *" $word "* ]] && path_="${path_:+$path_ }$word"
  done
  compadd -- ${=$(_roost_words "$path_")}
  _files
}
if [[ "$funcstack[1]" == _roost ]]; then _roost; elif (( $+functions[compdef] )); then compdef _roost roost; fi
`

func zshScript(all []completion) string { return fmt.Sprintf(zshTemplate, commandPattern(all)) }

// fishScript offers words by the commands that the line has.
func fishScript(all []completion) string {
	var b strings.Builder
	b.WriteString(fishHead)
	for _, one := range all {
		for _, w := range one.words {
			what := "-a " + fishQuote(w.text)
			if long, flag := strings.CutPrefix(w.text, "--"); flag {
				what = "-l " + long
			}
			fmt.Fprintf(&b, "complete -c roost -n %s %s -d %s\n", fishQuote("__roost_at "+fishQuote(one.path)), what, fishQuote(w.help))
		}
	}
	return b.String()
}

// fishHead has the condition: whether the words before the cursor, without
// flags, name the command.
const fishHead = `function __roost_at
  set -l path
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; or set -a path $word
  end
  set -l wanted (string split -n ' ' -- $argv[1])
  set -l depth (count $wanted)
  if test $depth -eq 0
    test (count $path) -eq 0
    return
  end
  test (count $path) -ge $depth; and test "$path[1..$depth]" = "$wanted"
end
`

func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
