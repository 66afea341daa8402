package runtimes

import (
	"os"
	"path/filepath"
)

// SDK is the folder whose node_modules have the AWS SDK, which is part of AWS's
// runtime for Node.js: dir or the next one above it. It is empty where there is none.
func SDK(dir string) string {
	for dir != "" {
		for _, name := range []string{"@aws-sdk", "aws-sdk"} {
			if _, err := os.Stat(filepath.Join(dir, "node_modules", name)); err == nil {
				return dir
			}
		}
		above := filepath.Dir(dir)
		if above == dir {
			break
		}
		dir = above
	}
	return ""
}
