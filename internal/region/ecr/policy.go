package ecr

import "encoding/json"

// withResource gives the statements of a repository policy the resource "*",
// which they leave out: the repository is meant (ECR User Guide, "Private
// repository policies").
func withResource(policy string) string {
	var document map[string]any
	if json.Unmarshal([]byte(policy), &document) != nil {
		return policy // the parser says what is wrong
	}
	statements, ok := document["Statement"].([]any)
	if !ok {
		statements = []any{document["Statement"]}
	}
	for _, one := range statements {
		if statement, ok := one.(map[string]any); ok && statement["Resource"] == nil && statement["NotResource"] == nil {
			statement["Resource"] = "*"
		}
	}
	data, err := json.Marshal(document)
	if err != nil {
		return policy
	}
	return string(data)
}
