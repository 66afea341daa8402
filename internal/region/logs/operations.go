package logs

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// operations is the table of the service.
func (l *Logs) operations() *wire.Service {
	return &wire.Service{Name: "logs", Protocol: wire.JSON, Target: "Logs_20140328", Operations: []wire.Operation{
		wire.Op("CreateLogGroup", l.createGroup, onGroup[createGroupInput](l)),
		wire.Op("DeleteLogGroup", l.deleteGroup, onGroup[groupInput](l)),
		wire.Op("DescribeLogGroups", l.describeGroups, wire.On(func(*wire.Call, *describeGroupsInput) string { return l.resource("") })),
		wire.Op("PutRetentionPolicy", l.putRetention, onGroup[retentionInput](l)),
		wire.Op("DeleteRetentionPolicy", l.deleteRetention, onGroup[groupInput](l)),
		wire.Op("CreateLogStream", l.createStream, onStream[streamInput](l)),
		wire.Op("DeleteLogStream", l.deleteStream, onStream[streamInput](l)),
		wire.Op("DescribeLogStreams", l.describeStreams, wire.On(func(_ *wire.Call, in *describeStreamsInput) string {
			return l.resource(either(in.LogGroupName, in.Identifier))
		})),
		wire.Op("PutLogEvents", l.putEvents, onStream[putEventsInput](l)),
		wire.Op("GetLogEvents", l.getEvents, wire.On(func(_ *wire.Call, in *getEventsInput) string {
			return l.resource(either(in.LogGroupName, in.Identifier)) + in.LogStreamName
		})),
		wire.Op("FilterLogEvents", l.filterEvents, wire.On(func(_ *wire.Call, in *filterInput) string {
			return l.resource(either(in.LogGroupName, in.Identifier))
		})),
		wire.Op("TagLogGroup", l.tagGroup, onGroup[tagGroupInput](l)),
		wire.Op("UntagLogGroup", l.untagGroup, onGroup[untagGroupInput](l)),
		wire.Op("ListTagsLogGroup", l.listTagsGroup, onGroup[groupInput](l)),
		wire.Op("TagResource", l.tagResource, wire.On(func(_ *wire.Call, in *tagResourceInput) string { return in.ResourceArn })),
		wire.Op("UntagResource", l.untagResource, wire.On(func(_ *wire.Call, in *untagResourceInput) string { return in.ResourceArn })),
		wire.Op("ListTagsForResource", l.listTagsResource, wire.On(func(_ *wire.Call, in *resourceInput) string { return in.ResourceArn })),
	}}
}

// groupARN is a log group's ARN.
func (l *Logs) groupARN(name string) string {
	return "arn:aws:logs:" + l.config.Region + ":" + l.config.Account + ":log-group:" + name
}

// resource is what a policy must name for an action on a group or, with a
// stream's name behind it, on a stream. [?] That actions on groups are decided
// for "…:log-stream:" with nothing behind it is known from AWS's error messages
// only; it is why policies name "log-group:NAME:*".
func (l *Logs) resource(group string) string { return l.groupARN(group) + ":log-stream:" }

type named[T any] interface {
	*T
	name() string
}

func onGroup[T any, P named[T]](l *Logs) wire.Option {
	return wire.On(func(_ *wire.Call, in *T) string { return l.resource(P(in).name()) })
}

type namedStream[T any] interface {
	named[T]
	streamName() string
}

func (in *streamInput) streamName() string { return in.LogStreamName }

func onStream[T any, P namedStream[T]](l *Logs) wire.Option {
	return wire.On(func(_ *wire.Call, in *T) string { return l.resource(P(in).name()) + P(in).streamName() })
}

// either is a group by its name or by its identifier, a name or an ARN.
func either(name, identifier string) string {
	if name != "" {
		return name
	}
	if parts := strings.SplitN(identifier, ":", 7); len(parts) == 7 && parts[0] == "arn" {
		return strings.TrimSuffix(parts[6], ":*")
	}
	return identifier
}

func notFound(what string) error {
	return wire.Errorf(400, "ResourceNotFoundException", "The specified log %s does not exist.", what)
}

func exists(what string) error {
	return wire.Errorf(400, "ResourceAlreadyExistsException", "The specified log %s already exists", what)
}

func invalid(format string, args ...any) error {
	return wire.Errorf(400, "InvalidParameterException", format, args...)
}

// Patterns of the API's service model.
var (
	groupPattern  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`) })
	streamPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^:*\x00-\x1f]{1,512}$`) })
)

