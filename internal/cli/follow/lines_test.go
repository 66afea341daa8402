package follow

import "testing"

func TestLogLine(t *testing.T) {
	for _, test := range []struct{ group, stream, message, want string }{
		{"/aws/lambda/dev-app-private", "2026/11/22/[$LATEST]0", "hello\n", "dev-app-private | hello"},
		{"/aws/lambda/f", "2026/11/22/[$LATEST]0", "two\nlines\n", "f | two\nf | lines"},
		{"/aws/lambda/f", "2026/11/22/[$LATEST]0", "2026-11-22T18:00:00.000Z\t1b2c\tINFO\thello\tthere\n", "f | hello\tthere"},
		{"/aws/lambda/f", "2026/11/22/[$LATEST]0", "2026-11-22T18:00:00.000Z\t1b2c\tERROR\thello\n", "f | ERROR hello"},
		{"/aws/lambda/f", "2026/11/22/[$LATEST]0", "a\tb\tc\td\n", "f | a\tb\tc\td"},
		{"/aws/lambda/f", "2026/11/22/[$LATEST]0", "START RequestId: 1 Version: $LATEST\n", ""},
		{"/aws/lambda/f", "2026/11/22/[$LATEST]0", "END RequestId: 1\n", ""},
		{"/aws/lambda/f", "2026/11/22/[$LATEST]0", "REPORT RequestId: 1\tDuration: 3.01 ms\n", ""},
		{"/aws/lambda/f", "2026/11/22/[$LATEST]0", "\n", ""},
		{"/aws/lambda/f", "2026/11/22/[$LATEST]0", "\x1b[2Jcleared\n", "f | \uFFFD[2Jcleared"},
		{"shared", "2026/11/22/dev-app-private[3]0", "hello\n", "dev-app-private | hello"},
		{"api-logs", "access", `{"httpMethod":"GET","path":"/private","status":"403","responseLatency":"2"}`, ""},
	} {
		if got := logLine(test.group, test.stream, test.message); got != test.want {
			t.Errorf("%s %q: got %q, not %q", test.group, test.message, got, test.want)
		}
	}
}
