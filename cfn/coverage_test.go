package cfn_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestGoldenFilesHaveEverything: each function in both its forms, each section,
// attribute, parameter type and constraint, pseudo parameter and dynamic
// reference stands in a golden template, and each of CloudFormation's error
// texts in what is wanted of one.
func TestGoldenFilesHaveEverything(t *testing.T) {
	templates, wanted := goldenTexts(t)
	for _, name := range strings.Fields(`Base64 Cidr And Equals If Not Or FindInMap GetAtt GetAZs ImportValue Join Select Split Sub`) {
		needs(t, templates, "function", "Fn::"+name+`"`, "Fn::"+name+":")
		needs(t, templates, "short form", "!"+name+" ")
	}
	for _, name := range strings.Fields(`ForEach Length ToJsonString`) { // of the language extensions, without short forms
		needs(t, templates, "function", "Fn::"+name)
	}
	for _, name := range strings.Fields(`Contains EachMemberEquals EachMemberIn RefAll ValueOf ValueOfAll`) {
		needs(t, templates, "rule function", "Fn::"+name)
	}
	for _, name := range []string{
		"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions", "Transform", "Resources", "Outputs", "Globals",
		"Ref", "!Ref ", "!Condition ", "DefaultValue",
		"Type", "Properties", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy",
		"Value", "Export", "AWS::LanguageExtensions", "AWS::Serverless-2016-10-31",
		"AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix",
		"{{resolve:ssm:", "{{resolve:ssm-secure:", "{{resolve:secretsmanager:",
		"Default", "AllowedValues", "AllowedPattern", "ConstraintDescription", "MinLength", "MaxLength", "MinValue", "MaxValue", "NoEcho",
		"String", "Number", "CommaDelimitedList", "List<Number>", "AWS::SSM::Parameter::Name", "AWS::SSM::Parameter::Value<String>",
		"AWS::SSM::Parameter::Value<List<String>>", "AWS::SSM::Parameter::Value<CommaDelimitedList>", "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>",
		"AWS::EC2::AvailabilityZone::Name", "AWS::EC2::Image::Id", "AWS::EC2::Instance::Id", "AWS::EC2::KeyPair::KeyName",
		"AWS::EC2::SecurityGroup::GroupName", "AWS::EC2::SecurityGroup::Id", "AWS::EC2::Subnet::Id", "AWS::EC2::Volume::Id",
		"AWS::EC2::VPC::Id", "AWS::Route53::HostedZone::Id",
		"List<AWS::EC2::AvailabilityZone::Name>", "List<AWS::EC2::Subnet::Id>", "List<AWS::EC2::SecurityGroup::Id>",
	} {
		needs(t, templates, "word", name)
	}
	for _, text := range []string{
		"Template error: Unable to get mapping for ",
		"Template format error: Unresolved resource dependencies [",
		"] in the Resources block of the template",
		"Template format error: Every Mappings attribute must be a String or a List.",
		"Template format error: Every Mappings member ",
		" must be a map",
		"my number is 3",
	} {
		needs(t, wanted, "text", text)
	}
}

// goldenTexts returns the templates of all golden files, and what is wanted.
func goldenTexts(t *testing.T) (templates, wanted string) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range txtar.Parse(data).Files {
			if strings.HasSuffix(part.Name, "/want") {
				wanted += string(part.Data)
			} else if !strings.HasSuffix(part.Name, "/given.json") {
				templates += string(part.Data)
			}
		}
	}
	return templates, wanted
}

// needs reports what stands nowhere in any of its forms.
func needs(t *testing.T, all, what string, forms ...string) {
	for _, form := range forms {
		if strings.Contains(all, form) {
			return
		}
	}
	t.Errorf("no golden file has the %s %s", what, forms[0])
}
