package code

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// DownloadPath is where Downloads is served.
const DownloadPath = "/.roost/lambda/code"

// downloadTime is how long an address leads to an archive: ten minutes, as in
// Lambda (API Reference, GetFunction).
const downloadTime = 10 * time.Minute

// Downloads hands out archives at addresses that nobody can guess and that
// expire, as Lambda does by presigned ones of S3.
type Downloads struct {
	Store    *Store
	Endpoint string // base URL of where it is served; empty: there are no addresses
	Key      []byte // secret
	Now      func() time.Time
}

// Location is the address of an archive, or empty where it is not kept.
func (d *Downloads) Location(sha256 string) string {
	if d.Endpoint == "" || !d.Store.hasArchive(sha256) {
		return ""
	}
	expires := strconv.FormatInt(d.Now().Add(downloadTime).Unix(), 10)
	query := url.Values{"sha256": {sha256}, "expires": {expires}, "signature": {hex.EncodeToString(d.sign(sha256, expires))}}
	return d.Endpoint + DownloadPath + "?" + query.Encode()
}

func (d *Downloads) sign(archive, expires string) []byte {
	mac := hmac.New(sha256.New, d.Key)
	mac.Write([]byte(archive + "\n" + expires))
	return mac.Sum(nil)
}

// ServeHTTP answers with the archive that an address names.
func (d *Downloads) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	archive, expires := query.Get("sha256"), query.Get("expires")
	signature, err := hex.DecodeString(query.Get("signature"))
	if err != nil || !hmac.Equal(signature, d.sign(archive, expires)) {
		http.Error(w, "this is no address of a function's code: ask GetFunction for one", http.StatusForbidden)
		return
	}
	if until, err := strconv.ParseInt(expires, 10, 64); err != nil || d.Now().Unix() >= until {
		http.Error(w, "the address has expired: ask GetFunction for another one", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	http.ServeFile(w, r, d.Store.archivePath(archive))
}
