package signin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// sessionFile is the file of a stage's folder that keeps its session.
const sessionFile = "credentials-twitter.json"

// SaveSession keeps a session in a stage's folder, with mode 0600.
func SaveSession(dir string, session Session) error {
	data, err := json.MarshalIndent(session, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return writePrivate(filepath.Join(dir, sessionFile), append(data, '\n'))
}

// LoadSession returns the session kept in a stage's folder.
func LoadSession(dir string) (Session, error) {
	path := filepath.Join(dir, sessionFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Session{}, errors.New("nobody is signed in to this stage: run roost login twitter")
	}
	if err != nil {
		return Session{}, err
	}
	var session Session
	if err := json.Unmarshal(data, &session); err != nil {
		return Session{}, fmt.Errorf("%s: %w: remove it and run roost login twitter", path, err)
	}
	return session, nil
}

// The formats of WriteCredentials.
const (
	FormatEnv     = "env"     // export lines for a shell
	FormatJSON    = "json"    // what aws cognito-identity get-credentials-for-identity prints
	FormatProcess = "process" // what credential_process in an AWS profile expects
)

// WriteCredentials writes a session's credentials in one of the formats.
func WriteCredentials(w io.Writer, format string, session Session) error {
	expiration := session.Expiration.UTC().Format(time.RFC3339)
	switch format {
	case FormatEnv:
		return writeExports(w, [][2]string{
			{"AWS_ACCESS_KEY_ID", session.AccessKeyID},
			{"AWS_SECRET_ACCESS_KEY", session.SecretAccessKey},
			{"AWS_SESSION_TOKEN", session.SessionToken},
			{"AWS_CREDENTIAL_EXPIRATION", expiration},
		})
	case FormatJSON:
		type credentials struct{ AccessKeyId, SecretKey, SessionToken, Expiration string }
		return writeJSON(w, struct {
			IdentityId  string
			Credentials credentials
		}{session.IdentityID, credentials{session.AccessKeyID, session.SecretAccessKey, session.SessionToken, expiration}})
	case FormatProcess:
		return writeJSON(w, struct {
			Version                                                int
			AccessKeyId, SecretAccessKey, SessionToken, Expiration string
		}{1, session.AccessKeyID, session.SecretAccessKey, session.SessionToken, expiration})
	}
	return fmt.Errorf("unknown format %q: it is %s, %s or %s", format, FormatEnv, FormatJSON, FormatProcess)
}

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "    ")
	return encoder.Encode(v)
}

// writeExports writes values in single quotes: the shell reads nothing into them.
func writeExports(w io.Writer, values [][2]string) error {
	for _, value := range values {
		quoted := "'" + strings.ReplaceAll(value[1], "'", `'\''`) + "'"
		if _, err := fmt.Fprintf(w, "export %s=%s\n", value[0], quoted); err != nil {
			return err
		}
	}
	return nil
}
