package sam

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/cfn/eval"
	"github.com/seed-615d3599/roost/cfn/tree"
)

// role makes the execution role of a function that brings none.
func (x *expander) role(r *resource) {
	b := builder{r.node.Pos}
	assume := r.props.Get("AssumeRolePolicyDocument")
	if assume == nil {
		assume = b.obj("Version", "2012-10-17", "Statement", tree.Array(b.pos, b.obj(
			"Effect", "Allow", "Action", b.strs("sts:AssumeRole"), "Principal", b.obj("Service", b.strs("lambda.amazonaws.com")))))
	}
	managed := []*tree.Node{b.str(x.managed("AWSLambdaBasicExecutionRole"))}
	if x.traced(r) {
		name := "AWSXrayWriteOnlyAccess"
		if x.partition() != "aws" {
			name = "AWSXRayDaemonWriteAccess"
		}
		managed = append(managed, b.str(x.managed(name)))
	}
	if r.props.Get("VpcConfig") != nil {
		managed = append(managed, b.str(x.managed("AWSLambdaVPCAccessExecutionRole")))
	}
	var inline []*tree.Node
	if queue := r.props.Get("DeadLetterQueue"); queue != nil {
		inline = append(inline, x.deadLetterPolicy(r, queue))
	}
	managed, inline = x.policies(r, managed, inline)
	props := b.obj("AssumeRolePolicyDocument", assume, "ManagedPolicyArns", tree.Array(b.pos, managed...))
	if len(inline) > 0 {
		props.Set("Policies", tree.Array(b.pos, inline...))
	}
	if p := r.props.Get("RolePath"); p != nil {
		props.Set("Path", p)
	}
	if p := r.props.Get("PermissionsBoundary"); p != nil {
		props.Set("PermissionsBoundary", p)
	}
	props.Set("Tags", x.tags(r))
	x.add(r, r.id+"Role", "AWS::IAM::Role", props)
}

func (x *expander) deadLetterPolicy(r *resource, queue *tree.Node) *tree.Node {
	b := builder{queue.Pos}
	actions := map[string]string{"SQS": "sqs:SendMessage", "SNS": "sns:Publish"}
	action, ok := actions[text(queue.Get("Type"))]
	if !ok || queue.Get("TargetArn") == nil {
		x.fail(r, queue, "'DeadLetterQueue' requires Type and TargetArn properties to be specified, and Type must be SQS or SNS.")
	}
	return b.obj("PolicyName", "DeadLetterQueuePolicy", "PolicyDocument", b.obj("Version", "2012-10-17",
		"Statement", tree.Array(b.pos, b.obj("Action", action, "Resource", queue.Get("TargetArn"), "Effect", "Allow"))))
}

// policies reads the property Policies: managed policies by name, ARN or
// function, statements, and policy templates by name.
func (x *expander) policies(r *resource, managed, inline []*tree.Node) (m, i []*tree.Node) {
	p := r.props.Get("Policies")
	if p == nil {
		return managed, inline
	}
	entries := []*tree.Node{p}
	if p.Kind == tree.List {
		entries = p.Items
	}
	for index, entry := range entries {
		document := entry
		_, _, isCall := eval.Function(entry)
		switch {
		case entry.IsString():
			managed = appendNew(managed, tree.Str(entry.Pos, x.managed(entry.Text)))
			continue
		case isCall:
			if slices.ContainsFunc(branches(entry.Get("Fn::If")), isDocument) {
				x.fail(r, entry, "Fn::If of policy documents is not supported.")
			}
			managed = appendNew(managed, entry)
			continue
		case entry.Get("Statement") != nil:
		case entry.Kind == tree.Map && len(entry.Members) == 1:
			if document = x.template(r, entry); document == nil {
				continue
			}
		default:
			x.fail(r, entry, "A policy must be the name or ARN of a managed policy, a policy document or a policy template.")
			continue
		}
		name := r.id + "RolePolicy" + strconv.Itoa(index)
		inline = append(inline, builder{entry.Pos}.obj("PolicyName", name, "PolicyDocument", document))
	}
	return managed, inline
}

