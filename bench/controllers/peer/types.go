package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// As much of Weir's kinds as the work needs, typed, as an operator in Go has them.

var (
	fleet   = schema.GroupVersion{Group: "fleet.weir.dev", Version: "v1alpha1"}
	content = schema.GroupVersion{Group: "content.weir.dev", Version: "v1alpha1"}
)

type nameRef struct {
	Name string `json:"name"`
}

type Appliance struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              applianceSpec `json:"spec"`
}

type applianceSpec struct {
	SiteRef          nameRef `json:"siteRef"`
	HardwareClassRef nameRef `json:"hardwareClassRef"`
	Mode             string  `json:"mode,omitempty"`
}

type Site struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              siteSpec `json:"spec"`
}

type siteSpec struct {
	TimeZone string `json:"timeZone,omitempty"`
}

type Catalog struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              catalogSpec `json:"spec"`
}

type catalogSpec struct {
	OriginURL string `json:"originUrl,omitempty"`
}

type Assignment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              assignmentSpec `json:"spec"`
}

type assignmentSpec struct {
	Content *assignedContent `json:"content,omitempty"`
}

type assignedContent struct {
	Generation   int64   `json:"generation"`
	Entries      []entry `json:"entries"`
	Fill         fill    `json:"fill"`
	DrainSeconds int64   `json:"drainSeconds"`
	Serve        bool    `json:"serve"`
}

type entry struct {
	Catalog        catalogRef `json:"catalog"`
	CatalogDigest  string     `json:"catalogDigest"`
	CatalogFiles   int64      `json:"catalogFiles"`
	OriginURL      string     `json:"originUrl"`
	ManifestDigest string     `json:"manifestDigest"`
	Files          int64      `json:"files"`
	Bytes          int64      `json:"bytes"`
	Plans          []string   `json:"plans"`
}

type catalogRef struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

type fill struct {
	TimeZone string       `json:"timeZone"`
	Windows  []fillWindow `json:"windows"`
}

type fillWindow struct {
	Start   string   `json:"start"`
	End     string   `json:"end"`
	MaxGbps *float64 `json:"maxGbps,omitempty"`
}

type list[T any] struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []T `json:"items"`
}

type (
	ApplianceList  struct{ list[Appliance] }
	SiteList       struct{ list[Site] }
	CatalogList    struct{ list[Catalog] }
	AssignmentList struct{ list[Assignment] }
)

func (in *Appliance) DeepCopyObject() runtime.Object {
	out := &Appliance{TypeMeta: in.TypeMeta, Spec: in.Spec}
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

func (in *Site) DeepCopyObject() runtime.Object {
	out := &Site{TypeMeta: in.TypeMeta, Spec: in.Spec}
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

func (in *Catalog) DeepCopyObject() runtime.Object {
	out := &Catalog{TypeMeta: in.TypeMeta, Spec: in.Spec}
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

func (in *Assignment) DeepCopyObject() runtime.Object {
	out := &Assignment{TypeMeta: in.TypeMeta, Spec: assignmentSpec{Content: in.Spec.Content.deepCopy()}}
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

func (in *assignedContent) deepCopy() *assignedContent {
	if in == nil {
		return nil
	}
	out := *in
	out.Entries = make([]entry, len(in.Entries))
	for i, e := range in.Entries {
		e.Plans = append([]string{}, e.Plans...)
		out.Entries[i] = e
	}
	out.Fill.Windows = append([]fillWindow{}, in.Fill.Windows...)
	return &out
}

func copyOf[T any](in *list[T], each func(*T) runtime.Object) list[T] {
	out := list[T]{TypeMeta: in.TypeMeta}
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	for i := range in.Items {
		out.Items = append(out.Items, *any(each(&in.Items[i])).(*T))
	}
	return out
}

func (in *ApplianceList) DeepCopyObject() runtime.Object {
	return &ApplianceList{copyOf(&in.list, (*Appliance).DeepCopyObject)}
}

func (in *SiteList) DeepCopyObject() runtime.Object {
	return &SiteList{copyOf(&in.list, (*Site).DeepCopyObject)}
}

func (in *CatalogList) DeepCopyObject() runtime.Object {
	return &CatalogList{copyOf(&in.list, (*Catalog).DeepCopyObject)}
}

func (in *AssignmentList) DeepCopyObject() runtime.Object {
	return &AssignmentList{copyOf(&in.list, (*Assignment).DeepCopyObject)}
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(fleet, &Appliance{}, &ApplianceList{}, &Site{}, &SiteList{}, &Assignment{}, &AssignmentList{})
	scheme.AddKnownTypes(content, &Catalog{}, &CatalogList{})
	metav1.AddToGroupVersion(scheme, fleet)
	metav1.AddToGroupVersion(scheme, content)
	return scheme
}
