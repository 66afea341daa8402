// Package managed holds the AWS managed policies that applications, CDK and
// its bootstrap refer to, as documents.
//
//	policy, ok := managed.Find("arn:aws:iam::aws:policy/AdministratorAccess")
package managed

import (
	"embed"
	"slices"
	"strings"
)

// ARN is what the ARN of every AWS managed policy begins with.
const ARN = "arn:aws:iam::aws:policy/"

// files has one JSON document for each policy, named as AWS names it. A "--" in
// a file's name stands for the "/" of a path.
//
//go:embed *.json
var files embed.FS

// Policy is an AWS managed policy.
type Policy struct {
	Name     string
	Path     string // "/" or "/service-role/"
	ID       string
	Document string
}

// Find returns a policy by its ARN, if it is kept.
func Find(arn string) (Policy, bool) {
	name, ok := strings.CutPrefix(arn, ARN)
	if !ok {
		return Policy{}, false
	}
	document, err := files.ReadFile(strings.ReplaceAll(name, "/", "--") + ".json")
	if err != nil || strings.Contains(name, "--") {
		return Policy{}, false
	}
	path, base := "/", name
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		path, base = "/"+name[:i+1], name[i+1:]
	}
	return Policy{Name: base, Path: path, ID: "ANPAAWSMANAGED" + strings.ToUpper(base), Document: string(document)}, true
}

// All returns the ARNs of all policies that are kept, by name.
func All() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // an embedded folder is always there
	}
	var arns []string
	for _, entry := range entries {
		arns = append(arns, ARN+strings.ReplaceAll(strings.TrimSuffix(entry.Name(), ".json"), "--", "/"))
	}
	slices.SortFunc(arns, func(a, b string) int {
		return strings.Compare(a[strings.LastIndexByte(a, '/'):], b[strings.LastIndexByte(b, '/'):])
	})
	return arns
}