// update runs a change of a group that must exist, if only by events that wait.
func (l *Logs) update(ctx context.Context, name string, f func(*store.Tx, *group) error) (*empty, error) {
	known := l.waits(name)
	return &empty{}, l.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		g := &group{Name: name, Created: l.config.Now().UnixMilli()}
		there, err := tx.Get(kindGroup, name, g)
		if err == nil && !there && !known {
			err = notFound("group")
		}
		if err != nil {
			return err
		}
		return f(tx, g)
	})
}

func (l *Logs) createGroup(ctx context.Context, _ *wire.Call, in *createGroupInput) (*empty, error) {
	if !groupPattern().MatchString(in.LogGroupName) {
		return nil, invalid("1 validation error detected: Value '%s' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+", in.LogGroupName)
	}
	return &empty{}, l.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		there, err := tx.Get(kindGroup, in.LogGroupName, &group{})
		if err == nil && there {
			err = exists("group")
		}
		if err != nil {
			return err
		}
		return tx.Put(kindGroup, in.LogGroupName, group{Name: in.LogGroupName, Created: l.config.Now().UnixMilli(), Class: in.LogGroupClass, Tags: in.Tags})
	})
}

func (l *Logs) deleteGroup(ctx context.Context, _ *wire.Call, in *groupInput) (*empty, error) {
	return l.update(ctx, in.LogGroupName, func(tx *store.Tx, g *group) error {
		l.discard(func(key streamKey) bool { return key.group == g.Name })
		for _, kind := range []string{kindBatch, kindStream} {
			if err := tx.DeletePrefix(kind, g.Name+"\x00"); err != nil {
				return err
			}
		}
		return tx.Delete(kindGroup, g.Name)
	})
}

// patience bounds how long a reader waits for what is pending. A caller within
// a transaction would wait for itself.
const patience = time.Second

// settle stores what is pending, so that a reader sees it.
func (l *Logs) settle(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- l.flush(context.Background()) }()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case <-limit.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Logs) describeGroups(ctx context.Context, _ *wire.Call, in *describeGroupsInput) (*describeGroupsOutput, error) {
	if err := l.settle(ctx); err != nil {
		return nil, err
	}
	var all []groupOutput
	err := l.config.DB.View(ctx, func(tx *store.Tx) error {
		groups, err := store.All[group](tx, kindGroup, in.Prefix)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if !strings.Contains(strings.ToLower(g.Name), strings.ToLower(in.Pattern)) {
				continue
			}
			streams, err := store.All[stream](tx, kindStream, g.Name+"\x00")
			if err != nil {
				return err
			}
			out := groupOutput{LogGroupName: g.Name, CreationTime: g.Created, RetentionInDays: g.Retention, LogGroupClass: either(g.Class, "STANDARD"),
				Arn: l.groupARN(g.Name) + ":*", LogGroupArn: l.groupARN(g.Name)}
			for _, s := range streams {
				out.StoredBytes += s.Bytes
			}
			all = append(all, out)
		}
		return nil
	})
	out := &describeGroupsOutput{}
	out.LogGroups, out.NextToken = cut(all, in.Token, in.Limit, func(g groupOutput) string { return g.LogGroupName })
	return out, err
}

// cut returns a page of a sorted list, 50 items unless a smaller limit is given.
func cut[T any](all []T, token string, limit int, key func(T) string) (page []T, next string) {
	if token != "" {
		for len(all) > 0 && key(all[0]) != token {
			all = all[1:]
		}
	}
	if limit <= 0 || limit > 50 {
		limit = 50
	}
	if len(all) <= limit {
		return append([]T{}, all...), ""
	}
	return all[:limit], key(all[limit])
}

// retentionDays are the values that CloudWatch Logs allows.
func retentionDays() []int {
	return []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
}

func (l *Logs) putRetention(ctx context.Context, _ *wire.Call, in *retentionInput) (*empty, error) {
	if !slices.Contains(retentionDays(), in.RetentionInDays) {
		return nil, invalid("Invalid retention value %d: it must be one of %v", in.RetentionInDays, retentionDays())
	}
	return l.update(ctx, in.LogGroupName, func(tx *store.Tx, g *group) error {
		g.Retention = in.RetentionInDays
		return tx.Put(kindGroup, g.Name, g)
	})
}

func (l *Logs) deleteRetention(ctx context.Context, _ *wire.Call, in *groupInput) (*empty, error) {
	return l.update(ctx, in.LogGroupName, func(tx *store.Tx, g *group) error {
		g.Retention = 0
		return tx.Put(kindGroup, g.Name, g)
	})
}

func (l *Logs) createStream(ctx context.Context, _ *wire.Call, in *streamInput) (*empty, error) {
	if !streamPattern().MatchString(in.LogStreamName) {
		return nil, invalid("1 validation error detected: Value '%s' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*", in.LogStreamName)
	}
	key := streamKey{in.LogGroupName, in.LogStreamName}.key()
	return l.update(ctx, in.LogGroupName, func(tx *store.Tx, _ *group) error {
		there, err := tx.Get(kindStream, key, &stream{})
		if err == nil && there {
			err = exists("stream")
		}
		if err != nil {
			return err
		}
		return tx.Put(kindStream, key, stream{Group: in.LogGroupName, Name: in.LogStreamName, Created: l.config.Now().UnixMilli()})
	})
}

