package wire

import (
	"bytes"
	"encoding"
	"encoding/xml"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// queryBody writes the answer of a query operation:
// <OpResponse><OpResult>…</OpResult><ResponseMetadata>…</OpResponse>.
func (s *Service) queryBody(op *Operation, out any, requestID string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%sResponse xmlns=%q>", op.Name, s.Namespace)
	fmt.Fprintf(&b, "<%sResult>", op.Name) // empty too: the SDKs look for it
	if err := writeMembers(&b, reflect.Indirect(reflect.ValueOf(out))); err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, "</%sResult>", op.Name)
	fmt.Fprintf(&b, "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>", requestID, op.Name)
	return b.Bytes(), nil
}

func writeMembers(b *bytes.Buffer, v reflect.Value) error {
	for field, value := range members(v) {
		tag := field.Tag.Get("json")
		if tag == "-" || strings.Contains(tag, ",omitempty") && empty(value) {
			continue
		}
		if err := writeElement(b, memberName(field), value); err != nil {
			return err
		}
	}
	return nil
}

func empty(v reflect.Value) bool {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
		return v.Len() == 0
	}
	return v.IsZero()
}

func writeElement(b *bytes.Buffer, name string, v reflect.Value) error {
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		return writeElement(b, name, v.Elem())
	}
	fmt.Fprintf(b, "<%s>", name)
	if err := writeContent(b, name, v); err != nil {
		return err
	}
	fmt.Fprintf(b, "</%s>", name)
	return nil
}

func writeContent(b *bytes.Buffer, name string, v reflect.Value) error {
	if t, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := t.MarshalText()
		if err != nil {
			return err
		}
		return xml.EscapeText(b, text)
	}
	switch v.Kind() {
	case reflect.Struct:
		return writeMembers(b, v)
	case reflect.Slice:
		for i := range v.Len() {
			if err := writeElement(b, "member", v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		return writeEntries(b, v)
	}
	text, err := scalarText(v)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return xml.EscapeText(b, []byte(text))
}

func writeEntries(b *bytes.Buffer, v reflect.Value) error {
	keys := v.MapKeys()
	sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
	for _, key := range keys {
		b.WriteString("<entry>")
		if err := writeElement(b, "key", key); err != nil {
			return err
		}
		if err := writeElement(b, "value", v.MapIndex(key)); err != nil {
			return err
		}
		b.WriteString("</entry>")
	}
	return nil
}

func scalarText(v reflect.Value) (string, error) {
	switch v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64), nil
	}
	return "", fmt.Errorf("a %s has no text", v.Type())
}
