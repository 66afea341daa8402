package lambda

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

// The modules that CloudFormation puts beside code that a template has inline
// (Lambda "cfn-response module" in CloudFormation's User Guide).
var (
	//go:embed cfn-response.js
	responseJS string
	//go:embed cfnresponse.py
	responsePython string
)

// codeOf is a function's code as Lambda takes it.
func codeOf(want map[string]any) (map[string]any, error) {
	code := cf.Child(want, "Code")
	if !cf.Has(code, "ZipFile") {
		return cf.Pick(code, "S3Bucket", "S3Key", "S3ObjectVersion"), nil
	}
	if cf.Has(code, "S3Bucket") || cf.Has(code, "S3Key") {
		return nil, errors.New("Code has both ZipFile and an object of S3; give one of them")
	}
	data, err := zipInline(cf.Text(want, "Runtime"), cf.Text(code, "ZipFile"))
	return map[string]any{"ZipFile": data}, err
}

// zipInline makes the deployment package of code that a template has inline:
// the file "index" and the module for answers of custom resources. The same
// code gives the same bytes.
func zipInline(runtime, code string) ([]byte, error) {
	var names, texts []string
	switch {
	case strings.HasPrefix(runtime, "nodejs"):
		names, texts = []string{"cfn-response.js", "index.js"}, []string{responseJS, code}
	case strings.HasPrefix(runtime, "python"):
		names, texts = []string{"cfnresponse.py", "index.py"}, []string{responsePython, code}
	default:
		return nil, fmt.Errorf("code inline in a template (ZipFile) must be JavaScript or Python, and the runtime is %q; give the code as an object of S3", runtime)
	}
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for i, name := range names {
		header := &zip.FileHeader{Name: name, Method: zip.Store}
		header.SetMode(0o644)
		file, err := archive.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := file.Write([]byte(texts[i])); err != nil {
			return nil, err
		}
	}
	err := archive.Close()
	return b.Bytes(), err
}
