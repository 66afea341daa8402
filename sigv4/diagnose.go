package sigv4

// Diagnosis says for a person why a request was refused.
type Diagnosis struct {
	// Sentence is one sentence in plain English.
	Sentence string
	// CanonicalRequest is what the signature has to be made over, as it
	// follows from the request that arrived. A session token in it is
	// shortened. It is empty if the request did not get that far.
	CanonicalRequest string
	// StringToSign is the second step; it holds the canonical request's hash.
	StringToSign string
}
