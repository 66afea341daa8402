package environment

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// credentials are those of the function's role.
type credentials struct{ accessKeyID, secret, token string }

// variables builds the process's whole environment. The host's own variables
// are not passed on, except PATH, behind Lambda's own folders. The names and
// values are those that Lambda sets (Lambda Developer Guide, "Defined runtime
// environment variables"), with folders of this machine.
func variables(spec *Spec, config *Config, keys credentials, at place) []string {
	env := map[string]string{
		"AWS_REGION": spec.Region, "AWS_DEFAULT_REGION": spec.Region,
		"AWS_LAMBDA_FUNCTION_NAME":        spec.FunctionName,
		"AWS_LAMBDA_FUNCTION_VERSION":     spec.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(spec.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       spec.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      at.logStream,
		"AWS_LAMBDA_RUNTIME_API":          at.runtimeAPI,
		"AWS_XRAY_CONTEXT_MISSING":        "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":         "127.0.0.1:2000",
		"_AWS_XRAY_DAEMON_ADDRESS":        "127.0.0.1", "_AWS_XRAY_DAEMON_PORT": "2000",
		"LAMBDA_TASK_ROOT": spec.TaskRoot, "LAMBDA_RUNTIME_DIR": spec.RuntimeDir,
		"LANG": "en_US.UTF-8", "TZ": ":UTC",
		"_HANDLER": spec.Handler, "PATH": searchPath(spec),
		"LD_LIBRARY_PATH": strings.Join(present(spec.TaskRoot, filepath.Join(spec.TaskRoot, "lib"), opt(spec, "lib")), ":"),
	}
	if at.tmp != "" {
		env["TMPDIR"] = at.tmp
	}
	if keys.accessKeyID != "" {
		env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"] = keys.accessKeyID, keys.secret, keys.token
	}
	if config.EndpointURL != "" {
		env["AWS_ENDPOINT_URL"] = config.EndpointURL
		// Nobody finds hosts such as stream-127.0.0.1 (AWS SDKs and Tools Reference
		// Guide, "Host prefix injection").
		env["AWS_DISABLE_HOST_PREFIX_INJECTION"] = "true"
	}
	if spec.LogFormat == "JSON" {
		env["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
		env["AWS_LAMBDA_LOG_LEVEL"] = spec.ApplicationLogLevel
	}
	if spec.Managed {
		managedVariables(spec, env)
		if spec.node() {
			env["_ROOST_APP"], env["_ROOST_SDK"] = config.App, at.sdk
		}
		env["_LAMBDA_TELEMETRY_LOG_FD"] = "3"
	}
	maps.Copy(env, config.Extra)
	maps.Copy(env, spec.Variables)
	list := make([]string, 0, len(env)+1)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	if config.Groups != nil {
		list = append(list, config.Groups.Marker())
	}
	return list
}

// managedVariables are what the managed Node.js and Python runtimes see beside.
func managedVariables(spec *Spec, env map[string]string) {
	env["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + spec.Runtime
	env["PWD"], env["SHLVL"] = spec.TaskRoot, "0"
	switch {
	case spec.node():
		major, _, _ := strings.Cut(strings.TrimPrefix(spec.Runtime, "nodejs"), ".")
		env["NODE_PATH"] = strings.Join(present(opt(spec, "nodejs/node"+major+"/node_modules"), opt(spec, "nodejs/node_modules"),
			filepath.Join(spec.RuntimeDir, "node_modules"), spec.RuntimeDir, spec.TaskRoot), ":")
	case strings.HasPrefix(spec.Runtime, "python"):
		env["PYTHONPATH"] = spec.RuntimeDir
	}
}

func (s *Spec) node() bool { return strings.HasPrefix(s.Runtime, "nodejs") }

func searchPath(spec *Spec) string {
	dirs := []string{"/usr/local/bin", "/usr/bin", "/bin"}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.IsAbs(dir) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return strings.Join(append(dirs, present(opt(spec, "bin"))...), ":")
}

// opt is a folder below the unpacked layers, or empty without layers.
func opt(spec *Spec, elem string) string {
	if spec.OptDir == "" {
		return ""
	}
	return filepath.Join(spec.OptDir, elem)
}

func present(dirs ...string) []string {
	return slices.DeleteFunc(dirs, func(dir string) bool { return dir == "" })
}