func (l *Logs) deleteStream(ctx context.Context, _ *wire.Call, in *streamInput) (*empty, error) {
	key := streamKey{in.LogGroupName, in.LogStreamName}
	return l.update(ctx, in.LogGroupName, func(tx *store.Tx, _ *group) error {
		l.discard(func(pending streamKey) bool { return pending == key })
		there, err := tx.Get(kindStream, key.key(), &stream{})
		if err == nil && !there {
			err = notFound("stream")
		}
		if err != nil {
			return err
		}
		return deleteStream(tx, key)
	})
}

func (l *Logs) describeStreams(ctx context.Context, _ *wire.Call, in *describeStreamsInput) (*describeStreamsOutput, error) {
	name := either(in.LogGroupName, in.Identifier)
	byTime := in.OrderBy == "LastEventTime"
	switch {
	case in.OrderBy != "" && in.OrderBy != "LogStreamName" && !byTime:
		return nil, invalid("1 validation error detected: Value '%s' at 'orderBy' failed to satisfy constraint: Member must satisfy enum value set: [LogStreamName, LastEventTime]", in.OrderBy)
	case byTime && in.Prefix != "":
		return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	if err := l.settle(ctx); err != nil {
		return nil, err
	}
	var all []streamOutput
	err := l.config.DB.View(ctx, func(tx *store.Tx) error {
		if there, err := tx.Get(kindGroup, name, &group{}); err != nil || !there {
			if err == nil {
				err = notFound("group")
			}
			return err
		}
		streams, err := store.All[stream](tx, kindStream, name+"\x00"+in.Prefix)
		for _, s := range streams {
			all = append(all, streamOutput{LogStreamName: s.Name, CreationTime: s.Created, FirstEventTimestamp: s.First, LastEventTimestamp: s.Last,
				LastIngestionTime: s.LastIngested, Arn: l.resource(name) + s.Name, UploadSequenceToken: sequenceToken})
		}
		return err
	})
	if byTime {
		sort.SliceStable(all, func(i, j int) bool { return all[i].LastEventTimestamp < all[j].LastEventTimestamp })
	}
	if in.Descending {
		slices.Reverse(all)
	}
	out := &describeStreamsOutput{}
	out.LogStreams, out.NextToken = cut(all, in.Token, in.Limit, func(s streamOutput) string { return s.LogStreamName })
	return out, err
}

func (l *Logs) tagGroup(ctx context.Context, _ *wire.Call, in *tagGroupInput) (*empty, error) {
	return l.update(ctx, in.LogGroupName, func(tx *store.Tx, g *group) error {
		if g.Tags == nil {
			g.Tags = map[string]string{}
		}
		maps.Copy(g.Tags, in.Tags)
		return tx.Put(kindGroup, g.Name, g)
	})
}

func (l *Logs) untagGroup(ctx context.Context, _ *wire.Call, in *untagGroupInput) (*empty, error) {
	return l.update(ctx, in.LogGroupName, func(tx *store.Tx, g *group) error {
		for _, key := range in.Tags {
			delete(g.Tags, key)
		}
		return tx.Put(kindGroup, g.Name, g)
	})
}

func (l *Logs) listTagsGroup(ctx context.Context, _ *wire.Call, in *groupInput) (*tagsOutput, error) {
	out := &tagsOutput{Tags: map[string]string{}}
	return out, l.config.DB.View(ctx, func(tx *store.Tx) error {
		g := &group{}
		there, err := tx.Get(kindGroup, in.LogGroupName, g)
		if err == nil && !there {
			err = notFound("group")
		}
		maps.Copy(out.Tags, g.Tags)
		return err
	})
}

func (l *Logs) tagResource(ctx context.Context, call *wire.Call, in *tagResourceInput) (*empty, error) {
	return l.tagGroup(ctx, call, &tagGroupInput{groupInput{either("", in.ResourceArn)}, in.Tags})
}

func (l *Logs) untagResource(ctx context.Context, call *wire.Call, in *untagResourceInput) (*empty, error) {
	return l.untagGroup(ctx, call, &untagGroupInput{groupInput{either("", in.ResourceArn)}, in.TagKeys})
}

func (l *Logs) listTagsResource(ctx context.Context, call *wire.Call, in *resourceInput) (*tagsOutput, error) {
	return l.listTagsGroup(ctx, call, &groupInput{either("", in.ResourceArn)})
}
