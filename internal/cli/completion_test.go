package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCompletion sources each shell's script in that shell, if the machine has
// it, and asks what follows "roost secret" and "roost completion".
func TestCompletion(t *testing.T) {
	for shell, ask := range map[string]string{
		"bash": `source "$1"; shift; COMP_WORDS=(roost "$@" ""); COMP_CWORD=$(($# + 1)); _roost; printf '%s\n' "${COMPREPLY[@]}"`,
		"zsh":  `autoload -U compinit && compinit -u -D; source "$1"; shift; _roost_words "$*" | tr ' ' '\n'; [[ -n "$_comps[roost]" ]]`,
		"fish": `source $argv[1]; complete -C "roost $argv[2..-1] " | string replace -r '\t.*' ''; true`,
	} {
		t.Run(shell, func(t *testing.T) {
			program, err := exec.LookPath(shell)
			if err != nil {
				t.Skip("the machine has no " + shell)
			}
			code, script, errs := run(t, "", "completion", shell)
			if code != 0 {
				t.Fatalf("status %d: %s", code, errs)
			}
			file := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
				t.Fatal(err)
			}
			for words, want := range map[string][]string{"secret": {"set", "list", "remove"}, "completion": {"bash", "zsh", "fish"}} {
				args := []string{"-c", ask}
				if shell != "fish" {
					args = append(args, shell)
				}
				cmd := exec.Command(program, append(args, file, words)...)
				cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
				said, err := cmd.CombinedOutput()
				got := strings.Split(string(said), "\n")
				for _, word := range want {
					if err != nil || !slices.Contains(got, word) {
						t.Errorf("after %q it does not offer %q: %v\n%s", words, word, err, said)
					}
				}
				if slices.Contains(got, "deploy") {
					t.Errorf("after %q it offers deploy", words)
				}
			}
		})
	}
}