// branches returns what Fn::If chooses between.
func branches(n *tree.Node) []*tree.Node {
	if n == nil || len(n.Items) != 3 {
		return nil
	}
	return n.Items[1:]
}

// isDocument reports whether a branch of Fn::If is a policy and not the name of one.
func isDocument(n *tree.Node) bool {
	_, _, call := eval.Function(n)
	return n.Kind == tree.Map && !call
}

func appendNew(list []*tree.Node, n *tree.Node) []*tree.Node {
	if n.IsString() && slices.ContainsFunc(list, func(o *tree.Node) bool { return o.IsString() && o.Text == n.Text }) {
		return list
	}
	return append(list, n)
}

// managed returns the ARN of an AWS managed policy. SAM carries a list of all
// of them; here only those below "service-role/" that functions use are
// listed, and every other name stands at the root.
func (x *expander) managed(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	switch name {
	case "AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole", "AWSLambdaDynamoDBExecutionRole",
		"AWSLambdaKinesisExecutionRole", "AWSLambdaSQSQueueExecutionRole", "AWSLambdaMSKExecutionRole",
		"AWSLambdaENIManagementAccess", "AWSLambdaRole", "AmazonAPIGatewayPushToCloudWatchLogs":
		name = "service-role/" + name
	}
	return "arn:" + x.partition() + ":iam::aws:policy/" + name
}

// policyTemplate is one of SAM's policy templates ("AWS SAM policy
// templates"): its statements, in which "?" is the parameter.
type policyTemplate struct {
	parameter  string // "" for none
	statements []statement
}

type statement struct {
	actions   string   // separated by spaces, of one service: "s3:GetObject ListBucket"
	resources []string // Fn::Sub texts; "*" alone is everything
}

// policyTemplates are those that are supported; others are refused by name.
func policyTemplates() map[string]policyTemplate {
	const (
		bucket  = "arn:${AWS::Partition}:s3:::?"
		objects = bucket + "/*"
		here    = "${AWS::Region}:${AWS::AccountId}:"
		table   = "arn:${AWS::Partition}:dynamodb:" + here + "table/?"
		queue   = "arn:${AWS::Partition}:sqs:" + here + "?"
		key     = "arn:${AWS::Partition}:kms:" + here + "key/?"
		param   = "arn:${AWS::Partition}:ssm:" + here + "parameter"
	)
	one := func(parameter, actions string, resources ...string) policyTemplate {
		return policyTemplate{parameter, []statement{{actions, resources}}}
	}
	ssm := func(resource string) policyTemplate {
		return policyTemplate{"ParameterName", []statement{
			{"ssm:DescribeParameters", []string{"*"}},
			{"ssm:GetParameters GetParameter GetParametersByPath", []string{resource}},
		}}
	}
	return map[string]policyTemplate{
		"AWSSecretsManagerGetSecretValuePolicy": one("SecretArn", "secretsmanager:GetSecretValue", "?"),
		"CloudWatchPutMetricPolicy":             one("", "cloudwatch:PutMetricData", "*"),
		"DynamoDBCrudPolicy":                    one("TableName", "dynamodb:GetItem DeleteItem PutItem Scan Query UpdateItem BatchWriteItem BatchGetItem DescribeTable ConditionCheckItem", table, table+"/index/*"),
		"DynamoDBReadPolicy":                    one("TableName", "dynamodb:GetItem Scan Query BatchGetItem DescribeTable", table, table+"/index/*"),
		"DynamoDBWritePolicy":                   one("TableName", "dynamodb:PutItem UpdateItem BatchWriteItem", table, table+"/index/*"),
		"EventBridgePutEventsPolicy":            one("EventBusName", "events:PutEvents", "arn:${AWS::Partition}:events:"+here+"event-bus/?"),
		"KMSDecryptPolicy":                      one("KeyId", "kms:Decrypt", key),
		"KMSEncryptPolicy":                      one("KeyId", "kms:Encrypt", key),
		"LambdaInvokePolicy":                    one("FunctionName", "lambda:InvokeFunction", "arn:${AWS::Partition}:lambda:"+here+"function:?*"),
		"S3CrudPolicy":                          one("BucketName", "s3:GetObject ListBucket GetBucketLocation GetObjectVersion PutObject PutObjectAcl GetLifecycleConfiguration PutLifecycleConfiguration DeleteObject", bucket, objects),
		"S3ReadPolicy":                          one("BucketName", "s3:GetObject ListBucket GetBucketLocation GetObjectVersion GetLifecycleConfiguration", bucket, objects),
		"S3WritePolicy":                         one("BucketName", "s3:PutObject PutObjectAcl PutLifecycleConfiguration", bucket, objects),
		"S3FullAccessPolicy": {"BucketName", []statement{
			{"s3:GetObject GetObjectAcl GetObjectVersion PutObject PutObjectAcl DeleteObject DeleteObjectTagging DeleteObjectVersionTagging GetObjectTagging GetObjectVersionTagging PutObjectTagging PutObjectVersionTagging", []string{objects}},
			{"s3:ListBucket GetBucketLocation GetLifecycleConfiguration PutLifecycleConfiguration", []string{bucket}},
		}},
		"SNSPublishMessagePolicy":               one("TopicName", "sns:Publish", "arn:${AWS::Partition}:sns:"+here+"?"),
		"SQSPollerPolicy":                       one("QueueName", "sqs:ChangeMessageVisibility ChangeMessageVisibilityBatch DeleteMessage DeleteMessageBatch GetQueueAttributes ReceiveMessage", queue),
		"SQSSendMessagePolicy":                  one("QueueName", "sqs:SendMessage*", queue),
		"SSMParameterReadPolicy":                ssm(param + "/?"),
		"SSMParameterWithSlashPrefixReadPolicy": ssm(param + "?"),
		"StepFunctionsExecutionPolicy":          one("StateMachineName", "states:StartExecution", "arn:${AWS::Partition}:states:"+here+"stateMachine:?"),
		"VPCAccessPolicy":                       one("", "ec2:CreateNetworkInterface DeleteNetworkInterface DescribeNetworkInterfaces DetachNetworkInterface", "*"),
	}
}

