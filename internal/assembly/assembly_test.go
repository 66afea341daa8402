package assembly_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/need"
)

// unpack writes the files of an archive into a folder of their own.
func unpack(t testing.TB, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		file := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadLegacy(t *testing.T) {
	a, err := assembly.Read(need.Shared(t, "fixtures", "tutorial-sst-0.9.7"))
	if err != nil {
		t.Fatal(err)
	}
	if a.Version != "9.0.0" || len(a.Stacks) != 1 {
		t.Fatalf("version %s with %d stacks, want 9.0.0 with 1", a.Version, len(a.Stacks))
	}
	s := a.Stacks[0]
	if s.Name != "dev-rest-api-auth-twitter-my-stack" || s.Account != "" || s.Region != "us-east-1" {
		t.Errorf("stack = %s in %q %q", s.Name, s.Account, s.Region)
	}
	if len(s.Assets) != 2 {
		t.Fatalf("there are %d assets, want 2", len(s.Assets))
	}
	const id = "ea8c891e15f1f517991d88243895a113151ac9712b5c637654aa53ab3d72ba6f"
	asset := s.Assets[0]
	if asset.ID != id || asset.Zip || asset.Bucket != "" {
		t.Errorf("asset = %+v", asset)
	}
	bucket, key := asset.Location("1", "us-east-1")
	if bucket != "" || key != "assets/"+id+".zip" {
		t.Errorf("location = %q, %q", bucket, key)
	}
	want := map[string]string{
		"AssetParameters" + id + "S3Bucket529EF126":     "b",
		"AssetParameters" + id + "S3VersionKeyB7CAF41D": "assets/||" + id + ".zip",
		"AssetParameters" + id + "ArtifactHash039B582D": id,
	}
	if diff := cmp.Diff(want, asset.Parameters.Values(asset, "b", key)); diff != "" {
		t.Error(diff)
	}
	text, err := s.TemplateFor("b", "1", "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := s.Template()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, plain) {
		t.Error("the template of an assembly whose assets travel by parameters was changed")
	}
}

// modern is an assembly as CDK version 2 writes it: two stacks that depend on
// each other in one direction, and a stage with a stack of its own.
const modern = `
-- manifest.json --
{"version": "48.0.0", "artifacts": {
 "B.assets": {"type": "cdk:asset-manifest", "properties": {"file": "B.assets.json"}},
 "B": {"type": "aws:cloudformation:stack", "environment": "aws://111122223333/eu-west-1",
  "properties": {"templateFile": "B.template.json", "terminationProtection": true, "tags": {"team": "a"},
   "stackTemplateAssetObjectUrl": "s3://cdk-hnb659fds-assets-111122223333-eu-west-1/abc.json"},
  "dependencies": ["C", "B.assets"], "displayName": "B"},
 "C": {"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region",
  "properties": {"templateFile": "C.template.json", "stackName": "named", "parameters": {"P": "v"}},
  "metadata": {"/C": [{"type": "aws:cdk:stack-tags", "data": [{"Key": "k", "Value": "v"}]}]}},
 "A": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-A"}, "dependencies": ["B"]},
 "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}}
}}
-- B.assets.json --
{"version": "48.0.0", "files": {
 "code": {"displayName": "F/Code", "source": {"path": "asset.code", "packaging": "zip"},
  "destinations": {"111122223333-eu-west-1-x": {"bucketName": "cdk-hnb659fds-assets-111122223333-eu-west-1", "objectKey": "code.zip",
   "region": "eu-west-1", "assumeRoleArn": "arn:${AWS::Partition}:iam::111122223333:role/r"}}},
 "abc": {"source": {"path": "B.template.json", "packaging": "file"},
  "destinations": {"x": {"bucketName": "cdk-hnb659fds-assets-111122223333-eu-west-1", "objectKey": "abc.json", "region": "eu-west-1"}}}
}, "dockerImages": {}}
-- B.template.json --
{"S3Bucket": "cdk-hnb659fds-assets-111122223333-eu-west-1"}
-- C.template.json --
{}
-- asset.code/index.js --
exports.main = 1
-- asset.code/lib/x.js --
x
-- assembly-A/manifest.json --
{"version": "48.0.0", "artifacts": {
 "S.assets": {"type": "cdk:asset-manifest", "properties": {"file": "S.assets.json"}},
 "S": {"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/us-east-1",
  "properties": {"templateFile": "S.template.json"}, "dependencies": ["S.assets"]}
}}
-- assembly-A/S.assets.json --
{"version": "48.0.0", "files": {"code": {"source": {"path": "../asset.code", "packaging": "zip"},
  "destinations": {"current_account-us-east-1": {"bucketName": "cdk-hnb659fds-assets-${AWS::AccountId}-us-east-1", "objectKey": "code.zip"}}}}}
-- assembly-A/S.template.json --
{"S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-us-east-1"}, "TemplateURL": {"Fn::Join": ["", ["https://s3/cdk-hnb659fds-assets-", {"Ref": "AWS::AccountId"}, "-us-east-1/x.json"]]}}
`

func TestReadModern(t *testing.T) {
	dir := unpack(t, modern)
	a, err := assembly.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	const bucket = "cdk-hnb659fds-assets-111122223333-eu-west-1"
	want := []*assembly.Stack{
		{ID: "C", Name: "named", TemplateFile: in("C.template.json"), Parameters: map[string]string{"P": "v"}, Tags: map[string]string{"k": "v"}},
		{
			ID: "B", Name: "B", TemplateFile: in("B.template.json"), Account: "111122223333", Region: "eu-west-1",
			Tags: map[string]string{"team": "a"}, TerminationProtection: true, Dependencies: []string{"C"},
			Assets:        []*assembly.Asset{{ID: "code", Path: in("asset.code"), Zip: true, Bucket: bucket, Key: "code.zip"}},
			TemplateAsset: &assembly.Asset{ID: "abc", Path: in("B.template.json"), Bucket: bucket, Key: "abc.json"},
		},
		{
			ID: "A/S", Name: "S", TemplateFile: in("assembly-A/S.template.json"), Region: "us-east-1", Tags: map[string]string{}, Dependencies: []string{"B"},
			Assets: []*assembly.Asset{{ID: "code", Path: in("asset.code"), Zip: true, Bucket: "cdk-hnb659fds-assets-${AWS::AccountId}-us-east-1", Key: "code.zip"}},
		},
	}
	if diff := cmp.Diff(want, a.Stacks); diff != "" {
		t.Fatal(diff)
	}
	for _, test := range []struct{ stack, want string }{
		{"B", `{"S3Bucket": "mine"}`},
		{"S", `{"S3Bucket": {"Fn::Sub": "mine"}, "TemplateURL": {"Fn::Join": ["", ["https://s3/mine/x.json"]]}}`},
	} {
		s, ok := a.Stack(test.stack)
		if !ok {
			t.Fatal(test.stack)
		}
		text, err := s.TemplateFor("mine", "111122223333", "us-east-1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want+"\n", string(text)); diff != "" {
			t.Error(diff)
		}
	}
	gotBucket, key := want[2].Assets[0].Location("444455556666", "us-east-1")
	if gotBucket != "cdk-hnb659fds-assets-444455556666-us-east-1" || key != "code.zip" {
		t.Errorf("location = %s, %s", gotBucket, key)
	}
}

func TestZipOfFolder(t *testing.T) {
	a, err := assembly.Read(unpack(t, modern))
	if err != nil {
		t.Fatal(err)
	}
	asset := a.Stacks[1].Assets[0]
	var first, second bytes.Buffer
	if err := asset.Copy(&first); err != nil {
		t.Fatal(err)
	}
	old := time.Unix(1, 0)
	if err := os.Chtimes(filepath.Join(asset.Path, "index.js"), old, old); err != nil {
		t.Fatal(err)
	}
	if err := asset.Copy(&second); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the zip of the same content differs")
	}
	r, err := zip.NewReader(bytes.NewReader(first.Bytes()), int64(first.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range r.File {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"index.js", "lib/x.js"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestReadErrors(t *testing.T) {
	// Each case replaces the first text by the second in the assembly above.
	for _, test := range []struct{ name, from, to, want string }{
		{"no manifest", "-- manifest.json", "-- other.json", "is not a cloud assembly: it has no manifest.json; synthesize it first (roost build, cdk synth)"},
		{"bad json", `{"version": "48.0.0", "artifacts": {` + "\n" + ` "B.assets"`, `{"B`, "manifest.json is not what a cloud assembly has there"},
		{"missing context", `{"version": "48.0.0", "artifacts": {` + "\n" + ` "B.assets"`, `{"missing": [{"key": "vpc"}], "artifacts": {"B.assets"`, "the assembly lacks context (vpc)"},
		{"null artifact", `"Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}}`, `"Tree": null`, "artifact Tree: it is null"},
		{"type", `"cdk:tree"`, `"cdk:other"`, `artifact Tree: artifacts of type "cdk:other" are not supported`},
		{"environment", "aws://111122223333/eu-west-1", "aws://x", `artifact B: its environment "aws://x" is not of the form aws://account/region`},
		{"no template", "-- C.template.json", "-- D.template.json", "artifact C: its template is missing"},
		{"escape", `"templateFile": "C.template.json"`, `"templateFile": "../C.template.json"`, "artifact C: it names ../C.template.json, which is outside the assembly"},
		{"absolute", `"path": "asset.code"`, `"path": "/etc/passwd"`, "asset code: it names /etc/passwd, which is outside the assembly"},
		{"escape from below", `"path": "../asset.code"`, `"path": "../../asset.code"`, "artifact A: "},
		{"no file", `{"templateFile": "C.template.json", "stackName"`, `{"stackName"`, "artifact C: it names no file"},
		{"image", `"dockerImages": {}`, `"dockerImages": {"web": {}}`, "B.assets.json: asset web: container images are not supported: use a zip"},
		{"executable", `"source": {"path": "asset.code", "packaging": "zip"}`, `"source": {"executable": ["sh"]}`, "asset code is made by running a program"},
		{"packaging", `"packaging": "zip"`, `"packaging": "tar"`, `asset code: packaging "tar" is not supported`},
		{"file for folder", `"packaging": "zip"`, `"packaging": "file"`, `asset code: packaging "file" does not suit`},
		{"gone", "-- asset.code/", "-- asset.other/", "asset code is missing"},
		{"no destination", `"destinations": {"x": {"bucketName": "cdk-hnb659fds-assets-111122223333-eu-west-1", "objectKey": "abc.json", "region": "eu-west-1"}}`, `"destinations": {}`, "asset abc has no destination"},
		{"no key", `"objectKey": "abc.json"`, `"objectKey": ""`, "asset abc names no bucket or no key"},
		{"cycle", `"stackName": "named", "parameters": {"P": "v"}}`, `"stackName": "named"}, "dependencies": ["B"]`, "stacks depend on each other: "},
		{"itself", `"directoryName": "assembly-A"`, `"directoryName": "."`, " is nested in itself, or twice"},
		{"secret", `"/C": [`, `"/C": [{"type": "roost:secret", "data": "X"}, `, "the metadata of /C names a secret without a logical id"},
		{"legacy image", `"/C": [`, `"/C": [{"type": "aws:cdk:asset", "data": {"id": "i", "packaging": "container-image"}}, `, "artifact C: asset i: container images are not supported"},
		{"legacy parameters", `"/C": [`, `"/C": [{"type": "aws:cdk:asset", "data": {"id": "i", "packaging": "file"}}, `, "artifact C: asset i names no parameters"},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := strings.ReplaceAll(modern, test.from, test.to)
			if changed == modern {
				t.Fatal("the case changes nothing")
			}
			_, err := assembly.Read(unpack(t, changed))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Read = %v, want %s", err, test.want)
			}
		})
	}
}

func TestFromTemplate(t *testing.T) {
	dir := unpack(t, modern)
	a, err := assembly.FromTemplate(filepath.Join(dir, "C.template.json"), "s")
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Stacks) != 1 || a.Stacks[0].Name != "s" {
		t.Errorf("stacks = %+v", a.Stacks)
	}
	if _, err := assembly.FromTemplate(dir, "s"); err == nil {
		t.Error("a folder was taken for a template")
	}
	if _, err := assembly.FromTemplate(filepath.Join(dir, "nope"), "s"); err == nil {
		t.Error("a file that is not there was taken for a template")
	}
}

// FuzzRead gives any manifest and any asset manifest to Read, which may refuse
// them and must neither panic nor name a file outside the folder.
func FuzzRead(f *testing.F) {
	archive := txtar.Parse([]byte(modern))
	f.Add(archive.Files[0].Data, archive.Files[1].Data)
	f.Add([]byte(`{"artifacts":{"A":{"type":"cdk:cloud-assembly","properties":{"directoryName":"."}}}}`), []byte(`{"files":{"a":null}}`))
	f.Add([]byte(`{"artifacts":{"B":{"type":"aws:cloudformation:stack","environment":"aws:///","properties":{"templateFile":"."}}}}`), []byte("{}"))
	base := unpack(f, modern)
	f.Fuzz(func(t *testing.T, manifest, assets []byte) {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{"manifest.json": manifest, "B.assets.json": assets} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		a, err := assembly.Read(dir)
		if err != nil {
			return
		}
		for _, s := range a.Stacks {
			for _, asset := range s.Assets {
				if !strings.HasPrefix(asset.Path, dir+string(filepath.Separator)) && asset.Path != dir {
					t.Errorf("asset %s is at %s", asset.ID, asset.Path)
				}
			}
		}
	})
}
