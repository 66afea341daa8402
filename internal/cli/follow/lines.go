package follow

import (
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/term"
)

// functionGroup is how the names of functions' own log groups begin.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
const functionGroup = "/aws/lambda/"

// functionStream is how a function's streams are named: YYYY/MM/DD/, its name
// where the log group is not its own, and the version in brackets.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
var functionStream = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\d{4}/\d\d/\d\d/([A-Za-z0-9_-]*)\[`) })

// FunctionOf returns whose a log stream is, or "" for one that is no function's.
func FunctionOf(group, stream string) string {
	found := functionStream().FindStringSubmatch(stream)
	switch {
	case found == nil:
		return ""
	case found[1] != "":
		return found[1]
	}
	return strings.TrimPrefix(group, functionGroup)
}

// logLine returns what start prints of a log event, empty where it prints
// nothing: of a function what it wrote itself. Access logs are left out, as each
// request has a line of its own.
func logLine(group, stream, message string) string {
	message = strings.TrimRight(message, "\n")
	if name := FunctionOf(group, stream); name != "" {
		if platformLine(message) || message == "" {
			return ""
		}
		return name + " | " + strings.ReplaceAll(term.Clean(ownWords(message)), "\n", "\n"+name+" | ")
	}
	return ""
}

// platformLine recognizes the lines with which Lambda frames an invocation.
func platformLine(message string) bool {
	for _, prefix := range []string{"INIT_START ", "START RequestId: ", "END RequestId: ", "REPORT RequestId: "} {
		if strings.HasPrefix(message, prefix) {
			return true
		}
	}
	return false
}

// ownWords takes away what Lambda's Node.js runtime puts before a line: time,
// request id and level. A level other than INFO stays.
func ownWords(message string) string {
	parts := strings.SplitN(message, "\t", 4)
	if len(parts) < 4 {
		return message
	}
	if _, err := time.Parse(time.RFC3339, parts[0]); err != nil {
		return message
	}
	if parts[2] == "INFO" {
		return parts[3]
	}
	return parts[2] + " " + parts[3]
}
