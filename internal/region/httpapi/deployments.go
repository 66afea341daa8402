package httpapi

import (
	"context"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// current reads what a deployment made now would freeze.
func current(tx *store.Tx, a *apiDoc) (c *content, err error) {
	c = &content{Cors: a.CorsConfiguration}
	if c.Routes, err = store.All[routeDoc](tx, kindRoute, a.APIID+"/"); err != nil {
		return nil, err
	}
	if c.Integrations, err = store.All[integrationDoc](tx, kindIntegration, a.APIID+"/"); err != nil {
		return nil, err
	}
	c.Authorizers, err = store.All[authorizerDoc](tx, kindAuthorizer, a.APIID+"/")
	return c, err
}

func (h *HTTPAPI) newDeployment(tx *store.Tx, apiID string, d *deploymentDoc) (err error) {
	if d.DeploymentID, err = h.id(6); err != nil {
		return err
	}
	d.CreatedDate, d.DeploymentStatus = h.now(), "DEPLOYED"
	return tx.Put(kindDeployment, apiID+"/"+d.DeploymentID, d)
}

// autoDeploy gives the stages that deploy automatically a new deployment in place
// of their last.
func (h *HTTPAPI) autoDeploy(tx *store.Tx, apiID string) error {
	stages, err := store.All[stageDoc](tx, kindStage, apiID+"/")
	if err != nil {
		return err
	}
	var d *deploymentDoc
	for i := range stages {
		s := &stages[i]
		if !isTrue(s.AutoDeploy) {
			continue
		}
		if d == nil {
			d = &deploymentDoc{deploymentOut: deploymentOut{AutoDeployed: true, Description: ptr("Automatic deployment triggered by changes to the Api configuration")}}
			if err := h.newDeployment(tx, apiID, d); err != nil {
				return err
			}
		}
		if err := dropAutomatic(tx, apiID, text(s.DeploymentID)); err != nil {
			return err
		}
		s.DeploymentID = ptr(d.DeploymentID)
		s.LastDeploymentStatusMessage = "Successfully deployed stage with deployment ID '" + d.DeploymentID + "'"
		if err := tx.Put(kindStage, apiID+"/"+s.StageName, s); err != nil {
			return err
		}
	}
	return nil
}

func dropAutomatic(tx *store.Tx, apiID, id string) error {
	var d deploymentDoc
	found, err := tx.Get(kindDeployment, apiID+"/"+id, &d)
	if err == nil && found && d.AutoDeployed && d.Content == nil {
		err = tx.Delete(kindDeployment, apiID+"/"+id)
	}
	return err
}

// freeze gives a stage that no longer deploys automatically a deployment of what
// it served until now.
func (h *HTTPAPI) freeze(tx *store.Tx, a *apiDoc, s *stageDoc) error {
	c, err := current(tx, a)
	if err != nil {
		return err
	}
	d := &deploymentDoc{deploymentOut: deploymentOut{AutoDeployed: true}, Content: c}
	if err := h.newDeployment(tx, a.APIID, d); err != nil {
		return err
	}
	if err := dropAutomatic(tx, a.APIID, text(s.DeploymentID)); err != nil {
		return err
	}
	s.DeploymentID = ptr(d.DeploymentID)
	return nil
}

func (h *HTTPAPI) createDeployment(ctx context.Context, _ *wire.Call, in *createDeployment) (*deploymentOut, error) {
	d := &deploymentDoc{deploymentOut: deploymentOut{Description: in.Description}}
	err := h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) (err error) {
		if d.Content, err = current(tx, a); err != nil {
			return err
		}
		if len(d.Content.Routes) == 0 {
			return badRequest("Unable to deploy API because no routes exist in this API")
		}
		if err := h.newDeployment(tx, a.APIID, d); err != nil || in.StageName == nil {
			return err
		}
		s, err := get[stageDoc](tx, kindStage, a.APIID+"/"+*in.StageName, "Stage", *in.StageName)
		if err != nil {
			return err
		}
		if isTrue(s.AutoDeploy) {
			return badRequest("the stage %s deploys automatically, so that no deployment can be made for it", s.StageName)
		}
		s.DeploymentID, s.LastUpdatedDate = ptr(d.DeploymentID), h.now()
		return h.putStage(tx, a.APIID, s)
	})
	return &d.deploymentOut, err
}

func (h *HTTPAPI) getDeployment(ctx context.Context, _ *wire.Call, in *deploymentRef) (*deploymentOut, error) {
	d, err := one[deploymentDoc](ctx, h, kindDeployment, in.APIID+"/"+in.DeploymentID, "Deployment")
	if err != nil {
		return nil, err
	}
	return &d.deploymentOut, nil
}

func (h *HTTPAPI) getDeployments(ctx context.Context, _ *wire.Call, in *listOfAPI) (*list[deploymentOut], error) {
	return listOf[deploymentOut](ctx, h, kindDeployment, in)
}

func (h *HTTPAPI) updateDeployment(ctx context.Context, _ *wire.Call, in *updateDeployment) (*deploymentOut, error) {
	var d *deploymentDoc
	err := h.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		if d, err = get[deploymentDoc](tx, kindDeployment, in.APIID+"/"+in.DeploymentID, "Deployment", in.DeploymentID); err != nil {
			return err
		}
		if in.Description != nil {
			d.Description = in.Description
		}
		return tx.Put(kindDeployment, in.APIID+"/"+in.DeploymentID, d)
	})
	if err != nil {
		return nil, err
	}
	return &d.deploymentOut, nil
}

func (h *HTTPAPI) deleteDeployment(ctx context.Context, _ *wire.Call, in *deploymentRef) (*none, error) {
	return nil, h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) error {
		if _, err := get[deploymentDoc](tx, kindDeployment, a.APIID+"/"+in.DeploymentID, "Deployment", in.DeploymentID); err != nil {
			return err
		}
		stages, err := store.All[stageDoc](tx, kindStage, a.APIID+"/")
		if err != nil {
			return err
		}
		for _, s := range stages {
			if text(s.DeploymentID) == in.DeploymentID {
				return badRequest("Active stages pointing to this deployment must be moved or deleted: %s", s.StageName)
			}
		}
		return tx.Delete(kindDeployment, a.APIID+"/"+in.DeploymentID)
	})
}
