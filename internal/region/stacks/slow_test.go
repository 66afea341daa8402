package stacks_test

import (
	"context"
	"fmt"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// slowType is a type that works outside of the transaction of its record, and
// waits while hang has a channel for it.
func (w *world) slowType() *resources.Type {
	put := func(ctx context.Context, id, size string) error {
		return w.db.Update(context.WithoutCancel(ctx), func(_ context.Context, tx *store.Tx) error {
			return tx.Put("thing", id, thing{Name: id, Size: size})
		})
	}
	act := func(ctx context.Context, verb string, e *resources.Env, id string, want map[string]any) (resources.State, error) {
		state := resources.State{ID: id, Attributes: map[string]any{"Size": fmt.Sprint(want["Size"])}}
		if err := put(ctx, id, fmt.Sprint(want["Size"])); err != nil {
			return state, err
		}
		w.mu.Lock()
		hang := w.hang[verb+" "+e.LogicalID]
		w.mu.Unlock()
		if hang != nil {
			select {
			case <-hang:
			case <-ctx.Done():
				return state, ctx.Err()
			}
		}
		return state, w.refuse(verb, e.LogicalID, want)
	}
	return &resources.Type{
		Name: "AWS::Test::Slow", Slow: true, Attributes: []string{"Size"},
		Properties: resources.Properties{"Name": {Kind: resources.String, Replace: true}, "Size": {Kind: resources.Integer}, "Other": {Kind: resources.String}},
		Create: func(ctx context.Context, e *resources.Env, want map[string]any) (resources.State, error) {
			return act(ctx, "create", e, fmt.Sprintf("%s:%v", e.LogicalID, want["Name"]), want)
		},
		Update: func(ctx context.Context, e *resources.Env, have resources.State, want map[string]any) (resources.State, error) {
			return act(ctx, "update", e, have.ID, want)
		},
		Delete: func(ctx context.Context, e *resources.Env, have resources.State) error {
			if err := w.refuse("delete", e.LogicalID, nil); err != nil {
				return err
			}
			return w.db.Update(context.WithoutCancel(ctx), func(_ context.Context, tx *store.Tx) error { return tx.Delete("thing", have.ID) })
		},
	}
}
