package supervisor_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/supervisor"
)

// The test binary is also the supervisor, and a region that starts processes.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == supervisor.Argument:
		os.Exit(supervisor.Main(os.Stdin))
	case len(os.Args) == 3 && os.Args[1] == "region":
		region(os.Args[2])
	default:
		os.Exit(m.Run())
	}
}

const marker = "ROOST_SUPERVISOR_TEST=1"

// region starts a group of two processes, and one that has left it, prints
// their ids and waits to be killed.
func region(executable string) {
	s, err := supervisor.Start([]string{executable, supervisor.Argument}, marker+strconv.Itoa(os.Getpid()))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	cmd := exec.Command("/bin/sh", "-c", "sleep 1000 & echo $!; setsid sh -c 'echo $$; exec sleep 1000' & wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), s.Marker()}
	cmd.Stdout = os.Stdout
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	s.Add(cmd.Process.Pid)
	fmt.Println(cmd.Process.Pid)
	_ = cmd.Wait()
}

func TestGroupsDieWithAKilledRegion(t *testing.T) {
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(executable, "region", executable)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	lines := bufio.NewScanner(out)
	for len(pids) < 3 && lines.Scan() {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(lines.Text())
		}
		pids = append(pids, pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for _, pid := range pids {
		gone(t, fmt.Sprintf("process %d", pid), func() bool { return !alive(pid) })
	}
	if runtime.GOOS == "linux" {
		want := marker + strconv.Itoa(cmd.Process.Pid)
		gone(t, "a process that left its group", func() bool { return !marked(want) })
	}
}

// gone waits until something is so, and fails after a while.
func gone(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", what)
		}
	}
}

// alive is false also for a process that is dead and has no parent to reap it.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func marked(entry string) bool {
	all, _ := os.ReadDir("/proc")
	for _, process := range all {
		if _, err := strconv.Atoi(process.Name()); err != nil {
			continue
		}
		environ, _ := os.ReadFile("/proc/" + process.Name() + "/environ")
		if strings.Contains(string(environ), entry) {
			return true
		}
	}
	return false
}

// One that starts soon knows what it was told before, also where it has not begun.
func TestCloseKillsWhatIsLeft(t *testing.T) {
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := []string{executable, supervisor.Argument}
	for name, start := range map[string]func() (*supervisor.Supervisor, error){
		"started":     func() (*supervisor.Supervisor, error) { return supervisor.Start(command, "") },
		"starts soon": func() (*supervisor.Supervisor, error) { return supervisor.StartSoon(command, "", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := start()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("sleep", "1000")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			s.Add(cmd.Process.Pid)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
				t.Errorf("the process ended with %v", err)
			}
		})
	}
}

func TestASupervisorThatCannotStartIsTold(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	told := make(chan error, 1)
	s, err := supervisor.StartSoon([]string{missing}, "", func(err error) { told <- err })
	if err != nil {
		t.Fatal(err)
	}
	if err := <-told; !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("it says %v", err)
	}
	if err := s.Close(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("at its end it says %v", err)
	}
}
