package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/httpapi/event"
	"github.com/seed-615d3599/roost/internal/region/httpapi/vars"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// integrate asks the route's integration and sends its answer.
func (c *call) integrate() {
	i := c.route.integration
	if i == nil {
		c.fail(http.StatusInternalServerError, "the route has no integration")
		return
	}
	if i.broken != nil {
		c.integrationError = i.broken.Error()
		c.fail(http.StatusInternalServerError, c.integrationError)
		return
	}
	ok := true
	begun := c.g.config.Now()
	if i.Type == definition.IntegrationHTTPProxy {
		ok = c.proxy(i)
	} else {
		ok = c.invoke(i)
	}
	c.integrationLatency = c.g.config.Now().Sub(begun)
	if !ok {
		return
	}
	if changes := i.response[strconv.Itoa(c.res.Status)]; len(changes) > 0 {
		c.changeResponse(changes)
	}
	c.send(c.res.Status, c.res.Body)
}

// invoke calls the function of an AWS_PROXY integration and reads its answer.
func (c *call) invoke(i *integration) bool {
	f := c.g.config.Functions
	if err := f.MayInvoke(i.function, apiGateway, c.sourceARN()); err != nil {
		c.integrationError = mayNotInvoke
		return c.fail(http.StatusInternalServerError, "API Gateway may not invoke "+i.function+" for "+c.sourceARN()+
			": add a permission (AWS::Lambda::Permission) with this SourceArn: "+err.Error())
	}
	if len(i.request) > 0 {
		c.changeRequest(i.request)
	}
	var payload []byte
	if i.PayloadVersion == "1.0" {
		payload = c.enc.V1(&c.event)
	} else {
		payload = c.enc.V2(&c.event)
	}
	ctx := c.within(i.Timeout, i.function)
	answer, failed, err := f.Invoke(ctx, i.function, payload)
	c.limits.Stop(ctx)
	if err != nil {
		return c.failInvoke(ctx, err)
	}
	c.integrationStatus = http.StatusOK
	if failed != "" {
		c.integrationError = "The Lambda function returned the following error: " + string(answer[:min(len(answer), 1024)])
		return c.fail(http.StatusInternalServerError, "the function "+i.function+" failed ("+errorType(answer, failed)+"): its log says why")
	}
	decode := event.DecodeV2
	if i.PayloadVersion == "1.0" {
		decode = event.DecodeV1
	}
	if err := decode(answer, &c.res); err != nil {
		c.integrationError = err.Error()
		if note := c.g.config.Note; note != nil {
			note(i.function, "API Gateway answered the request "+c.event.ID+" to "+c.route.Key+" with 500: "+err.Error())
		}
		return c.fail(http.StatusInternalServerError, err.Error())
	}
	c.functionStatus = c.res.Status
	return true
}

// errorType is the name in a function's error, such as
// Function.ResponseSizeTooLarge, of which its log says nothing; where it has none,
// what Lambda calls it.
func errorType(answer []byte, failed string) string {
	var document struct {
		ErrorType string `json:"errorType"`
	}
	if json.Unmarshal(answer, &document) != nil || document.ErrorType == "" {
		return failed
	}
	return document.ErrorType[:min(len(document.ErrorType), 256)]
}

// failInvoke answers for a call that did not get as far as an answer: 503 if it
// was throttled or took too long, or else 500.
func (c *call) failInvoke(ctx context.Context, err error) bool {
	c.integrationError = err.Error()
	var e *wire.Error
	switch {
	case errors.As(err, &e) && e.Status == http.StatusTooManyRequests:
		c.integrationStatus = e.Status
		return c.fail(http.StatusServiceUnavailable, "the function is throttled: "+err.Error())
	case ctx.Err() == context.DeadlineExceeded || errors.Is(err, context.DeadlineExceeded):
		c.integrationError = "the integration did not answer within its time limit"
		return c.fail(http.StatusServiceUnavailable, c.integrationError)
	case e != nil:
		c.integrationStatus = e.Status
	}
	return c.fail(http.StatusInternalServerError, "the function could not be invoked: "+err.Error())
}

// changeResponse applies an integration's ResponseParameters.
func (c *call) changeResponse(changes []vars.Change) {
	from := source{c}
	for _, ch := range changes {
		if ch.Place == vars.AtStatus {
			if v, _ := ch.Value.Value(from); len(v) == 3 {
				if n, err := strconv.Atoi(v); err == nil && n >= 200 && n <= 599 {
					c.res.Status = n
				}
			}
			continue
		}
		c.res.Fields = ch.Fields(c.res.Fields, from)
		if ch.Name == "content-type" && ch.Verb != vars.Append {
			c.res.ContentType = ""
		}
	}
}
