package iam

import (
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/iam/internal/glob"
)

// index sorts the statements of a policy by the service whose actions they
// name, so that a decision looks at those only that can be about its request.
type index struct {
	general  rules             // on every service: NotAction, "*" or "*:Name"
	services map[string]*rules // the others, by the service's prefix in lower case
}

// rules are statements by their effect, each in the order of the document.
type rules struct {
	denies, allows []rule
}

// rule is a statement as the requests of one service meet it. What can be told
// of it beforehand spares most decisions a look at its elements.
type rule struct {
	prefix        string // with which a resource that matches begins; may be empty
	everyAction   bool   // of the service
	everyResource bool
	actions       patterns // those of the service
	resources     patterns
	principals    *principals
	conditions    []condition
	effect        Effect
}

// ruleOf looks at a statement with those of its actions that are of a service;
// service is "" where they can be of any.
func ruleOf(s *Statement, service string, actions []glob.Pattern) rule {
	r := rule{actions: patterns{s.actions.not, actions}, resources: s.resources, principals: s.principals, conditions: s.conditions, effect: s.Effect}
	isEverything := func(p glob.Pattern) bool { return p.Source == "*" }
	r.everyResource = !s.resourced || !s.resources.not && slices.ContainsFunc(s.resources.list, isEverything)
	r.everyAction = !s.actions.not && slices.ContainsFunc(actions, func(p glob.Pattern) bool {
		return isEverything(p) || strings.EqualFold(p.Source, service+":*")
	})
	if !s.resources.not {
		r.prefix = commonPrefix(s.resources.list)
	}
	return r
}

// commonPrefix returns the text with which all that matches any of the patterns
// begins.
func commonPrefix(list []glob.Pattern) string {
	if len(list) == 0 {
		return ""
	}
	common := list[0].Prefix()
	for i := range list[1:] {
		for !strings.HasPrefix(list[i+1].Prefix(), common) {
			common = common[:len(common)-1]
		}
	}
	return common
}

func indexOf(statements []Statement) index {
	x := index{services: map[string]*rules{}}
	for i := range statements {
		x.add(&statements[i])
	}
	return x
}

func (x *index) add(s *Statement) {
	byService := map[string][]glob.Pattern{}
	for _, action := range s.actions.list {
		service := servicePrefix(action.Source)
		byService[service] = append(byService[service], action)
	}
	if s.actions.not || byService["*"] != nil || byService[""] != nil { // "" is of the action "*"
		x.general.add(ruleOf(s, "", s.actions.list))
		return
	}
	for service, actions := range byService {
		if x.services[service] == nil {
			x.services[service] = &rules{}
		}
		x.services[service].add(ruleOf(s, service, actions))
	}
}

func (r *rules) add(one rule) {
	if one.effect == Deny {
		r.denies = append(r.denies, one)
	} else {
		r.allows = append(r.allows, one)
	}
}

// servicePrefix returns the "s3" of "S3:GetObject", or "" if there is no colon.
func servicePrefix(action string) string {
	service, _, found := strings.Cut(action, ":")
	if !found {
		return ""
	}
	return strings.Map(lowerASCII, service)
}

func lowerASCII(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}
