package twitter

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// verifyCredentials answers /1.1/account/verify_credentials.json: who the
// access token speaks for.
func (p *Provider) verifyCredentials(w http.ResponseWriter, r *http.Request) error {
	who, err := p.signedUser(w, r)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, accountObject(who, r.URL.Query().Get))
	return nil
}

// signedUser verifies a request that an access token signs.
func (p *Provider) signedUser(w http.ResponseWriter, r *http.Request) (user, error) {
	signed, err := p.verify(r, p.accessSecret)
	if err != nil {
		return user{}, err
	}
	w.Header().Set("X-Access-Level", "read")
	return p.userOf(r.Context(), signed.token)
}

// accountObject returns Twitter's user object (API v1.1) for an account that
// has posted nothing and follows nobody.
func accountObject(who user, query func(string) string) map[string]any {
	object := map[string]any{
		"id": who.ID, "id_str": strconv.FormatInt(who.ID, 10),
		"name": who.ScreenName, "screen_name": who.ScreenName,
		"location": "", "description": "", "url": nil,
		"protected": false, "verified": false, "suspended": false, "needs_phone_verification": false,
		"followers_count": 0, "friends_count": 0, "listed_count": 0, "favourites_count": 0, "statuses_count": 0,
		"created_at": who.CreatedAt.UTC().Format(time.RubyDate),
		"utc_offset": nil, "time_zone": nil, "lang": nil,
		"geo_enabled": false, "contributors_enabled": false, "is_translator": false,
		"default_profile": true, "default_profile_image": true,
		"profile_image_url": profileImage("http"), "profile_image_url_https": profileImage("https"),
		"following": false, "follow_request_sent": false, "notifications": false,
	}
	if query("include_entities") != "false" {
		object["entities"] = map[string]any{"description": map[string]any{"urls": []any{}}}
	}
	if query("include_email") == "true" {
		// Reserved by RFC 2606: nobody can own it.
		object["email"] = strings.ToLower(who.ScreenName) + "@example.com"
	}
	return object
}

func profileImage(scheme string) string {
	return scheme + "://abs.twimg.com/sticky/default_profile_images/default_profile_normal.png"
}

// usersMe answers /2/users/me, with the fields that user.fields asks for.
func (p *Provider) usersMe(w http.ResponseWriter, r *http.Request) error {
	who, err := p.signedUser(w, r)
	if err != nil {
		return err
	}
	known := map[string]any{
		"id": strconv.FormatInt(who.ID, 10), "name": who.ScreenName, "username": who.ScreenName,
		"created_at": who.CreatedAt.UTC().Format("2006-01-02T15:04:05.000Z"), "description": "",
		"protected": false, "verified": false, "profile_image_url": profileImage("https"), "url": "",
		"public_metrics": map[string]int{"followers_count": 0, "following_count": 0, "tweet_count": 0, "listed_count": 0, "like_count": 0},
	}
	fields := []string{"id", "name", "username"}
	for field := range strings.SplitSeq(r.URL.Query().Get("user.fields"), ",") {
		if _, ok := known[field]; field != "" && !ok {
			writeInvalidField(w, field, known)
			return nil
		}
		if field != "" {
			fields = append(fields, field)
		}
	}
	data := make(map[string]any)
	for _, field := range fields {
		data[field] = known[field]
	}
	writeJSON(w, http.StatusOK, map[string]any{"data": data})
	return nil
}

// writeInvalidField refuses a value of user.fields in the form of API v2.
func writeInvalidField(w http.ResponseWriter, field string, known map[string]any) {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	writeJSON(w, http.StatusBadRequest, map[string]any{
		"errors": []any{map[string]any{
			"parameters": map[string]any{"user.fields": []string{field}},
			"message":    fmt.Sprintf("The `user.fields` query parameter value [%s] is not one of [%s]", field, strings.Join(names, ",")),
		}},
		"title":  "Invalid Request",
		"detail": "One or more parameters to your request was invalid.",
		"type":   "https://api.twitter.com/2/problems/invalid-request",
	})
}
