package environment

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// streamName is the log stream of an environment. In a log group that is not
// the function's alone it names the function (Lambda Developer Guide,
// "Configuring CloudWatch log groups").
func streamName(spec *Spec, at time.Time, id string) string {
	name := ""
	if spec.LogGroup != "/aws/lambda/"+spec.FunctionName {
		name = spec.FunctionName
	}
	return at.UTC().Format("2006/01/02/") + name + "[" + spec.Version + "]" + compact(id)
}

// log writes one event of the environment's stream.
func (e *Environment) log(at time.Time, c *call, message string) {
	if c != nil {
		c.logged(message)
	}
	if logs := e.pool.manager.config.Logs; logs != nil && !e.pool.silent.Load() {
		logs.Write(e.spec.LogGroup, e.stream, at, message)
	}
}

// logLine takes what the function wrote itself.
func (e *Environment) logLine(message string) { e.logFrame(e.now(), message) }

func (e *Environment) logFrame(at time.Time, message string) {
	if e.spec.LogFormat == "JSON" && !applicationRecord(message, e.spec.ApplicationLogLevel) {
		return
	}
	e.log(at, e.logging.Load(), message)
}

// system writes a record of the platform: text, or for the JSON format the
// record of the given type.
func (e *Environment) system(c *call, text, kind string, record map[string]any) {
	now := e.now()
	if e.spec.LogFormat != "JSON" {
		e.log(now, c, text)
		return
	}
	if !systemRecord(kind, record, e.spec.SystemLogLevel) {
		return
	}
	line, err := json.Marshal(struct {
		Time   string         `json:"time"`
		Type   string         `json:"type"`
		Record map[string]any `json:"record"`
	}{now.UTC().Format("2006-01-02T15:04:05.000Z"), kind, record})
	if err == nil {
		e.log(now, c, string(line)+"\n")
	}
}

func (e *Environment) logInitStart() {
	if !e.spec.Managed {
		return
	}
	version := strings.NewReplacer("nodejs", "nodejs:", "python", "python:").Replace(strings.TrimSuffix(e.spec.Runtime, ".x"))
	arn := "arn:aws:lambda:" + e.spec.Region + "::runtime:" + e.spec.Runtime
	e.system(nil, "INIT_START Runtime Version: "+version+"\tRuntime Version ARN: "+arn+"\n", "platform.initStart",
		map[string]any{"initializationType": "on-demand", "phase": "init", "runtimeVersion": version, "runtimeVersionArn": arn})
}

func (e *Environment) logStart(c *call) {
	if e.spec.LogFormat != "JSON" {
		e.log(c.started, c, "START RequestId: "+c.inv.RequestID+" Version: "+e.spec.Version+"\n")
		return
	}
	e.system(c, "", "platform.start", map[string]any{"requestId": c.inv.RequestID, "version": e.spec.Version})
}

// logEnd writes what Lambda writes after an invocation: for a failure of the
// environment its message, then END and REPORT.
func (e *Environment) logEnd(c *call, f *failure) {
	duration := time.Since(c.started)
	if f != nil && f.status == "timeout" {
		duration = max(duration, e.spec.Timeout)
	}
	if f != nil && f.reported == nil {
		e.logFailure(c, f)
	}
	if e.spec.LogFormat == "JSON" {
		e.reportJSON(c, f, duration)
		return
	}
	e.log(e.now(), c, "END RequestId: "+c.inv.RequestID+"\n")
	e.log(e.now(), c, e.reportText(c, f, duration))
}

func (e *Environment) logFailure(c *call, f *failure) {
	text := "RequestId: " + c.inv.RequestID + " Error: " + f.text + "\n" + f.kind + "\n"
	if f.status == "timeout" {
		text = e.now().UTC().Format("2006-01-02T15:04:05.000Z") + " " + c.inv.RequestID + " " + f.text + "\n\n"
	}
	if e.spec.LogFormat != "JSON" {
		e.log(e.now(), c, text)
	}
}

func (e *Environment) reportText(c *call, f *failure, duration time.Duration) string {
	b := make([]byte, 0, 240)
	b = append(b, "REPORT RequestId: "...)
	b = append(b, c.inv.RequestID...)
	b = append(b, "\tDuration: "...)
	b = strconv.AppendFloat(b, milliseconds(duration), 'f', 2, 64)
	b = append(b, " ms\tBilled Duration: "...)
	b = strconv.AppendInt(b, billed(duration), 10)
	b = append(b, " ms\tMemory Size: "...)
	b = strconv.AppendInt(b, int64(e.spec.MemoryMB), 10)
	b = append(b, " MB\tMax Memory Used: "...)
	b = strconv.AppendInt(b, e.memoryUsedMB(), 10)
	b = append(b, " MB\t"...)
	if c.first {
		b = append(b, "Init Duration: "...)
		b = strconv.AppendFloat(b, milliseconds(e.initDuration), 'f', 2, 64)
		b = append(b, " ms\t"...)
	}
	if f != nil {
		b = append(b, "Status: "+f.status...)
		if f.status == "error" {
			b = append(b, "\tError Type: "+f.errorType()...)
		}
		return string(append(b, '\n'))
	}
	return string(append(b, "\n"...))
}

func (e *Environment) reportJSON(c *call, f *failure, duration time.Duration) {
	status := "success"
	metrics := map[string]any{"durationMs": milliseconds(duration), "billedDurationMs": billed(duration),
		"memorySizeMB": e.spec.MemoryMB, "maxMemoryUsedMB": e.memoryUsedMB()}
	report := map[string]any{"requestId": c.inv.RequestID, "metrics": metrics}
	done := map[string]any{"requestId": c.inv.RequestID, "metrics": map[string]any{"durationMs": milliseconds(duration)}}
	if c.first {
		metrics["initDurationMs"] = milliseconds(e.initDuration)
	}
	if f != nil {
		status = f.status
		report["errorType"], done["errorType"] = f.errorType(), f.errorType()
	}
	report["status"], done["status"] = status, status
	e.system(c, "", "platform.runtimeDone", done)
	e.system(c, "", "platform.report", report)
}

func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Millisecond)*100) / 100
}

// billed rounds up to whole milliseconds.
func billed(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

// levels orders Lambda's log levels.
func levels(name string) int {
	switch strings.ToUpper(name) {
	case "TRACE":
		return 0
	case "DEBUG":
		return 1
	case "WARN", "WARNING":
		return 3
	case "ERROR":
		return 4
	case "FATAL", "CRITICAL":
		return 5
	}
	return 2 // INFO, and what is not named
}

// applicationRecord decides whether a line of the function passes its
// application log level. A line counts as INFO unless it is a JSON object with
// "level" and an RFC 3339 "timestamp".
func applicationRecord(message, threshold string) bool {
	level := 2
	if strings.HasPrefix(message, "{") {
		var record struct{ Level, Timestamp string }
		if json.Unmarshal([]byte(message), &record) == nil {
			if _, err := time.Parse(time.RFC3339, record.Timestamp); err == nil && record.Level != "" {
				level = levels(record.Level)
			}
		}
	}
	return level >= levels(threshold)
}

// systemRecord decides whether a platform record passes the system log level.
func systemRecord(kind string, record map[string]any, threshold string) bool {
	level := "INFO"
	if kind == "platform.runtimeDone" {
		level = "DEBUG"
		if record["status"] != "success" {
			level = "WARN"
		}
	}
	return levels(level) >= levels(threshold)
}
