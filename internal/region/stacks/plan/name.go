package plan

import (
	"crypto/sha256"
	"encoding/base32"
)

// PhysicalName is the name that CloudFormation gives a resource: the stack's,
// the logical id and twelve characters, shortened from within to fit.
func PhysicalName(stack, logicalID, token string, max int) string {
	sum := sha256.Sum256([]byte(token + "/" + logicalID))
	random := base32.StdEncoding.EncodeToString(sum[:8])[:12]
	room := max - len(random) - 2
	if over := len(stack) + len(logicalID) - room; over > 0 {
		half := room / 2
		stack = stack[:min(len(stack), room-min(len(logicalID), half))]
		logicalID = logicalID[:min(len(logicalID), room-len(stack))]
	}
	return stack + "-" + logicalID + "-" + random
}
