package region

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Fork brings up another region on a copy of this one's state, in a folder of
// its own. The objects of buckets are linked and the unpacked code of functions is
// this region's, not copied: nothing changes them once they are written. So this
// region's folder has to stay for as long as the other runs. Account, region and
// keys are the same, so that credentials of the one work at the other; ports are
// not, and what the state holds of them as text, such as a function's variable or
// a stack's output, still names this region's. The function that is likely to be
// called, the one that this region or a fork of it has begun to call last or the
// only one, is started at once.
//
// Of config, Dir must be given; Account and Region are those of the original.
func (r *Region) Fork(ctx context.Context, config Config) (*Region, error) {
	config.Account, config.Region = r.config.Account, r.config.Region
	config.original = r
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, err
	}
	if err := r.db.CopyTo(ctx, filepath.Join(config.Dir, "region.db")); err != nil {
		return nil, fmt.Errorf("copy the region's state: %w", err)
	}
	if err := linkAll(r.config.Dir, config.Dir, "objects"); err != nil { // after the copy, which knows of no file that is newer
		return nil, err
	}
	return Start(ctx, config)
}

// link makes a file or a folder of one state part of another. A file gets a second
// name, which stays where the first one goes with its object, unless the file system
// has no such thing.
func link(from, to string, entry fs.DirEntry) error {
	from, to = filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())
	if entry.Type().IsRegular() && os.Link(from, to) == nil {
		return nil
	}
	return os.Symlink(from, to)
}

// linkAll links what a folder has. One that is not there has nothing.
func linkAll(from, to, folder string) error {
	entries, err := os.ReadDir(filepath.Join(from, folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(to, folder), 0o700); err != nil {
		return err
	}
	for _, entry := range entries {
		if err := link(filepath.Join(from, folder), filepath.Join(to, folder), entry); err != nil {
			return err
		}
	}
	return nil
}
