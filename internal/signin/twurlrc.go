package signin

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// SaveProfile adds a profile to twurl's file, in place of the one for the same
// user and app. All else in the file is kept. The profile becomes the default
// one where there is none, as with twurl.
func SaveProfile(path string, profile Profile) error {
	document, err := readTwurlrc(path)
	if err != nil {
		return err
	}
	root := document.Content[0]
	user := mapping(mapping(root, "profiles"), profile.Username)
	set(user, profile.ConsumerKey, profileNode(profile))
	configuration := mapping(root, "configuration")
	if get(configuration, "default_profile") == nil {
		set(configuration, "default_profile", &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{scalar(profile.Username), scalar(profile.ConsumerKey)}})
	}
	var out bytes.Buffer
	out.WriteString("---\n")
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return writePrivate(path, out.Bytes())
}

// LoadProfile reads a profile from twurl's file: the one of a user and an app
// (by its consumer key), where an empty name means any, and of several that
// fit, the default one.
func LoadProfile(path, username, consumerKey string) (Profile, error) {
	document, err := readTwurlrc(path)
	if err != nil {
		return Profile{}, err
	}
	var file struct {
		Profiles      map[string]map[string]twurlProfile
		Configuration struct {
			DefaultProfile []string `yaml:"default_profile"`
		}
	}
	if err := document.Decode(&file); err != nil {
		return Profile{}, fmt.Errorf("%s: %w", path, err)
	}
	var found []Profile
	for name, apps := range file.Profiles {
		for key, profile := range apps {
			if (username != "" && name != username) || (consumerKey != "" && key != consumerKey) {
				continue
			}
			if d := file.Configuration.DefaultProfile; len(d) == 2 && d[0] == name && d[1] == key {
				return Profile(profile), nil
			}
			found = append(found, Profile(profile))
		}
	}
	switch len(found) {
	case 0:
		return Profile{}, fmt.Errorf("%s has no profile for it: run roost twitter authorize", path)
	case 1:
		return found[0], nil
	}
	return Profile{}, fmt.Errorf("%s has several profiles that fit, and the default one is not among them: name the user and the consumer key", path)
}

// twurlProfile is a profile as it stands in the file.
type twurlProfile struct {
	Username       string
	ConsumerKey    string `yaml:"consumer_key"`
	ConsumerSecret string `yaml:"consumer_secret"`
	Token          string
	Secret         string
}

// readTwurlrc reads the file as a document that holds a mapping; a file that
// is missing or empty is an empty one.
func readTwurlrc(path string) (*yaml.Node, error) {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("%s is not twurl's file: %w", path, err)
	}
	if document.Kind == 0 || document.Content[0].Tag == "!!null" {
		document = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode}}}
	}
	if document.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s is not twurl's file: it holds no mapping", path)
	}
	for _, key := range []string{"profiles", "configuration"} {
		if part := get(document.Content[0], key); part != nil && part.Kind != yaml.MappingNode && part.Tag != "!!null" {
			return nil, fmt.Errorf("%s:%d is not twurl's file: %s is no mapping", path, part.Line, key)
		}
	}
	return &document, nil
}

func profileNode(profile Profile) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	set(node, "username", scalar(profile.Username))
	set(node, "consumer_key", scalar(profile.ConsumerKey))
	set(node, "consumer_secret", scalar(profile.ConsumerSecret))
	set(node, "token", scalar(profile.Token))
	set(node, "secret", scalar(profile.Secret))
	return node
}

// scalar returns a text node, quoted where it would read as another type.
func scalar(text string) *yaml.Node {
	node := &yaml.Node{}
	node.SetString(text)
	return node
}

func get(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

func set(node *yaml.Node, key string, value *yaml.Node) {
	if old := get(node, key); old != nil {
		*old = *value
		return
	}
	node.Content = append(node.Content, scalar(key), value)
}

// mapping returns the mapping under a key, which it adds where there is none.
func mapping(node *yaml.Node, key string) *yaml.Node {
	found := get(node, key)
	if found == nil || found.Kind != yaml.MappingNode {
		set(node, key, &yaml.Node{Kind: yaml.MappingNode})
		return get(node, key)
	}
	found.Style = 0 // an empty mapping is written as {}
	return found
}

// writePrivate replaces a file in one step, with mode 0600. Of a symbolic link
// the target is replaced.
func writePrivate(path string, data []byte) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".roost-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(data)
	if err == nil {
		err = temporary.Sync()
	}
	if err = errors.Join(err, temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
