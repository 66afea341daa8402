package code

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Runnable says whether this machine can run the bootstrap in a folder: a
// script, or a program whose header names this system and processor. A folder
// without a bootstrap is no error here; a layer may bring one.
func Runnable(root string) error {
	return runnable(filepath.Join(root, "bootstrap"), runtime.GOOS, runtime.GOARCH)
}

func runnable(file, goos, goarch string) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 4)
	if n, _ := io.ReadFull(f, head); n < 4 || bytes.HasPrefix(head, []byte("#!")) {
		return nil
	}
	system, machines := program(f)
	if system == "" {
		return errors.New("its bootstrap is neither a program nor a script with #! at its beginning")
	}
	if system == goos && slices.Contains(machines, goarch) {
		return nil
	}
	return fmt.Errorf("its bootstrap is a program for %s/%s, and this machine runs %s/%s: build it for this machine",
		system, strings.Join(machines, "+"), goos, goarch)
}

// program reads an ELF or Mach-O header. The system is empty for other files.
func program(f io.ReaderAt) (system string, machines []string) {
	if file, err := elf.NewFile(f); err == nil {
		return "linux", []string{elfMachine(file.Machine)}
	}
	if file, err := macho.NewFile(f); err == nil {
		return "darwin", []string{machoMachine(file.Cpu)}
	}
	if fat, err := macho.NewFatFile(f); err == nil {
		for _, arch := range fat.Arches {
			machines = append(machines, machoMachine(arch.Cpu))
		}
		return "darwin", machines
	}
	return "", nil
}

func elfMachine(machine elf.Machine) string {
	switch machine {
	case elf.EM_X86_64:
		return "amd64"
	case elf.EM_AARCH64:
		return "arm64"
	}
	return machine.String()
}

func machoMachine(cpu macho.Cpu) string {
	switch cpu {
	case macho.CpuAmd64:
		return "amd64"
	case macho.CpuArm64:
		return "arm64"
	}
	return cpu.String()
}
