package deploy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/control"
	"golang.org/x/sync/errgroup"
)

// bootstrapQualifier names CDK's bootstrap resources unless told otherwise.
// https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html
const bootstrapQualifier = "hnb659fds"

// bucket is where assets go.
type bucket struct {
	name string
	// own says that Roost has made it. In one of CDK's, assets keep the bucket
	// and key that the assembly names.
	own bool
}

// location returns where an asset is uploaded to.
func (d *Deployer) location(b bucket, a *assembly.Asset) (name, key string) {
	name, key = a.Location(d.cfg.Account, d.cfg.AWS.Region)
	if b.own || name == "" {
		name = b.name
	}
	return name, key
}

// ownBucket is the name of Roost's own bucket.
func (d *Deployer) ownBucket() string {
	return "roost-assets-" + d.cfg.Account + "-" + d.cfg.AWS.Region
}

// findBucket returns CDK's bucket where the account is bootstrapped, else
// Roost's own, which it makes if need be.
func (d *Deployer) findBucket(ctx context.Context, stacks []*assembly.Stack) (bucket, error) {
	found, there, err := d.lookForBucket(ctx, stacks)
	if err != nil || there {
		return found, err
	}
	return found, d.makeBucket(ctx, found.name)
}

// lookForBucket returns the bucket that is used, and whether it is there.
func (d *Deployer) lookForBucket(ctx context.Context, stacks []*assembly.Stack) (found bucket, there bool, err error) {
	cdk := fmt.Sprintf("cdk-%s-assets-%s-%s", bootstrapQualifier, d.cfg.Account, d.cfg.AWS.Region)
	for _, s := range stacks {
		for _, a := range s.Assets {
			if name, _ := a.Location(d.cfg.Account, d.cfg.AWS.Region); name != "" {
				cdk = name // the app may be bootstrapped by another qualifier
			}
		}
	}
	there, err = d.hasBucket(ctx, cdk)
	if err != nil || there {
		return bucket{name: cdk}, there, err
	}
	own := bucket{name: d.ownBucket(), own: true}
	there, err = d.hasBucket(ctx, own.name)
	return own, there, err
}

// hasBucket reports whether the account has a bucket of that name. Names are
// global: one that belongs to somebody else is an error, because what is put
// there would run here.
func (d *Deployer) hasBucket(ctx context.Context, name string) (bool, error) {
	_, err := d.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name, ExpectedBucketOwner: &d.cfg.Account})
	switch {
	case err == nil:
		return true, nil
	case absent(err):
		return false, nil
	case hasStatus(err, http.StatusForbidden):
		return false, &Error{Text: fmt.Sprintf("the bucket %s is somebody else's, or the credentials may not look at it", name),
			Remedy: "see that the credentials allow s3:ListBucket on it, or run \"cdk bootstrap\" and deploy again"}
	}
	return false, describeError("look for the bucket "+name, err)
}

// makeBucket makes a private bucket.
func (d *Deployer) makeBucket(ctx context.Context, name string) error {
	in := &s3.CreateBucketInput{Bucket: &name}
	if d.cfg.AWS.Region != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(d.cfg.AWS.Region)}
	}
	if _, err := d.s3.CreateBucket(ctx, in); err != nil && !hasCode(err, "BucketAlreadyOwnedByYou") {
		return describeError("make the bucket "+name, err)
	}
	_, err := d.s3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{
		Bucket: &name, ExpectedBucketOwner: &d.cfg.Account,
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true),
			IgnorePublicAcls: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
		}})
	return describeError("close the bucket "+name+" to the public", err)
}

// maxUploads bounds how many assets are sent at once.
const maxUploads = 8

// upload sends the assets that are not there yet. What CloudFormation may read
// itself for a change set is there when upload returns. Code, which is needed when
// the change set is carried out, is there when sent returns, which has to be called.
func (d *Deployer) upload(ctx context.Context, b bucket, stacks []*assembly.Stack) (sent func() error, err error) {
	ctx, stop := context.WithCancel(ctx)
	templates, inTime := errgroup.WithContext(ctx)
	code, later := errgroup.WithContext(ctx)
	templates.SetLimit(maxUploads)
	code.SetLimit(maxUploads)
	seen := map[string]bool{}
	for _, s := range stacks {
		for _, a := range s.Assets {
			name, key := d.location(b, a)
			if seen[name+"/"+key] {
				continue
			}
			seen[name+"/"+key] = true
			if strings.HasSuffix(key, ".zip") {
				code.Go(func() error { return d.uploadAsset(later, name, key, a) })
				continue
			}
			templates.Go(func() error {
				err := d.uploadAsset(inTime, name, key, a)
				if err != nil {
					stop() // nothing is deployed: the code is not needed
				}
				return err
			})
		}
	}
	sent = sync.OnceValue(func() error {
		defer stop()
		return code.Wait()
	})
	return sent, templates.Wait()
}

