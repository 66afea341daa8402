package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Environ returns the environment with the variables of .env.<stage> and .env
// added where it has none of that name. What is set outside wins, and the
// stage's file wins over .env.
func (a *App) Environ(environ []string) ([]string, error) {
	known := map[string]bool{}
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		known[name] = true
	}
	all := environ[:len(environ):len(environ)]
	for _, name := range []string{".env." + a.Stage, ".env"} {
		data, err := os.ReadFile(filepath.Join(a.Dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		values, err := parseDotenv(name, string(data))
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			if !known[v.name] {
				all = append(all, v.name+"="+v.value)
			}
		}
		for _, v := range values {
			known[v.name] = true
		}
	}
	return all, nil
}

// Lookup finds a variable of an environment. Of several the last counts, as for
// processes.
func Lookup(environ []string, name string) (value string, found bool) {
	for _, v := range slices.Backward(environ) {
		if value, found := strings.CutPrefix(v, name+"="); found {
			return value, true
		}
	}
	return "", false
}

// EnvFiles are the files that Environ reads, absolute, whether they exist or
// not.
func (a *App) EnvFiles() []string {
	return []string{filepath.Join(a.Dir, ".env."+a.Stage), filepath.Join(a.Dir, ".env")}
}

type variable struct{ name, value string }

var variableName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`) })

// parseDotenv reads lines NAME=VALUE. Empty lines and lines that begin with #
// are skipped, as is a word export in front. A value may stand in single
// quotes, which take everything as it is, or in double quotes, in which \n, \"
// and \\ have their usual meaning; outside quotes " #" begins a comment.
// No message ever holds a value: the file is full of secrets.
func parseDotenv(file, text string) ([]variable, error) {
	var all []variable
	text = strings.TrimPrefix(text, byteOrderMark)
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "export "))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !found || !variableName().MatchString(name) {
			return nil, &Error{File: file, Line: i + 1, Text: "this is not NAME=VALUE",
				Remedy: "begin comments with #, and put a value of several words in quotes"}
		}
		value, err := unquote(strings.TrimSpace(value))
		if err != nil {
			return nil, &Error{File: file, Line: i + 1, Text: fmt.Sprintf("the value of %s %v", name, err),
				Remedy: "close the quotes on the same line"}
		}
		all = append(all, variable{name, value})
	}
	return dedupe(all), nil
}

// dedupe keeps the last value of each name.
func dedupe(all []variable) []variable {
	last := map[string]int{}
	for i, v := range all {
		last[v.name] = i
	}
	var kept []variable
	for i, v := range all {
		if last[v.name] == i {
			kept = append(kept, v)
		}
	}
	return kept
}

var errOpenQuote = errors.New("has quotes that do not close")

func unquote(value string) (string, error) {
	if value == "" || value[0] != '"' && value[0] != '\'' {
		if i := strings.Index(value, " #"); i >= 0 {
			value = strings.TrimSpace(value[:i])
		}
		return value, nil
	}
	quote := value[0]
	var s strings.Builder
	for i := 1; i < len(value); i++ {
		switch c := value[i]; {
		case c == quote:
			if rest := strings.TrimSpace(value[i+1:]); rest != "" && rest[0] != '#' {
				return "", errors.New("goes on after its quotes")
			}
			return s.String(), nil
		case c == '\\' && quote == '"' && i+1 < len(value):
			i++
			s.WriteString(unescape(value[i]))
		default:
			s.WriteByte(c)
		}
	}
	return "", errOpenQuote
}

func unescape(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case '"', '\\', '$':
		return string(c)
	}
	return "\\" + string(c)
}
