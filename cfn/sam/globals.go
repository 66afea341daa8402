package sam

import (
	"slices"

	"github.com/seed-615d3599/roost/cfn/eval"
	"github.com/seed-615d3599/roost/cfn/tree"
)

// notGlobal returns the properties that the Globals section cannot set.
func notGlobal(kind string) []string {
	switch kind {
	case functionType:
		return []string{
			"FunctionName", "Role", "Policies", "Events", "InlineCode", "ImageUri", "PackageType", "ImageConfig",
			"AutoPublishCodeSha256", "VersionDescription",
		}
	case httpAPIType:
		return []string{"Name", "Description", "StageName", "DisableExecuteApiEndpoint"}
	}
	return []string{"LayerName", "Description", "ContentUri", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo", "RetentionPolicy"}
}

// globals merges the Globals section into the resources ("Globals section of
// the AWS SAM template").
func (x *expander) globals(globals, resources *tree.Node) {
	if globals == nil {
		x.dropIgnore(resources)
		return
	}
	for _, section := range globals.Members {
		kind := "AWS::Serverless::" + section.Key
		known := slices.Contains([]string{functionType, httpAPIType, layerType}, kind)
		if !known || section.Value.Kind != tree.Map {
			x.Add(section.Value, invalid+"'Globals' section is invalid. '%s' is not supported. Must be one of the following values - ['Function', 'HttpApi', 'LayerVersion']", section.Key)
			continue
		}
		for _, m := range section.Value.Members {
			if slices.Contains(notGlobal(kind), m.Key) || !slices.Contains(knownProperties(kind), m.Key) {
				x.Add(m.Value, invalid+"'Globals' section is invalid. '%s' is not a supported property of '%s'.", m.Key, section.Key)
			}
		}
		x.mergeInto(kind, section.Value, resources)
	}
	x.dropIgnore(resources)
}

func knownProperties(kind string) []string {
	switch kind {
	case functionType:
		return slices.Concat(passedThrough(), functionProperties())
	case httpAPIType:
		return apiProperties()
	}
	return layerProperties()
}

func (x *expander) mergeInto(kind string, global, resources *tree.Node) {
	for _, m := range resources.Members {
		if text(m.Value.Get("Type")) != kind || m.Value.Kind != tree.Map {
			continue
		}
		if x.merged += global.Size(); x.merged > maxMerged {
			x.Add(global, invalid+"'Globals' section is invalid. It adds more than %d values to the resources.", maxMerged)
			return
		}
		used := global.Clone()
		ignore := m.Value.Get("IgnoreGlobals")
		if text(ignore) == "*" {
			continue
		}
		if ignore != nil {
			for _, item := range ignore.Items {
				used.Delete(item.Text)
			}
		}
		m.Value.Set("Properties", merge(used, properties(m.Value)))
	}
}

// dropIgnore removes the attribute that only Globals read.
func (x *expander) dropIgnore(resources *tree.Node) {
	for _, m := range resources.Members {
		if text(m.Value.Get("Type")) == functionType || text(m.Value.Get("Type")) == httpAPIType {
			m.Value.Delete("IgnoreGlobals")
		}
	}
}

// merge lays the local value over the global one: objects are merged, lists
// joined with the global items first, and all else is the local value's.
func merge(global, local *tree.Node) *tree.Node {
	_, _, isCall1 := eval.Function(global)
	_, _, isCall2 := eval.Function(local)
	switch {
	case isCall1 || isCall2 || global.Kind != local.Kind:
		return local
	case local.Kind == tree.List:
		return tree.Array(local.Pos, slices.Concat(global.Items, local.Items)...)
	case local.Kind != tree.Map:
		return local
	}
	merged := tree.Object(local.Pos, slices.Clone(global.Members)...)
	for _, m := range local.Members {
		if g := merged.Get(m.Key); g != nil {
			merged.Set(m.Key, merge(g, m.Value))
			continue
		}
		merged.Members = append(merged.Members, m)
	}
	return merged
}
