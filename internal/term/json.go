package term

import (
	"bytes"
	"encoding/json"
)

// JSONVersion is the version of the objects that a Printer writes after JSON.
// A member or a type that is added does not change it; one that is taken away
// or means something else does. docs/json.md lists them.
const JSONVersion = 1

// JSON makes the printer write objects, one to a line and all to standard
// output, for programs that read along. It is called before anything is
// printed.
func (p *Printer) JSON() { p.json = true }

// IsJSON reports whether objects are written.
func (p *Printer) IsJSON() bool { return p.json }

// Event writes an object where objects are wanted: {"v":1,"type":kind, …} with
// the members of v, a struct or a map. Elsewhere it does nothing.
func (p *Printer) Event(kind string, v any) {
	if !p.json {
		return
	}
	members, err := marshal(v)
	if err != nil || len(members) < 2 || members[0] != '{' {
		members = []byte("{}")
	}
	head, err := marshal(map[string]any{"v": JSONVersion, "type": kind})
	if err != nil {
		return // numbers and strings always marshal
	}
	line := bytes.TrimSuffix(head, []byte("}"))
	if len(members) > 2 {
		line = append(line, ',')
	}
	p.write(p.out, string(append(line, members[1:]...)))
}

// marshal writes JSON without HTML's escapes and without a line's end.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// text is what objects that hold words for a person consist of.
type text struct {
	Text  string   `json:"text"`
	Hints []string `json:"hints,omitempty"`
}

// pairs as the members of an object.
func pairs(list []Pair) map[string]string {
	all := map[string]string{}
	for _, pair := range list {
		all[pair.Name] = pair.Value
	}
	return all
}

// jsonStack is a result block.
type jsonStack struct {
	Stack   string            `json:"stack"`
	Status  string            `json:"status"`
	Error   string            `json:"error,omitempty"`
	Outputs map[string]string `json:"outputs"`
	Exports map[string]string `json:"exports,omitempty"`
	Local   map[string]string `json:"local,omitempty"`
}

func (p *Printer) stackEvent(s Stack) {
	event := jsonStack{Stack: s.Name, Status: s.Status, Error: s.Error, Outputs: pairs(s.Outputs)}
	if len(s.Exports) > 0 {
		event.Exports = pairs(s.Exports)
	}
	if len(s.Local) > 0 {
		event.Local = pairs(s.Local)
	}
	p.Event("stack", event)
}
