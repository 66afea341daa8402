package roost

import (
	"crypto/md5" //nolint:gosec // the algorithm of CDK's logical ids, not a protection
	"encoding/hex"
	"strings"
)

// Longest part of a logical id that people read; the hash comes on top.
const maxHumanID = 240

// logicalID returns the CloudFormation logical id of a construct from its path
// below the stack, by the algorithm of AWS CDK (core/lib/private/uniqueid.ts):
// the readable parts of the path and eight digits of a hash of the whole path.
// A path of a single part is its own id. Apps that move from CDK or SST keep
// their resources only because both agree.
func logicalID(path []string) string {
	var components []string
	for _, c := range path {
		if c != "Default" {
			components = append(components, c)
		}
	}
	if len(components) == 1 {
		return alphanumeric(components[0])
	}
	var human strings.Builder
	last := ""
	for _, c := range components {
		if last != "" && strings.HasSuffix(last, c) {
			continue
		}
		last = c
		if c != "Resource" {
			human.WriteString(alphanumeric(c))
		}
	}
	readable := human.String()
	if len(readable) > maxHumanID {
		readable = readable[:maxHumanID]
	}
	sum := md5.Sum([]byte(strings.Join(components, "/")))
	return readable + strings.ToUpper(hex.EncodeToString(sum[:4]))
}

func alphanumeric(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// constructID makes a path component of an id: slashes would split it.
func constructID(id string) string { return strings.ReplaceAll(id, "/", "--") }
