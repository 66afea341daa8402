package wire

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// Time is a moment. It travels as seconds since 1970 (with milliseconds) in
// JSON and as ISO 8601 in XML, as AWS's protocols prescribe.
type Time struct{ time.Time }

// Moment is a time as AWS tells it: in UTC, to the millisecond.
func Moment(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(t.UnixMilli())/1000, 'f', -1, 64), nil
}

// UnmarshalJSON implements json.Unmarshaler; it takes seconds, or ISO 8601.
func (t *Time) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &t.Time)
	}
	seconds, err := strconv.ParseFloat(string(data), 64)
	if err != nil {
		return err
	}
	t.Time = time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) {
	return []byte(t.UTC().Format("2006-01-02T15:04:05.000Z")), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Time) UnmarshalText(text []byte) error {
	parsed, err := time.Parse(time.RFC3339, string(text))
	t.Time = parsed
	return err
}

// ISOTime is a moment that travels as ISO 8601 in JSON too (API Gateway).
type ISOTime struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t ISOTime) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.UTC().Format("2006-01-02T15:04:05Z") + `"`), nil
}
