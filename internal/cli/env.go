package cli

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/cli/embedded"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/config"
)

type envCommand struct {
	Dir string `arg:"" optional:"" default:"." help:"The app's folder."`
}

// Run prints what a shell takes with eval "$(roost env)".
func (c *envCommand) Run(ctx context.Context, s *session.Session) error {
	app, err := config.Bare(c.Dir, "")
	if err != nil {
		return err
	}
	r, err := embedded.Running(app)
	if err != nil {
		return err
	}
	export(s, "AWS_ENDPOINT_URL", r.Endpoint)
	export(s, noHostPrefix, "true")
	export(s, "AWS_REGION", r.Region)
	export(s, "AWS_DEFAULT_REGION", r.Region)
	export(s, "AWS_ACCESS_KEY_ID", r.AccessKeyID)
	export(s, "AWS_SECRET_ACCESS_KEY", r.SecretAccessKey)
	if s.Getenv("AWS_SESSION_TOKEN") != "" {
		export(s, "AWS_SESSION_TOKEN", "") // one from elsewhere would spoil the key
	}
	if r.CABundle != "" {
		export(s, "AWS_CA_BUNDLE", r.CABundle)
	}
	if text := oldAWS(ctx, s); text != "" {
		s.Term.Warn(text)
	}
	return nil
}

// noHostPrefix keeps SDKs from asking for some operations at another host, such as
// stream-127.0.0.1, which nobody finds.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-host-prefix.html
const noHostPrefix = "AWS_DISABLE_HOST_PREFIX_INJECTION"

// export prints one line. In single quotes a shell reads nothing into a value.
func export(s *session.Session, name, value string) {
	s.Term.Printf("export %s='%s'", name, strings.ReplaceAll(value, "'", `'\''`))
}

var awsVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^aws-cli/(\d+)\.(\d+)\.`) })

// oldAWS says what is wrong with the aws command on PATH, if anything is: since
// 1.29.0 and 2.13.0 it heeds AWS_ENDPOINT_URL.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func oldAWS(ctx context.Context, s *session.Session) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "aws", "--version")
	cmd.Env = s.Env
	said, err := cmd.CombinedOutput() // old versions answer on standard error
	if err != nil {
		return ""
	}
	m := awsVersion().FindStringSubmatch(string(said))
	if m == nil {
		return ""
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	if major > 2 || major == 2 && minor >= 13 || major == 1 && minor >= 29 {
		return ""
	}
	return fmt.Sprintf("the aws on PATH is %s.%s, which does not heed AWS_ENDPOINT_URL: pass it --endpoint-url, or update it to 2.13 (or 1.29)", m[1], m[2])
}
