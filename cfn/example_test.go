package cfn_test

import (
	"encoding/json"
	"fmt"

	"github.com/seed-615d3599/roost/cfn"
)

func Example() {
	template, err := cfn.Parse("template.yaml", []byte(`
Parameters:
  Stage: {Type: String, AllowedValues: [dev, prod]}
Resources:
  Fn:
    Type: AWS::Lambda::Function
    Properties: {Role: !GetAtt Role.Arn, Description: !Sub 'runs in ${Stage}'}
  Role: {Type: AWS::IAM::Role}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	values, err := template.Resolve(cfn.Given{Values: map[string]string{"Stage": "dev"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	stack, err := cfn.New(template, values, cfn.Pseudo{Region: "us-east-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range stack.Resources {
		result, err := stack.Properties(r, cfn.Lookup{}) // nothing exists yet
		if err != nil {
			fmt.Println(err)
			return
		}
		text, _ := json.Marshal(result.Value)
		fmt.Println(r.LogicalID, string(text))
	}
	// Output:
	// Role {}
	// Fn {"Description":"runs in dev","Role":"{{changeSet:KNOWN_AFTER_APPLY}}"}
}