func (d *Deployer) uploadAsset(ctx context.Context, name, key string, a *assembly.Asset) error {
	_, err := d.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &name, Key: &key, ExpectedBucketOwner: &d.cfg.Account})
	if err == nil {
		return nil
	}
	if !absent(err) {
		return describeError("look for the asset "+key, err)
	}
	data, err := a.Content()
	if err != nil {
		return fmt.Errorf("read the asset %s: %w", a.Path, err)
	}
	return d.put(ctx, name, key, data)
}

func (d *Deployer) put(ctx context.Context, name, key string, data []byte) error {
	_, err := d.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &name, Key: &key, Body: bytes.NewReader(data), ExpectedBucketOwner: &d.cfg.Account})
	return describeError("upload "+key, err)
}

// uploadTemplate puts a template that is too big for a call into the bucket and
// returns its key and URL.
func (d *Deployer) uploadTemplate(ctx context.Context, b bucket, text []byte) (key, url string, err error) {
	sum := sha256.Sum256(text)
	key = "roost/templates/" + hex.EncodeToString(sum[:]) + ".json"
	if err := d.put(ctx, b.name, key, text); err != nil {
		return "", "", err
	}
	if d.cfg.AWS.BaseEndpoint != nil {
		return key, *d.cfg.AWS.BaseEndpoint + "/" + b.name + "/" + key, nil
	}
	return key, control.Endpoint("s3", d.cfg.AWS.Region) + "/" + b.name + "/" + key, nil
}

// notePrefix is where Roost notes in its own bucket which stacks use it.
const notePrefix = "roost/stacks/"

// note is what is written down about a stack.
type note struct {
	// Owner is Config.Owner.
	Owner string `json:"owner,omitempty"`
	// Keys are the objects that it needs.
	Keys []string `json:"keys"`
	// Dependencies are the names of stacks that have to stay as long as it does.
	Dependencies []string `json:"dependencies,omitempty"`
}

func (d *Deployer) writeNote(ctx context.Context, b bucket, stack string, n note) error {
	if !b.own {
		return nil
	}
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return d.put(ctx, b.name, notePrefix+stack+".json", data)
}

// maxNote bounds a note, which is read from a place that others may write to.
const maxNote = 1 << 20

// notes reads all notes of the bucket, by stack.
func (d *Deployer) notes(ctx context.Context, name string, keys []string) (map[string]note, error) {
	all := map[string]note{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxUploads)
	for _, key := range keys {
		group.Go(func() error {
			out, err := d.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &name, Key: &key, ExpectedBucketOwner: &d.cfg.Account})
			if absent(err) {
				return nil
			}
			if err != nil {
				return describeError("read "+key, err)
			}
			defer out.Body.Close()
			var n note
			if err := json.NewDecoder(io.LimitReader(out.Body, maxNote)).Decode(&n); err != nil {
				return fmt.Errorf("read %s: %w", key, err)
			}
			mu.Lock()
			defer mu.Unlock()
			all[key[len(notePrefix):len(key)-len(".json")]] = n
			return nil
		})
	}
	return all, group.Wait()
}

// tidyBucket removes from Roost's own bucket what only the removed stacks have
// used, and the bucket itself when nothing is left.
func (d *Deployer) tidyBucket(ctx context.Context, removed []string) error {
	name := d.ownBucket()
	keys, err := d.listKeys(ctx, name)
	if absent(err) {
		return nil
	}
	if err != nil {
		return describeError("look into the bucket "+name, err)
	}
	noted, others := splitKeys(keys)
	notes, err := d.notes(ctx, name, noted)
	if err != nil {
		return err
	}
	for _, stack := range removed {
		delete(notes, stack)
	}
	needed := map[string]bool{}
	for stack, n := range notes {
		needed[notePrefix+stack+".json"] = true
		for _, key := range n.Keys {
			needed[key] = true
		}
	}
	var errs []error
	for _, key := range append(others, noted...) {
		if !needed[key] {
			_, err := d.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &name, Key: &key, ExpectedBucketOwner: &d.cfg.Account})
			errs = append(errs, describeError("delete "+key, err))
		}
	}
	if len(needed) == 0 && errors.Join(errs...) == nil {
		_, err := d.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name, ExpectedBucketOwner: &d.cfg.Account})
		if err != nil && !absent(err) {
			errs = append(errs, describeError("delete the bucket "+name, err))
		}
	}
	return errors.Join(errs...)
}

// listKeys returns the keys of all objects in a bucket.
func (d *Deployer) listKeys(ctx context.Context, name string) ([]string, error) {
	var keys []string
	pages := s3.NewListObjectsV2Paginator(d.s3, &s3.ListObjectsV2Input{Bucket: &name, ExpectedBucketOwner: &d.cfg.Account})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, object := range page.Contents {
			keys = append(keys, aws.ToString(object.Key))
		}
	}
	return keys, nil
}

func splitKeys(keys []string) (noted, others []string) {
	for _, key := range keys {
		if len(key) > len(notePrefix)+len(".json") && key[:len(notePrefix)] == notePrefix {
			noted = append(noted, key)
		} else {
			others = append(others, key)
		}
	}
	return noted, others
}
