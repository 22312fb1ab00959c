package deploy_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/policy"
)

const (
	stateDir = "/var/lib/egress-janitor"
	nonRoot  = 65532 // the user nonroot of the distroless images
)

func text(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTheImageIsStaticAndRunsWithoutRights(t *testing.T) {
	t.Parallel()
	file := text(t, "Dockerfile")
	stages := strings.Split(file, "\nFROM ")
	last := stages[len(stages)-1]
	for _, want := range []string{
		"gcr.io/distroless/static-debian12:nonroot\n", "\nUSER 65532:65532\n", "\nVOLUME " + stateDir + "\n", "\nEXPOSE 9464\n",
		"ENTRYPOINT [\"/usr/local/bin/egress-janitor\"]\n",
	} {
		if !strings.Contains(last, want) {
			t.Errorf("the image lacks %q", want)
		}
	}
	if strings.Contains(last, "\nRUN ") || !strings.Contains(file, "CGO_ENABLED=0") {
		t.Error("the image has no shell to run anything with, and no C library")
	}
	goMod := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(text(t, "..", "go.mod"))
	if goMod == nil || !strings.Contains(file, "FROM golang:"+goMod[1]+"-") {
		t.Errorf("the image is not built by the Go of go.mod, %v", goMod)
	}
	for _, secret := range []string{".env", "egress-janitor.db*", "egress-janitor.yaml", ".git"} {
		if !slices.Contains(strings.Split(text(t, "Dockerfile.dockerignore"), "\n"), secret) {
			t.Errorf("%s may get into the image", secret)
		}
	}
}

// documents are the objects of a YAML file, read strictly.
func documents[T any](t *testing.T, path ...string) []T {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(text(t, path...)))
	decoder.KnownFields(true)
	var all []T
	for {
		var one T
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", filepath.Join(path...), err)
		}
		all = append(all, one)
	}
}

type kustomization struct {
	APIVersion         string `yaml:"apiVersion"`
	Kind, Namespace    string
	Labels             []map[string]any
	Resources          []string
	ConfigMapGenerator []struct {
		Name  string
		Files []string
	} `yaml:"configMapGenerator"`
	Images []struct {
		Name    string
		NewName string `yaml:"newName"`
		NewTag  string `yaml:"newTag"`
	}
}

func TestTheKustomizationNamesItsFiles(t *testing.T) {
	t.Parallel()
	k := documents[kustomization](t, "kubernetes", "kustomization.yaml")[0]
	files, err := filepath.Glob(filepath.Join("kubernetes", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range files {
		if name := filepath.Base(file); name != "kustomization.yaml" {
			got = append(got, name)
		}
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(k.Resources)), got); diff != "" {
		t.Errorf("resources (-kustomization +files):\n%s", diff)
	}
	maps := map[string]bool{}
	for _, generated := range k.ConfigMapGenerator {
		maps[generated.Name] = true
		for _, file := range generated.Files {
			text(t, "kubernetes", file)
		}
	}
	if !maps["egress-janitor-config"] || !maps["egress-janitor-policies"] || len(k.Images) != 1 {
		t.Errorf("generated %v, images %v", maps, k.Images)
	}
}

type probe struct {
	HTTPGet          struct{ Path, Port string } `yaml:"httpGet"`
	PeriodSeconds    int                         `yaml:"periodSeconds"`
	TimeoutSeconds   int                         `yaml:"timeoutSeconds"`
	FailureThreshold int                         `yaml:"failureThreshold"`
}

type container struct {
	Name, Image string
	Args        []string
	Env         []struct {
		Name      string
		ValueFrom struct {
			SecretKeyRef struct {
				Name, Key string
				Optional  bool
			} `yaml:"secretKeyRef"`
		} `yaml:"valueFrom"`
	}
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	StartupProbe    probe `yaml:"startupProbe"`
	LivenessProbe   probe `yaml:"livenessProbe"`
	ReadinessProbe  probe `yaml:"readinessProbe"`
	Resources       struct{ Requests, Limits map[string]string }
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

type deployment struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Spec       struct {
		Replicas int
		Strategy struct{ Type string }
		Template struct {
			Spec struct {
				AutomountServiceAccountToken  *bool `yaml:"automountServiceAccountToken"`
				EnableServiceLinks            *bool `yaml:"enableServiceLinks"`
				TerminationGracePeriodSeconds int   `yaml:"terminationGracePeriodSeconds"`
				SecurityContext               struct {
					RunAsNonRoot        bool                  `yaml:"runAsNonRoot"`
					RunAsUser           int                   `yaml:"runAsUser"`
					RunAsGroup          int                   `yaml:"runAsGroup"`
					FSGroup             int                   `yaml:"fsGroup"`
					FSGroupChangePolicy string                `yaml:"fsGroupChangePolicy"`
					SeccompProfile      struct{ Type string } `yaml:"seccompProfile"`
				} `yaml:"securityContext"`
				Containers []container
				Volumes    []struct {
					Name                  string
					ConfigMap             struct{ Name string } `yaml:"configMap"`
					PersistentVolumeClaim struct {
						ClaimName string `yaml:"claimName"`
					} `yaml:"persistentVolumeClaim"`
				}
			}
		}
	}
}

func TestThePodRunsAloneAndWithoutRights(t *testing.T) {
	t.Parallel()
	d := documents[deployment](t, "kubernetes", "deployment.yaml")[0]
	pod := d.Spec.Template.Spec
	if d.Spec.Replicas != 1 || d.Spec.Strategy.Type != "Recreate" {
		t.Errorf("%d replicas, strategy %s: two processes on one store", d.Spec.Replicas, d.Spec.Strategy.Type)
	}
	if pod.TerminationGracePeriodSeconds != 30 || pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Error("it has not the time to end that it needs, or a token of the cluster that it does not need")
	}
	if s := pod.SecurityContext; !s.RunAsNonRoot || s.RunAsUser != nonRoot || s.FSGroup != nonRoot || s.SeccompProfile.Type != "RuntimeDefault" {
		t.Errorf("security of the pod: %+v", s)
	}
	c := pod.Containers[0]
	s := c.SecurityContext
	if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem ||
		!slices.Equal(s.Capabilities.Drop, []string{"ALL"}) {
		t.Errorf("security of the container: %+v", s)
	}
	paths := []string{c.StartupProbe.HTTPGet.Path, c.LivenessProbe.HTTPGet.Path, c.ReadinessProbe.HTTPGet.Path}
	if diff := cmp.Diff([]string{"/-/healthy", "/-/healthy", "/-/ready"}, paths); diff != "" {
		t.Errorf("probes (-want +got):\n%s", diff)
	}
	if c.Ports[0].ContainerPort != 9464 {
		t.Errorf("port %d", c.Ports[0].ContainerPort)
	}
	for _, env := range c.Env {
		if env.ValueFrom.SecretKeyRef.Name == "" || env.ValueFrom.SecretKeyRef.Key != env.Name {
			t.Errorf("%s is not from the secret", env.Name)
		}
	}
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = v.PersistentVolumeClaim.ClaimName != ""
	}
	for _, mount := range c.VolumeMounts {
		persistent, ok := volumes[mount.Name]
		if !ok || persistent == mount.ReadOnly || persistent != (mount.MountPath == stateDir) {
			t.Errorf("mount %+v", mount)
		}
	}
}

