package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/region/decisions"
	"github.com/seed-615d3599/roost/internal/term"
)

type iamCommand struct {
	Suggest suggestCommand `cmd:"" help:"Print the least policy that covers what a role was seen to do."`
}

type suggestCommand struct {
	Role    string `placeholder:"NAME|ARN" help:"The role; by default each that was seen."`
	Since   string `placeholder:"TIME" help:"Only what was done since then: a duration such as 24h, a day such as 2026-11-22, or RFC 3339."`
	Refused bool   `help:"Cover what was refused, too."`
	Dir     string `default:"." help:"The app's folder."`
}

// Run prints one policy document, or one for each role below its name.
func (c *suggestCommand) Run(ctx context.Context, s *session.Session) error {
	since, err := parseSince(c.Since, time.Now())
	if err != nil {
		return session.Usage{Err: err}
	}
	var seen decisions.ListUsesOutput
	if err := askRegion(ctx, c.Dir, "ListUses", decisions.ListUsesInput{Since: since}, &seen); err != nil {
		return err
	}
	roles, uses := byRole(seen.Uses, c.Role)
	if len(roles) == 0 && c.Role != "" {
		return term.WithHint(fmt.Errorf("the role %s was not seen to do anything", c.Role), "\"roost iam suggest\" without --role prints all roles that were")
	}
	if len(roles) == 0 {
		return term.WithHint(errors.New("no role was seen to do anything"), "call the app first")
	}
	for _, role := range roles {
		if c.Role == "" {
			s.Term.Print("Role " + role + ":")
		}
		suggest(s, role, uses[role], c.Refused)
	}
	return nil
}

// suggest prints the policy for the uses of one role.
func suggest(s *session.Session, role string, uses []decisions.Use, refused bool) {
	var covered []iam.Use
	left := 0
	for _, use := range uses {
		if !use.Allowed && !refused {
			left++
			continue
		}
		covered = append(covered, iam.Use{Action: use.Action, Resource: use.Resource})
	}
	if document := iam.Least(covered); document != nil {
		s.Term.Print(strings.TrimSuffix(string(document), "\n"))
	}
	if left > 0 {
		s.Term.Warn(fmt.Sprintf("%d more that %s asked for was refused and is not covered; --refused covers it", left, role))
	}
}

// byRole sorts uses by the names of roles, those of one role if it is named.
func byRole(uses []decisions.Use, only string) ([]string, map[string][]decisions.Use) {
	var names []string
	by := map[string][]decisions.Use{}
	for _, use := range uses {
		_, path, ok := strings.Cut(use.Principal, ":role/")
		name := path[strings.LastIndexByte(path, '/')+1:]
		if !ok || only != "" && only != name && only != use.Principal {
			continue
		}
		if by[name] == nil {
			names = append(names, name)
		}
		by[name] = append(by[name], use)
	}
	return names, by
}

// parseSince reads a moment: a duration back from now, a day, or RFC 3339.
func parseSince(text string, now time.Time) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	if back, err := time.ParseDuration(text); err == nil {
		then := now.Add(-back)
		return &then, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if then, err := time.Parse(layout, text); err == nil {
			return &then, nil
		}
	}
	return nil, fmt.Errorf("--since %s: it is a duration such as 24h, a day such as 2026-11-22, or RFC 3339", text)
}
