package sealed_test

import (
	"testing"

	"github.com/seed-615d3599/roost/internal/region/sealed"
)

func TestUseOfKeys(t *testing.T) {
	keys := sealed.Keys{Account: "123456789012", Region: "eu-west-1", Service: "ssm"}
	const here = "arn:aws:kms:eu-west-1:123456789012:"
	for key, want := range map[string]string{
		"":                         "",
		"alias/aws/ssm":            "",
		here + "alias/aws/ssm":     "",
		"alias/aws/secretsmanager": here + "alias/aws/secretsmanager",
		"alias/mine":               here + "alias/mine",
		"1234":                     here + "key/1234",
		"arn:aws:kms:eu-west-1:999999999999:alias/aws/ssm": "arn:aws:kms:eu-west-1:999999999999:alias/aws/ssm",
	} {
		targets := keys.Use("kms:Decrypt", key)
		if want == "" {
			if len(targets) != 0 {
				t.Errorf("%q needs %v", key, targets)
			}
			continue
		}
		if len(targets) != 1 || targets[0].Resource != want || targets[0].Action != "kms:Decrypt" || targets[0].Context["kms:ViaService"][0] != "ssm.eu-west-1.amazonaws.com" {
			t.Errorf("%q needs %v, want %s", key, targets, want)
		}
	}
}