func TestTheConfigurationOfTheClusterLoads(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("kubernetes", "config")
	c, err := config.Load(filepath.Join(dir, "egress-janitor.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Mode != config.ModeAudit || c.StorePath() != stateDir+"/egress-janitor.db" || c.HTTP.Metrics != "0.0.0.0:9464" {
		t.Errorf("mode %s, store %s, metrics at %s", c.Mode, c.StorePath(), c.HTTP.Metrics)
	}
	set, err := policy.Load(os.DirFS(filepath.Join(dir, "policies")), []string{"open-world.yaml"})
	if err != nil || len(set.Warnings) > 0 {
		t.Errorf("error %v, warnings %v", err, set)
	}
	mounts := documents[deployment](t, "kubernetes", "deployment.yaml")[0].Spec.Template.Spec.Containers[0].VolumeMounts
	for _, mount := range mounts {
		if mount.Name == "policies" && !slices.Equal(c.Policies, []string{mount.MountPath}) {
			t.Errorf("policies are mounted at %s and looked for in %v", mount.MountPath, c.Policies)
		}
	}
}

func TestTheOtherObjectsOfTheCluster(t *testing.T) {
	t.Parallel()
	type object struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct {
			Name   string
			Labels map[string]string
		}
		Spec map[string]any
	}
	var kinds []string
	for _, file := range []string{"namespace.yaml", "volume.yaml", "service.yaml", "network.yaml"} {
		for _, o := range documents[object](t, "kubernetes", file) {
			kinds = append(kinds, o.APIVersion+" "+o.Kind+" "+o.Metadata.Name)
		}
	}
	want := []string{
		"v1 Namespace egress-janitor", "v1 PersistentVolumeClaim egress-janitor-store", "v1 Service egress-janitor",
		"networking.k8s.io/v1 NetworkPolicy egress-janitor",
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

func TestTheUnitIsHardened(t *testing.T) {
	t.Parallel()
	unit := text(t, "systemd", "egress-janitor.service")
	for _, want := range []string{
		"User=egress-janitor", "StateDirectory=egress-janitor", "EnvironmentFile=/etc/egress-janitor/credentials.env",
		"ExecReload=/bin/kill -HUP $MAINPID", "TimeoutStopSec=30s", "NoNewPrivileges=yes", "ProtectSystem=strict",
		"CapabilityBoundingSet=", "PrivateUsers=yes", "SystemCallFilter=@system-service",
	} {
		if !strings.Contains(unit, "\n"+want+"\n") {
			t.Errorf("the unit lacks %s", want)
		}
	}
	if !strings.Contains(text(t, "systemd", "egress-janitor.sysusers.conf"), "\nu egress-janitor ") {
		t.Error("nothing makes the user of the unit")
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("NOT CHECKED: the unit needs systemd-analyze to be verified")
		return
	}
	// The unit is verified with a program that is there.
	const binary = "/usr/local/bin/egress-janitor"
	file := filepath.Join(t.TempDir(), "egress-janitor.service")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(unit, "="+binary, "=/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", file}, {"security", "--offline=true", "--threshold=15", file}} {
		out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput()
		if err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}
