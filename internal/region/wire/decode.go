package wire

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// copyJSON gives to what from's JSON form says, refusing unknown members.
func copyJSON(from, to any) error {
	if from == nil {
		return nil
	}
	data, ok := from.(json.RawMessage)
	if !ok {
		var err error
		if data, err = json.Marshal(from); err != nil {
			return err
		}
	}
	return decodeJSON(data, to)
}

// answerJSON gives to what an output's JSON form says of its members.
func answerJSON(output, to any) error {
	data, err := json.Marshal(output)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, to)
}

// decodeJSON reads one JSON value, refusing unknown members by name.
func decodeJSON(data []byte, to any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(to); err != nil {
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return fmt.Errorf("roost does not support the member %s", name)
		}
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return fmt.Errorf("the member %q cannot be a JSON %s", wrong.Field, wrong.Value)
		}
		return &Error{Code: "SerializationException", Message: "the body is not valid JSON: " + strings.TrimPrefix(err.Error(), "json: ")}
	}
	if _, err := decoder.Token(); err != io.EOF {
		return &Error{Code: "SerializationException", Message: "the body has more than one JSON value"}
	}
	return nil
}

// members goes over each exported field of a struct, those of embedded
// structs among them.
func members(v reflect.Value) iter.Seq2[reflect.StructField, reflect.Value] {
	return func(yield func(reflect.StructField, reflect.Value) bool) { eachMember(v, yield) }
}

func eachMember(v reflect.Value, yield func(reflect.StructField, reflect.Value) bool) bool {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		switch {
		case field.Anonymous && field.Type.Kind() == reflect.Struct && field.Tag.Get("json") == "":
			if !eachMember(v.Field(i), yield) {
				return false
			}
		case field.IsExported() && !yield(field, v.Field(i)):
			return false
		}
	}
	return true
}

// memberName returns a field's name on the wire.
func memberName(field reflect.StructField) string {
	if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
		return name
	}
	return field.Name
}

// checkRequired reports the first member tagged required that has no value.
func checkRequired(v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return checkRequired(v.Elem(), path)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil
		}
		for i := range v.Len() {
			if err := checkRequired(v.Index(i), fmt.Sprintf("%s%d.", path, i+1)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for field, value := range members(v) {
			name := memberName(field)
			if field.Tag.Get("required") == "true" && value.IsZero() {
				return fmt.Errorf("the member %s%s is missing", path, name)
			}
			if err := checkRequired(value, path+name+"."); err != nil {
				return err
			}
		}
	}
	return nil
}

// params are the parameters of the query protocol, as a tree: "A.member.1.B"
// is the child B of the child 1 of A.
type params struct {
	value    string
	set      bool
	children map[string]*params
}

// maxQueryDepth bounds how deep parameters may nest.
const maxQueryDepth = 16

func parseParams(form map[string][]string) (*params, error) {
	root := &params{}
	for key, values := range form {
		if key == "Action" || key == "Version" || len(values) == 0 {
			continue
		}
		parts := strings.Split(key, ".")
		if len(parts) > maxQueryDepth {
			return nil, fmt.Errorf("the parameter %.100q nests too deep", key)
		}
		at := root
		for _, part := range parts {
			if at.children == nil {
				at.children = map[string]*params{}
			}
			if at.children[part] == nil {
				at.children[part] = &params{}
			}
			at = at.children[part]
		}
		at.value, at.set = values[0], true
	}
	return root, nil
}

// items returns the children of a list or map in the order of their numbers.
func (p *params) items(wrapper string) ([]*params, error) {
	if inner := p.children[wrapper]; inner != nil {
		p = inner
	}
	numbers := make([]int, 0, len(p.children))
	for key := range p.children {
		n, err := strconv.Atoi(key)
		if err != nil {
			return nil, fmt.Errorf("%q is not the number of an item", key)
		}
		numbers = append(numbers, n)
	}
	sort.Ints(numbers)
	list := make([]*params, len(numbers))
	for i, n := range numbers {
		list[i] = p.children[strconv.Itoa(n)]
	}
	return list, nil
}

// into sets v from the parameters; path is where, for messages.
func (p *params) into(v reflect.Value, path string) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(p.value)); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	switch v.Kind() {
	case reflect.Struct:
		return p.intoStruct(v, path)
	case reflect.Slice:
		return p.intoSlice(v, path)
	case reflect.Map:
		return p.intoMap(v, path)
	}
	return setScalar(v, p.value, path)
}

func (p *params) intoStruct(v reflect.Value, path string) error {
	fields := map[string]reflect.Value{}
	for field, value := range members(v) {
		fields[memberName(field)] = value
	}
	for name, child := range p.children {
		field, ok := fields[name]
		if !ok {
			return fmt.Errorf("roost does not support the member %q", path+name)
		}
		if err := child.into(field, path+name+"."); err != nil {
			return err
		}
	}
	return nil
}

func (p *params) intoSlice(v reflect.Value, path string) error {
	list, err := p.items("member")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
	for i, item := range list {
		if err := item.into(v.Index(i), fmt.Sprintf("%smember.%d.", path, i+1)); err != nil {
			return err
		}
	}
	return nil
}

func (p *params) intoMap(v reflect.Value, path string) error {
	list, err := p.items("entry")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, item := range list {
		key, value := item.children["key"], item.children["value"]
		if key == nil || value == nil {
			return fmt.Errorf("%s: an entry lacks its key or its value", path)
		}
		element := reflect.New(v.Type().Elem()).Elem()
		if err := value.into(element, path+"value."); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key.value).Convert(v.Type().Key()), element)
	}
	return nil
}

// setScalar sets v from its text.
func setScalar(v reflect.Value, text, path string) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	path = strings.TrimSuffix(path, ".")
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return nil
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("the member %s is neither true nor false", path)
		}
		v.SetBool(b)
		return nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("the member %s is not a whole number", path)
		}
		v.SetInt(n)
		return nil
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("the member %s is not a number", path)
		}
		v.SetFloat(f)
		return nil
	}
	return fmt.Errorf("the member %s cannot be given as text", path)
}