// template makes the policy document of {"S3ReadPolicy": {"BucketName": …}}.
func (x *expander) template(r *resource, entry *tree.Node) *tree.Node {
	name, arguments := entry.Members[0].Key, entry.Members[0].Value
	t, known := policyTemplates()[name]
	if !known {
		x.fail(r, entry, "The policy template '%s' is not known or not supported.", name)
		return nil
	}
	wanted := 0
	if t.parameter != "" {
		wanted = 1
	}
	if arguments.Kind != tree.Map || len(arguments.Members) != wanted || wanted == 1 && arguments.Get(t.parameter) == nil {
		x.fail(r, entry, "The policy template '%s' needs exactly these parameters: [%s].", name, t.parameter)
		return nil
	}
	b := builder{entry.Pos}
	list := tree.Array(b.pos)
	for _, s := range t.statements {
		list.Items = append(list.Items, b.obj("Effect", "Allow", "Action", b.actions(s.actions), "Resource", b.resourcesOf(s, t.parameter, arguments)))
	}
	return b.obj("Statement", list) // without a Version, as SAM has it
}

func (b builder) actions(short string) *tree.Node {
	service, names, _ := strings.Cut(short, ":")
	n := tree.Array(b.pos)
	for _, name := range strings.Fields(names) {
		n.Items = append(n.Items, b.str(service+":"+name))
	}
	return n
}

func (b builder) resourcesOf(s statement, parameter string, arguments *tree.Node) *tree.Node {
	list := tree.Array(b.pos)
	for _, text := range s.resources {
		if text == "*" {
			return b.str("*")
		}
		variable := strings.ToLower(parameter[:1]) + parameter[1:]
		list.Items = append(list.Items, b.sub(strings.ReplaceAll(text, "?", "${"+variable+"}"), b.obj(variable, arguments.Get(parameter))))
	}
	if len(list.Items) == 1 {
		return list.Items[0]
	}
	return list
}
