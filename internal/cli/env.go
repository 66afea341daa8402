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

	"github.com/seed-615d3599/roost/internal/config"
)

type envCommand struct {
	Dir string `arg:"" optional:"" default:"." help:"The app's folder."`
}

// Run prints what a shell takes with eval "$(roost env)".
func (c *envCommand) Run(ctx context.Context, s *session) error {
	app, err := config.Bare(c.Dir, "")
	if err != nil {
		return err
	}
	r, err := runningRegion(app)
	if err != nil {
		return err
	}
	s.export("AWS_ENDPOINT_URL", r.Endpoint)
	s.export(noHostPrefix, "true")
	s.export("AWS_REGION", r.Region)
	s.export("AWS_DEFAULT_REGION", r.Region)
	s.export("AWS_ACCESS_KEY_ID", r.AccessKeyID)
	s.export("AWS_SECRET_ACCESS_KEY", r.SecretAccessKey)
	if s.getenv("AWS_SESSION_TOKEN") != "" {
		s.export("AWS_SESSION_TOKEN", "") // one from elsewhere would spoil the key
	}
	if r.CABundle != "" {
		s.export("AWS_CA_BUNDLE", r.CABundle)
	}
	if text := s.oldAWS(ctx); text != "" {
		s.term.Warn(text)
	}
	return nil
}

// noHostPrefix keeps SDKs from asking for some operations at another host, such as
// stream-127.0.0.1, which nobody finds.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-host-prefix.html
const noHostPrefix = "AWS_DISABLE_HOST_PREFIX_INJECTION"

// export prints one line. In single quotes a shell reads nothing into a value.
func (s *session) export(name, value string) {
	s.term.Printf("export %s='%s'", name, strings.ReplaceAll(value, "'", `'\''`))
}

var awsVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^aws-cli/(\d+)\.(\d+)\.`) })

// oldAWS says what is wrong with the aws command on PATH, if anything is: since
// 1.29.0 and 2.13.0 it heeds AWS_ENDPOINT_URL.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func (s *session) oldAWS(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "aws", "--version")
	cmd.Env = s.env
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
