package httpapi

import (
	"context"
	"maps"

	"github.com/seed-615d3599/roost/internal/region/httpapi/shape"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (h *HTTPAPI) createStage(ctx context.Context, _ *wire.Call, in *createStage) (*stageDoc, error) {
	return h.newStage(ctx, in.APIID, &stageDoc{StageProps: in.StageProps, StageName: in.StageName, Tags: in.Tags})
}

func (h *HTTPAPI) newStage(ctx context.Context, apiID string, s *stageDoc) (*stageDoc, error) {
	s.CreatedDate, s.LastUpdatedDate = h.now(), h.now()
	if s.AutoDeploy == nil {
		s.AutoDeploy = ptr(false)
	}
	if s.Tags == nil {
		s.Tags = map[string]string{}
	}
	err := h.change(ctx, apiID, func(tx *store.Tx, a *apiDoc) error {
		found, err := tx.Get(kindStage, a.APIID+"/"+s.StageName, &stageDoc{})
		if err != nil {
			return err
		}
		if found {
			return conflict("Stage already exists")
		}
		if err := room(tx, kindStage, a.APIID+"/", quotaStages, "stages"); err != nil {
			return err
		}
		return h.putStage(tx, a.APIID, s)
	})
	return s, err
}

// putStage checks and stores a stage.
func (h *HTTPAPI) putStage(tx *store.Tx, apiID string, s *stageDoc) error {
	if s.DefaultRouteSettings == nil {
		s.DefaultRouteSettings = &shape.RouteSettings{DetailedMetricsEnabled: ptr(false)}
	}
	if err := s.Check(s.StageName); err != nil {
		return err
	}
	if id := text(s.DeploymentID); id != "" && !isTrue(s.AutoDeploy) {
		if _, err := get[deploymentDoc](tx, kindDeployment, apiID+"/"+id, "Deployment", id); err != nil {
			return err
		}
	}
	return tx.Put(kindStage, apiID+"/"+s.StageName, s)
}

func (h *HTTPAPI) updateStage(ctx context.Context, _ *wire.Call, in *updateStage) (*stageDoc, error) {
	return h.changeStage(ctx, &in.stageRef, func(tx *store.Tx, a *apiDoc, s *stageDoc) error {
		wasAuto := isTrue(s.AutoDeploy)
		if wasAuto && in.DeploymentID != nil && (in.AutoDeploy == nil || *in.AutoDeploy) {
			return badRequest("Deployment ID cannot be set when AutoDeploy is true")
		}
		settings := s.RouteSettings
		patch(&s.StageProps, in.StageProps)
		s.RouteSettings = merged(settings, in.RouteSettings, func(r *shape.RouteSettings) bool { return r == nil })
		if wasAuto && !isTrue(s.AutoDeploy) && in.DeploymentID == nil {
			return h.freeze(tx, a, s)
		}
		return nil
	})
}

// changeStage reads a stage, has f change it, and stores it.
func (h *HTTPAPI) changeStage(ctx context.Context, in *stageRef, f func(*store.Tx, *apiDoc, *stageDoc) error) (s *stageDoc, err error) {
	err = h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) error {
		if s, err = get[stageDoc](tx, kindStage, a.APIID+"/"+in.StageName, "Stage", in.StageName); err != nil {
			return err
		}
		s.LastUpdatedDate = h.now()
		if err := f(tx, a, s); err != nil {
			return err
		}
		return h.putStage(tx, a.APIID, s)
	})
	return s, err
}

func (h *HTTPAPI) getStage(ctx context.Context, _ *wire.Call, in *stageRef) (*stageDoc, error) {
	return one[stageDoc](ctx, h, kindStage, in.APIID+"/"+in.StageName, "Stage")
}

func (h *HTTPAPI) getStages(ctx context.Context, _ *wire.Call, in *listOfAPI) (*list[stageDoc], error) {
	return listOf[stageDoc](ctx, h, kindStage, in)
}

func (h *HTTPAPI) deleteStage(ctx context.Context, _ *wire.Call, in *stageRef) (*none, error) {
	return nil, h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) error {
		if _, err := get[stageDoc](tx, kindStage, a.APIID+"/"+in.StageName, "Stage", in.StageName); err != nil {
			return err
		}
		return tx.Delete(kindStage, a.APIID+"/"+in.StageName)
	})
}

func (h *HTTPAPI) deleteAccessLog(ctx context.Context, _ *wire.Call, in *stageRef) (*none, error) {
	_, err := h.changeStage(ctx, in, func(_ *store.Tx, _ *apiDoc, s *stageDoc) error {
		s.AccessLogSettings = nil
		return nil
	})
	return nil, err
}

func (h *HTTPAPI) deleteRouteSettings(ctx context.Context, _ *wire.Call, in *routeSettingsRef) (*none, error) {
	_, err := h.changeStage(ctx, &in.stageRef, func(_ *store.Tx, _ *apiDoc, s *stageDoc) error {
		s.RouteSettings = maps.Clone(s.RouteSettings)
		delete(s.RouteSettings, in.RouteKey)
		return nil
	})
	return nil, err
}

// resetCache drops what the stage's Lambda authorizers said.
func (h *HTTPAPI) resetCache(ctx context.Context, _ *wire.Call, in *stageRef) (*none, error) {
	return nil, h.view(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) error {
		_, err := get[stageDoc](tx, kindStage, a.APIID+"/"+in.StageName, "Stage", in.StageName)
		if err == nil {
			h.config.Gateway.ForgetVerdicts(a.APIID, in.StageName)
		}
		return err
	})
}
