package wire

import "time"

// Caller is the principal that signed a request.
type Caller struct {
	Account     string // 12 digits
	ARN         string // arn:aws:iam::…:user/… or arn:aws:sts::…:assumed-role/ROLE/SESSION
	UserID      string // AIDA…, or AROA…:SESSION
	AccessKeyID string

	// Of sessions only.
	RoleARN  string    // arn:aws:iam::…:role/PATH/ROLE
	IssuedAt time.Time // when the session began
	Expires  time.Time
	Cognito  *CognitoIdentity // of sessions that Cognito Identity gave

	// Detail belongs to the room that made the caller and decides for it.
	Detail any
}

// CognitoIdentity is what the session of an identity pool knows of its user.
type CognitoIdentity struct {
	IdentityID string
	PoolID     string
	AMR        []string // "authenticated", "api.twitter.com", "api.twitter.com:POOL:USER"; or "unauthenticated"
}
