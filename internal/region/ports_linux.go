package region

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// holder tells which process listens on a port of the loopback interface: its
// name and number, or "" where that cannot be seen.
func holder(port int) string {
	inode := listeningInode(fmt.Sprintf(":%04X", port))
	if inode == "" {
		return ""
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == "socket:["+inode+"]" {
			pid := strings.Split(link, "/")[2]
			name, _ := os.ReadFile("/proc/" + pid + "/comm")
			return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), pid)
		}
	}
	return ""
}

// listeningInode finds the socket that listens on a port, in proc(5)'s table.
func listeningInode(suffix string) string {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		file, err := os.Open(table)
		if err != nil {
			continue
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) > 9 && strings.HasSuffix(fields[1], suffix) && fields[3] == "0A" {
				return fields[9]
			}
		}
	}
	return ""
}
