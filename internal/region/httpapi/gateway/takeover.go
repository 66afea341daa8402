package gateway

import "reflect"

// takeOver lets an API go on with what it had before a change: tokens of
// throttles, verdicts of Lambda authorizers and keys of issuers, where the
// settings that they belong to are as they were.
func (a *api) takeOver(before *api) {
	if before == nil {
		return
	}
	for name, s := range a.stages {
		if old := before.stages[name]; old != nil {
			s.takeOverThrottles(old)
			s.takeOverAuthorizers(old)
		}
	}
}

func (s *stage) takeOverThrottles(before *stage) {
	if reflect.DeepEqual(s.DefaultThrottle, before.DefaultThrottle) {
		s.shared = before.shared
	}
	old := map[string]*compiledRoute{}
	for _, r := range before.routes {
		old[r.Key] = r
	}
	for _, r := range s.routes {
		own, has := s.Throttles[r.Key]
		if !has {
			r.throttle = s.shared
		} else if limit, had := before.Throttles[r.Key]; had && old[r.Key] != nil && reflect.DeepEqual(own, limit) {
			r.throttle = old[r.Key].throttle
		}
	}
}

func (s *stage) takeOverAuthorizers(before *stage) {
	for id, a := range s.authorizers {
		old := before.authorizers[id]
		if old != nil && a.function == old.function && reflect.DeepEqual(a.Authorizer, old.Authorizer) {
			a.jwt, a.cache = old.jwt, old.cache
		}
	}
}

// ForgetVerdicts drops what a stage's Lambda authorizers said.
func (g *Gateway) ForgetVerdicts(apiID, stage string) {
	a := g.snapshot.Load().apis[apiID]
	if a == nil || a.stages[stage] == nil {
		return
	}
	for _, authorizer := range a.stages[stage].authorizers {
		if authorizer.cache != nil {
			authorizer.cache.Clear()
		}
	}
}
