package logs

// The shapes of the API, with the members of AWS's service model that are
// served here.

type groupInput struct {
	LogGroupName string `json:"logGroupName" required:"true"`
}

func (in *groupInput) name() string { return in.LogGroupName }

type createGroupInput struct {
	groupInput
	Tags          map[string]string `json:"tags,omitempty"`
	LogGroupClass string            `json:"logGroupClass,omitempty"`
}

type describeGroupsInput struct {
	Prefix  string `json:"logGroupNamePrefix,omitempty"`
	Pattern string `json:"logGroupNamePattern,omitempty"`
	Limit   int    `json:"limit,omitempty"`
	Token   string `json:"nextToken,omitempty"`
}

type groupOutput struct {
	LogGroupName      string `json:"logGroupName"`
	CreationTime      int64  `json:"creationTime"`
	RetentionInDays   int    `json:"retentionInDays,omitempty"`
	MetricFilterCount int    `json:"metricFilterCount"`
	Arn               string `json:"arn"`
	StoredBytes       int64  `json:"storedBytes"`
	LogGroupClass     string `json:"logGroupClass"`
	LogGroupArn       string `json:"logGroupArn"`
}

type describeGroupsOutput struct {
	LogGroups []groupOutput `json:"logGroups"`
	NextToken string        `json:"nextToken,omitempty"`
}

type streamInput struct {
	groupInput
	LogStreamName string `json:"logStreamName" required:"true"`
}

type describeStreamsInput struct {
	LogGroupName string `json:"logGroupName,omitempty"`
	Identifier   string `json:"logGroupIdentifier,omitempty"`
	Prefix       string `json:"logStreamNamePrefix,omitempty"`
	OrderBy      string `json:"orderBy,omitempty"`
	Descending   bool   `json:"descending,omitempty"`
	Limit        int    `json:"limit,omitempty"`
	Token        string `json:"nextToken,omitempty"`
}

type streamOutput struct {
	LogStreamName       string `json:"logStreamName"`
	CreationTime        int64  `json:"creationTime"`
	FirstEventTimestamp int64  `json:"firstEventTimestamp,omitempty"`
	LastEventTimestamp  int64  `json:"lastEventTimestamp,omitempty"`
	LastIngestionTime   int64  `json:"lastIngestionTime,omitempty"`
	UploadSequenceToken string `json:"uploadSequenceToken"`
	Arn                 string `json:"arn"`
	StoredBytes         int64  `json:"storedBytes"`
}

type describeStreamsOutput struct {
	LogStreams []streamOutput `json:"logStreams"`
	NextToken  string         `json:"nextToken,omitempty"`
}

type inputEvent struct {
	Timestamp *int64  `json:"timestamp" required:"true"`
	Message   *string `json:"message" required:"true"`
}

type putEventsInput struct {
	streamInput
	LogEvents     []inputEvent `json:"logEvents" required:"true"`
	SequenceToken string       `json:"sequenceToken,omitempty"` // ignored since 2023, by AWS too
}

type rejected struct {
	TooNew  *int `json:"tooNewLogEventStartIndex,omitempty"`
	TooOld  *int `json:"tooOldLogEventEndIndex,omitempty"`
	Expired *int `json:"expiredLogEventEndIndex,omitempty"`
}

type putEventsOutput struct {
	NextSequenceToken string    `json:"nextSequenceToken"`
	Rejected          *rejected `json:"rejectedLogEventsInfo,omitempty"`
}

type getEventsInput struct {
	LogGroupName  string `json:"logGroupName,omitempty"`
	Identifier    string `json:"logGroupIdentifier,omitempty"`
	LogStreamName string `json:"logStreamName" required:"true"`
	StartTime     *int64 `json:"startTime,omitempty"`
	EndTime       *int64 `json:"endTime,omitempty"`
	Token         string `json:"nextToken,omitempty"`
	Limit         int    `json:"limit,omitempty"`
	StartFromHead bool   `json:"startFromHead,omitempty"`
	Unmask        bool   `json:"unmask,omitempty"`
}

type outputEvent struct {
	Timestamp     int64  `json:"timestamp"`
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
}

type getEventsOutput struct {
	Events            []outputEvent `json:"events"`
	NextForwardToken  string        `json:"nextForwardToken"`
	NextBackwardToken string        `json:"nextBackwardToken"`
}

type filterInput struct {
	LogGroupName   string   `json:"logGroupName,omitempty"`
	Identifier     string   `json:"logGroupIdentifier,omitempty"`
	LogStreamNames []string `json:"logStreamNames,omitempty"`
	Prefix         string   `json:"logStreamNamePrefix,omitempty"`
	StartTime      *int64   `json:"startTime,omitempty"`
	EndTime        *int64   `json:"endTime,omitempty"`
	FilterPattern  string   `json:"filterPattern,omitempty"`
	Token          string   `json:"nextToken,omitempty"`
	Limit          int      `json:"limit,omitempty"`
	Interleaved    bool     `json:"interleaved,omitempty"` // always so, by AWS too
	Unmask         bool     `json:"unmask,omitempty"`
}

type filteredEvent struct {
	LogStreamName string `json:"logStreamName"`
	Timestamp     int64  `json:"timestamp"`
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
	EventID       string `json:"eventId"`
}

type filterOutput struct {
	Events             []filteredEvent `json:"events"`
	SearchedLogStreams []struct{}      `json:"searchedLogStreams"`
	NextToken          string          `json:"nextToken,omitempty"`
}

type retentionInput struct {
	groupInput
	RetentionInDays int `json:"retentionInDays" required:"true"`
}

type tagGroupInput struct {
	groupInput
	Tags map[string]string `json:"tags" required:"true"`
}

type untagGroupInput struct {
	groupInput
	Tags []string `json:"tags" required:"true"`
}

type tagsOutput struct {
	Tags map[string]string `json:"tags"`
}

type resourceInput struct {
	ResourceArn string `json:"resourceArn" required:"true"`
}

type tagResourceInput struct {
	resourceInput
	Tags map[string]string `json:"tags" required:"true"`
}

type untagResourceInput struct {
	resourceInput
	TagKeys []string `json:"tagKeys" required:"true"`
}

type empty struct{}
