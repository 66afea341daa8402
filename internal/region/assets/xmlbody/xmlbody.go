// Package xmlbody reads the XML documents that clients of S3 send. Unlike
// encoding/xml alone it refuses, by name, elements that the Go type does not
// have: a setting is never dropped in silence.
//
//	var versioning Versioning
//	err := xmlbody.Unmarshal(body, "VersioningConfiguration", &versioning)
package xmlbody

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// maxDepth bounds how deep elements may nest.
const maxDepth = 16

// UnknownError names an element that the type does not have.
type UnknownError struct{ Path string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("roost does not support the element %s", e.Path)
}

// Unmarshal reads a document whose root element is called root into v, a pointer
// to a struct. What is not well-formed, or lies about its depth, is an error;
// an element without a field is an *UnknownError. Attributes are not looked at
// unless the type has them.
func Unmarshal(data []byte, root string, v any) error {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	var stack []place
	var names []string
	seen := false
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.Directive:
			return errors.New("a document type is not allowed")
		case xml.EndElement:
			stack, names = stack[:len(stack)-1], names[:len(names)-1]
		case xml.StartElement:
			names = append(names, token.Name.Local)
			next, err := enter(stack, names, reflect.TypeOf(v))
			if err != nil {
				return err
			}
			if len(names) == 1 && (seen || token.Name.Local != root) {
				return fmt.Errorf("the document's element is %s, not %s", token.Name.Local, root)
			}
			seen = true
			stack = append(stack, next)
		}
	}
	if !seen {
		return errors.New("the document is empty")
	}
	return xml.Unmarshal(data, v)
}

// place is where in a type an element stands: in a struct, or between it and a
// field with a path such as "TagSet>Tag". An element whose content is text has
// no struct.
type place struct {
	in   reflect.Type
	path string // "TagSet>"
}

// enter returns the place of the element that names end with.
func enter(stack []place, names []string, root reflect.Type) (place, error) {
	if len(names) > maxDepth {
		return place{}, errors.New("the document nests too deep")
	}
	if len(stack) == 0 {
		return place{in: structOf(root)}, nil
	}
	parent := stack[len(stack)-1]
	path := parent.path + names[len(names)-1]
	if parent.in != nil {
		for i := range parent.in.NumField() {
			field := parent.in.Field(i)
			switch name := elementName(field); {
			case name == path:
				return place{in: structOf(field.Type)}, nil
			case strings.HasPrefix(name, path+">"):
				return place{in: parent.in, path: path + ">"}, nil
			}
		}
	}
	return place{}, &UnknownError{Path: strings.Join(names, ".")}
}

// elementName is the element, or the path to it, that a field is read from; ""
// for one that no element is read into.
func elementName(field reflect.StructField) string {
	tag, rest, _ := strings.Cut(field.Tag.Get("xml"), ",")
	switch {
	case tag == "" && rest == "" || tag == "" && rest == "omitempty":
		return field.Name
	case tag == "-", rest != "" && rest != "omitempty":
		return ""
	}
	return tag
}

// structOf finds the struct behind pointers and slices; nil if there is none.
func structOf(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.PkgPath() == "time" {
		return nil
	}
	return t
}
