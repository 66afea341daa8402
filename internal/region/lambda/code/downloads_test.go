package code

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestDownloadsExpire(t *testing.T) {
	store := &Store{Dir: t.TempDir()}
	added, err := store.Add(bytes.NewReader(archive(t, entry{name: "a", content: "x"})))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1700000000, 0)
	downloads := &Downloads{Store: store, Endpoint: "http://region", Key: []byte("secret"), Now: func() time.Time { return now }}
	location := downloads.Location(added.SHA256)
	get := func() (int, string) {
		w := httptest.NewRecorder()
		downloads.ServeHTTP(w, httptest.NewRequest("GET", location, nil))
		return w.Code, w.Body.String()
	}
	now = now.Add(10*time.Minute - time.Second)
	if status, body := get(); status != 200 || !strings.HasPrefix(body, "PK") {
		t.Errorf("in time: got %d", status)
	}
	now = now.Add(time.Second)
	if status, body := get(); status != 403 || !strings.Contains(body, "has expired") {
		t.Errorf("too late: got %d %s", status, body)
	}
	if err := store.Keep(nil, 0); err != nil {
		t.Fatal(err)
	}
	if location := downloads.Location(added.SHA256); location != "" {
		t.Errorf("of what is not kept: got %s", location)
	}
}
