package deploy

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// A fake is as much of S3 and CloudFormation as a deployment calls, on the
// wire. Stacks go straight to the end that the test sets for them.
type fake struct {
	mu      sync.Mutex
	url     string
	buckets map[string]map[string]string // objects by key
	stacks  map[string]*fakeStack
	calls   []string // operations with what they concern, in order
	fails   map[string]string
	noBody  bool // a template came by URL
}

type fakeStack struct {
	name, status, template string
	parameters             map[string]string
	protected              bool
	events                 []fakeEvent
	set                    map[string]string // the open change set's template and parameters
	setType                string
}

type fakeEvent struct{ id, status, kind, logical, physical, reason string }

func newFake(t *testing.T) (*fake, Config) {
	t.Helper()
	f := &fake{buckets: map[string]map[string]string{}, stacks: map[string]*fakeStack{}, fails: map[string]string{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f, Config{
		AWS: aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(server.URL),
			Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", "")},
		Account: "123456789012", Owner: "app/dev", Quick: time.Microsecond,
		Print: func(line string) { t.Log(line) },
	}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.Path == "/" && r.Method == http.MethodPost {
		f.cloudFormation(w, r)
		return
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	f.s3(w, r, bucket, key)
}

func (f *fake) s3(w http.ResponseWriter, r *http.Request, bucket, key string) {
	if r.Header.Get("X-Amz-Expected-Bucket-Owner") == "" && !(r.Method == http.MethodPut && key == "" && !r.URL.Query().Has("publicAccessBlock")) {
		http.Error(w, "whose bucket is expected?", http.StatusBadRequest)
		return
	}
	f.calls = append(f.calls, r.Method+" "+bucket+"/"+key)
	objects, there := f.buckets[bucket]
	_, object := objects[key]
	switch {
	case r.Method == http.MethodPut && key == "" && !r.URL.Query().Has("publicAccessBlock"):
		f.buckets[bucket] = map[string]string{}
	case !there, r.Method != http.MethodPut && key != "" && !object:
		w.WriteHeader(http.StatusNotFound)
	case key == "" && r.Method == http.MethodDelete:
		delete(f.buckets, bucket)
		w.WriteHeader(http.StatusNoContent)
	case key == "" && r.Method == http.MethodGet:
		f.list(w, objects)
	case key == "":
	case r.Method == http.MethodPut:
		data, _ := io.ReadAll(r.Body)
		objects[key] = string(data)
	case r.Method == http.MethodDelete:
		delete(objects, key)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodGet:
		io.WriteString(w, objects[key])
	}
}

func (f *fake) list(w io.Writer, objects map[string]string) {
	io.WriteString(w, `<ListBucketResult>`)
	for key := range objects {
		fmt.Fprintf(w, `<Contents><Key>%s</Key></Contents>`, key)
	}
	io.WriteString(w, `</ListBucketResult>`)
}

func (f *fake) cloudFormation(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name := f.stackName(r)
	f.calls = append(f.calls, r.Form.Get("Action")+" "+name)
	action := map[string]func(io.Writer, *http.Request, *fakeStack){
		"DescribeStacks": f.describeStacks, "CreateChangeSet": f.createChangeSet, "DescribeChangeSet": f.describeChangeSet,
		"DeleteChangeSet": func(io.Writer, *http.Request, *fakeStack) {}, "ExecuteChangeSet": f.executeChangeSet,
		"DescribeStackEvents": f.describeEvents, "DeleteStack": f.deleteStack,
		"UpdateTerminationProtection": func(_ io.Writer, _ *http.Request, s *fakeStack) { s.protected = true },
	}[r.Form.Get("Action")]
	stack := f.stacks[name]
	if action == nil || stack == nil && r.Form.Get("Action") != "CreateChangeSet" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id %s does not exist</Message></Error></ErrorResponse>`, name)
		return
	}
	fmt.Fprintf(w, "<Response><%sResult>", r.Form.Get("Action"))
	action(w, r, stack)
	fmt.Fprintf(w, "</%sResult></Response>", r.Form.Get("Action"))
}

// stackName accepts names and ids; a stack's id is "id-" and its name.
func (f *fake) stackName(r *http.Request) string {
	name := r.Form.Get("StackName")
	if name == "" {
		name = r.Form.Get("ChangeSetName")
	}
	return strings.TrimPrefix(strings.TrimPrefix(name, "set-"), "id-")
}

func (f *fake) describeStacks(w io.Writer, _ *http.Request, s *fakeStack) {
	if s.status == "DELETE_COMPLETE" {
		return
	}
	fmt.Fprintf(w, `<Stacks><member><StackName>%s</StackName><StackId>id-%s</StackId><StackStatus>%s</StackStatus>
		<EnableTerminationProtection>%v</EnableTerminationProtection>
		<Outputs><member><OutputKey>Name</OutputKey><OutputValue>%s</OutputValue></member></Outputs><Parameters>`, s.name, s.name, s.status, s.protected, s.name)
	for key := range s.parameters {
		fmt.Fprintf(w, `<member><ParameterKey>%s</ParameterKey><ParameterValue>****</ParameterValue></member>`, key)
	}
	io.WriteString(w, `</Parameters></member></Stacks>`)
}

func (f *fake) createChangeSet(w io.Writer, r *http.Request, s *fakeStack) {
	name := f.stackName(r)
	if s == nil || s.status == "DELETE_COMPLETE" {
		s = &fakeStack{name: name, status: "REVIEW_IN_PROGRESS"}
		f.stacks[name] = s
	}
	s.setType = r.Form.Get("ChangeSetType")
	s.set = map[string]string{"template": r.Form.Get("TemplateBody")}
	if url := r.Form.Get("TemplateURL"); url != "" {
		bucket, key, _ := strings.Cut(strings.TrimPrefix(url, f.url+"/"), "/")
		s.set["template"], f.noBody = f.buckets[bucket][key], true
	}
	for i := 1; r.Form.Has(fmt.Sprintf("Parameters.member.%d.ParameterKey", i)); i++ {
		prefix := fmt.Sprintf("Parameters.member.%d.", i)
		key := r.Form.Get(prefix + "ParameterKey")
		s.set[key] = r.Form.Get(prefix + "ParameterValue")
		if r.Form.Get(prefix+"UsePreviousValue") == "true" {
			s.set[key] = s.parameters[key]
		}
	}
	fmt.Fprintf(w, `<Id>set-%s</Id><StackId>id-%s</StackId>`, name, name)
}

func (f *fake) describeChangeSet(w io.Writer, _ *http.Request, s *fakeStack) {
	same := s.template == s.set["template"]
	for key, value := range s.parameters {
		same = same && s.set[key] == value
	}
	if same {
		io.WriteString(w, `<Status>FAILED</Status><StatusReason>The submitted information didn't contain changes. Submit different information to create a change set.</StatusReason>`)
		return
	}
	io.WriteString(w, `<Status>CREATE_COMPLETE</Status>`)
}

func (f *fake) executeChangeSet(_ io.Writer, _ *http.Request, s *fakeStack) {
	verb := s.setType
	if reason := f.fails[s.name]; reason != "" {
		s.event(verb+"_FAILED", "AWS::IAM::Role", "Role", "", reason)
		s.event(verb+"_FAILED", "AWS::IAM::Role", "Other", "", "Resource creation cancelled")
		s.status = map[string]string{"CREATE": "ROLLBACK_COMPLETE", "UPDATE": "UPDATE_ROLLBACK_COMPLETE"}[verb]
		s.event(s.status, "AWS::CloudFormation::Stack", s.name, "id-"+s.name, "")
		return
	}
	s.template = s.set["template"]
	delete(s.set, "template")
	s.parameters, s.status = s.set, verb+"_COMPLETE"
	s.event(verb+"_COMPLETE", "AWS::IAM::Role", "Role", "", "")
	s.event(s.status, "AWS::CloudFormation::Stack", s.name, "id-"+s.name, "")
}

func (f *fake) deleteStack(_ io.Writer, _ *http.Request, s *fakeStack) {
	if reason := f.fails["delete "+s.name]; reason != "" {
		s.event("DELETE_FAILED", "AWS::S3::Bucket", "Bucket", "", reason)
		s.status = "DELETE_FAILED"
	} else {
		s.status, s.template, s.parameters = "DELETE_COMPLETE", "", nil
	}
	s.event(s.status, "AWS::CloudFormation::Stack", s.name, "id-"+s.name, "")
}

func (s *fakeStack) event(status, kind, logical, physical, reason string) {
	s.events = append(s.events, fakeEvent{fmt.Sprint(len(s.events)), status, kind, logical, physical, reason})
}

func (f *fake) describeEvents(w io.Writer, _ *http.Request, s *fakeStack) {
	io.WriteString(w, `<StackEvents>`)
	for _, e := range slices.Backward(s.events) {
		fmt.Fprintf(w, `<member><EventId>%s</EventId><ResourceStatus>%s</ResourceStatus><ResourceType>%s</ResourceType>
			<LogicalResourceId>%s</LogicalResourceId><PhysicalResourceId>%s</PhysicalResourceId><ResourceStatusReason>`, e.id, e.status, e.kind, e.logical, e.physical)
		xml.EscapeText(w, []byte(e.reason))
		io.WriteString(w, `</ResourceStatusReason></member>`)
	}
	io.WriteString(w, `</StackEvents>`)
}

// count returns how many calls begin so.
func (f *fake) count(prefix string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, call := range f.calls {
		if strings.HasPrefix(call, prefix) {
			n++
		}
	}
	return n
}
