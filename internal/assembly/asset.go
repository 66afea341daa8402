package assembly

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Asset is a file to upload before a stack can be deployed.
type Asset struct {
	ID   string // the hash that names it
	Path string // of the file, or of a folder that is to be zipped
	Zip  bool   // Path is a folder and its zip is what is uploaded
	// Bucket and Key are where the manifest wants it, with the pseudo parameters
	// ${AWS::AccountId}, ${AWS::Region} and ${AWS::Partition} in them. Both are
	// empty where Parameters is set.
	Bucket, Key string
	// Parameters are the template's parameters that say where it is; nil where
	// the template names bucket and key itself.
	Parameters *AssetParameters
}

// AssetParameters are the names of the three parameters by which templates of
// CDK version 1 learn where an asset is.
type AssetParameters struct {
	Bucket       string // gets the bucket's name
	Key          string // gets a prefix and the rest of the key, with "||" between
	ArtifactHash string // gets the asset's id
}

// Values returns the values of the three parameters for an asset that lies in
// bucket under key.
func (p AssetParameters) Values(asset *Asset, bucket, key string) map[string]string {
	slash := strings.LastIndex(key, "/") + 1
	return map[string]string{
		p.Bucket:       bucket,
		p.Key:          key[:slash] + "||" + key[slash:],
		p.ArtifactHash: asset.ID,
	}
}

// Location returns bucket and key in an account and region. Where the template
// learns them by parameters, it returns no bucket, and a key that suits.
func (a *Asset) Location(account, region string) (bucket, key string) {
	if a.Bucket == "" {
		return "", "assets/" + a.ID + a.extension()
	}
	return fill(a.Bucket, account, region), fill(a.Key, account, region)
}

func (a *Asset) extension() string {
	if a.Zip {
		return ".zip"
	}
	return filepath.Ext(a.Path)
}

func fill(name, account, region string) string {
	return strings.NewReplacer(
		"${AWS::AccountId}", account, "${AWS::Region}", region, "${AWS::Partition}", partition(region),
	).Replace(name)
}

// partition tells the partition from the region's name.
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// Copy writes what is to be uploaded: the file, or the folder's zip, which has
// the same bytes for the same content.
func (a *Asset) Copy(w io.Writer) error {
	if a.Zip {
		return zipFolder(w, a.Path)
	}
	file, err := os.Open(a.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(w, file)
	return err
}

// Content returns what is to be uploaded.
func (a *Asset) Content() ([]byte, error) {
	if !a.Zip {
		return os.ReadFile(a.Path)
	}
	var data bytes.Buffer
	err := a.Copy(&data)
	return data.Bytes(), err
}

// SHA256 returns the hash of what is to be uploaded, in lower-case hexadecimal.
func (a *Asset) SHA256() (string, error) {
	hash := sha256.New()
	if err := a.Copy(hash); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// zipFolder writes files in the order of their names, with a fixed time and no
// more of their mode than whether they can be executed.
func zipFolder(w io.Writer, dir string) error {
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.DefaultCompression)
	})
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return zipFile(archive, dir, file)
	})
	if err != nil {
		return err
	}
	return archive.Close()
}

func zipFile(archive *zip.Writer, dir, file string) error {
	rel, err := filepath.Rel(dir, file)
	if err != nil {
		return err
	}
	info, err := os.Stat(file) // a link's target counts, as in CDK
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file and can't be zipped", file)
	}
	header := &zip.FileHeader{Name: filepath.ToSlash(rel), Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	header.SetMode(mode)
	out, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(out, in)
	return err
}
